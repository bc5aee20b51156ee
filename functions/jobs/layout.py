"""Where everything lies in the object store: the one place that spells keys.

The first segment of a key names the bucket: `uploads`, `work` or `media`.
"""

from __future__ import annotations

from typing import Final

from functions.media.rendition import PLAYLIST

UPLOADS: Final = "uploads"
WORK: Final = "work"
MEDIA: Final = "media"

OPEN_PREFIX: Final = f"{WORK}/open/"
PARKED_PREFIX: Final = f"{WORK}/parked/"


def open_marker(job: str) -> str:
    """Exists while the job has no verdict that somebody was told of: what a sweep looks at."""
    return f"{OPEN_PREFIX}{job}"


def manifest(job: str) -> str:
    return f"{WORK}/jobs/{job}/job.json"


def plan(job: str, generation: int) -> str:
    return f"{plans_prefix(job)}{generation}.json"


def plans_prefix(job: str) -> str:
    """What the key of every generation's plan starts with; the generation and `.json` follow."""
    return f"{WORK}/jobs/{job}/plan-"


def receipts_prefix(job: str, generation: int) -> str:
    return f"{WORK}/jobs/{job}/receipts/{generation}/"


def receipt(job: str, generation: int, task: str) -> str:
    return f"{receipts_prefix(job, generation)}{task}"


def failures_prefix(job: str, generation: int, task: str) -> str:
    return f"{WORK}/jobs/{job}/failures/{generation}/{task}/"


def failure(job: str, generation: int, task: str, attempt: int) -> str:
    return f"{failures_prefix(job, generation, task)}{attempt}"


def verdict(job: str) -> str:
    return f"{WORK}/jobs/{job}/verdict.json"


def index(source: str) -> str:
    """The packet index of a source object, shared by every job that reads it."""
    return f"{WORK}/sources/{source}/index"


def mezzanine(source: str) -> str:
    return f"{WORK}/sources/{source}/mezzanine"


def parked(job: str, event: str) -> str:
    """An event that could not be delivered; `job` is `none` where the event names none."""
    return f"{PARKED_PREFIX}{job or 'none'}/{event}"


def endpoints_prefix(tenant: str) -> str:
    return f"{WORK}/tenants/{tenant}/endpoints/"


def owed(tenant: str, job: str) -> str:
    """Exists while a tenant's endpoints have not all been told of the job's verdict."""
    return f"{WORK}/tenants/{tenant}/outbox/{job}"


def media(job: str, name: str) -> str:
    """An output beside the manifests: `master.m3u8`, `720p/playlist.m3u8`, `report.json` …"""
    return f"{MEDIA}/{job}/{name}"


def init_segment(job: str, rendition: str, sha256: str) -> str:
    return media(job, f"{rendition}/init-{sha256[:16]}.mp4")


def media_segment(job: str, rendition: str, number: int, sha256: str) -> str:
    """Carries its content's hash: attempts that race never overwrite each other."""
    return media(job, f"{rendition}/{number:05d}-{sha256[:16]}.m4s")


def media_playlist(job: str, rendition: str) -> str:
    return media(job, f"{rendition}/{PLAYLIST}")


MASTER: Final = "master.m3u8"
EARLY_MASTER: Final = "early.m3u8"
MANIFEST: Final = "manifest.mpd"
REPORT: Final = "report.json"
