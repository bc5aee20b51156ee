"""What requests and answers look like, for the API's document: examples by the schema's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eventing.contract import JobCompleted, TaskCompleted
from functions.gateway import address
from functions.gateway.edge import problem

_SITE: Final = "https://kinora.example"
_JOB: Final = "70081c01842b3c6e848754c5e7ab8b95"
_UPLOAD: Final = "5d0f3d3c6ad84fb19b6a9a4f33a5a0c1"
_ENDPOINT: Final = "a3f1c0de5b7e4b0c9d2e8f6a1b3c5d7e"
_OBJECT: Final = f"uploads/acme/{_UPLOAD}/film.mp4"
_JOB_AT: Final = _SITE + address.job(_JOB)
_UPLOAD_AT: Final = _SITE + address.upload(_UPLOAD)
_MEDIA: Final = f"{_SITE}/media/1800061200.mFXEKYnjLpZcNyqsM3u4HFlMnsoHKRtWU1SMS4Uv6Rk/{_JOB}"

EXAMPLES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "NewJob": [
        {"object": "uploads/acme/film.mp4", "options": {"profile": "fast"}},
        {"upload": _UPLOAD, "options": {"priority": 5}},
    ],
    "Job": [
        {
            "job": _JOB,
            "tenant": "acme",
            "state": "encoding",
            "code": None,
            "reason": None,
            "source": _OBJECT,
            "size_bytes": 734003200,
            "profile": "default",
            "accepted": "2027-01-15T08:00:00.000Z",
            "ended": None,
            "elapsed_s": None,
            "generation": 1,
            "progress": {
                "share": 0.4215,
                "frames_done": 63225,
                "frames_total": 150000,
                "tasks_done": 42,
                "tasks_total": 101,
                "speed": 9.8,
                "eta_s": 353.1,
            },
            "links": {
                "self": _JOB_AT,
                "page": f"{_SITE}/jobs/{_JOB}",
                "tasks": f"{_JOB_AT}/tasks",
                "events": f"{_JOB_AT}/events",
                "progress": f"{_JOB_AT}/progress",
                "outputs": f"{_JOB_AT}/outputs",
            },
        }
    ],
    "Reason": [{"reason": "It was the wrong film."}],
    "Outputs": [
        {
            "job": _JOB,
            "state": "completed",
            "expires": "2027-01-15T21:00:00.000Z",
            "early": None,
            "hls": f"{_MEDIA}/master.m3u8",
            "dash": f"{_MEDIA}/manifest.mpd",
            "progressive": None,
            "report": f"{_MEDIA}/report.json",
            "renditions": [
                {
                    "name": "720p",
                    "kind": "video",
                    "width": 1280,
                    "height": 720,
                    "language": None,
                    "channels": None,
                    "playlist": f"{_MEDIA}/720p/playlist.m3u8",
                }
            ],
        }
    ],
    "Task": [
        {
            "id": "v00003",
            "kind": "video",
            "renditions": ["720p", "360p"],
            "start": 4500,
            "stop": 6000,
            "state": "running",
            "worker": "encoder-7f9c",
            "attempts": 1,
            "frames_done": 480,
            "share": 0.32,
            "size_bytes": None,
        }
    ],
    "Fact": [
        {
            "id": "d8a02af27a696033449738558a49a494",
            "type": TaskCompleted.type,
            "subject": "v00003",
            "time": "2027-01-15T08:02:11.480Z",
            "producer": "encoder",
            "cause": "0b1f6c1d2f6e4a5c8f0d3b7a9e5c1d2f",
            "data": {"job": _JOB, "generation": 1, "task": "v00003"},
        }
    ],
    "NewUpload": [
        {"name": "film.mp4", "method": "direct", "options": {"profile": "fast"}},
        {"name": "film.mp4", "method": "multipart", "size_bytes": 734003200},
    ],
    "Upload": [
        {
            "upload": _UPLOAD,
            "state": "open",
            "method": "direct",
            "object": _OBJECT,
            "size_bytes": None,
            "offset_bytes": 0,
            "part_bytes": None,
            "parts": [],
            "form": None,
            "created": "2027-01-15T07:58:00.000Z",
            "expires": "2027-01-16T07:58:00.000Z",
            "job": None,
            "links": {
                "self": _UPLOAD_AT,
                "complete": f"{_UPLOAD_AT}/complete",
                "parts": None,
                "content": f"{_UPLOAD_AT}/content",
                "tus": None,
                "job": None,
            },
        }
    ],
    "Numbers": [{"numbers": [1, 2, 3]}],
    "Draft": [
        {"toml": 'name = "small"\n[[video.ladder]]\nheight = 360\nmaxrate_kbps = 800\n'},
    ],
    "PossibleJob": [{"object": "uploads/acme/film.mp4", "encoders": 8}],
    "NewEndpoint": [
        {
            "url": "https://app.example/hooks/kinora",
            "description": "Publishes what is ready.",
            "events": [JobCompleted.type],
        }
    ],
    "EndpointMade": [
        {
            "endpoint": _ENDPOINT,
            "url": "https://app.example/hooks/kinora",
            "description": "Publishes what is ready.",
            "events": [JobCompleted.type],
            "signatures": [
                {
                    "scheme": "v1",
                    "public_key": None,
                    "created": "2027-01-15T07:30:00.000Z",
                    "expires": None,
                }
            ],
            "created": "2027-01-15T07:30:00.000Z",
            "paused": False,
            "disabled": None,
            "failing_since": None,
            "secret": "whsec_…",
        }
    ],
    "EndpointChange": [{"paused": True}, {"disabled": False}],
    "Rotation": [{"overlap_s": 3600}],
    "OneAgain": [{"message": _JOB}],
    "AllAgain": [{"since": "2027-01-15T08:00:00Z"}],
    "SignIn": [{"key": "kinora_acme_…"}],
    "Problem": [
        {
            "type": f"{problem.TYPE_PREFIX}refused",
            "title": "The source cannot be taken.",
            "status": 422,
            "detail": "The file is empty. Upload it again; it has no bytes.",
            "instance": f"{address.API}/jobs",
            "code": "source_empty",
        }
    ],
}
