"""A runtime on MinIO and Redis: every way in becomes a playable job, and its webhook verifies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tusclient.client import TusClient

from eventing import contract
from tests.clips import ffmpeg
from tests.e2e import services
from tests.e2e.command import until
from tests.e2e.judges import Planned, judge
from tests.e2e.services import TENANT, UPLOADS, Town

pytestmark = [pytest.mark.servers, pytest.mark.slow]

TINY = {"profile": "tiny"}
PART_BYTES = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with services.town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of noise: more than two parts of the smallest size."""
    path = tmp_path_factory.mktemp("heavy") / "heavy.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=4,noise=alls=80:allf=t",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", str(path),
    )  # fmt: skip
    assert path.stat().st_size > 2 * PART_BYTES
    return path


def by_put(town: Town, source: Path, name: str) -> None:
    town.s3.fput_object(
        UPLOADS, f"{TENANT}/{name}", str(source), metadata={"kinora-profile": "tiny"}
    )


def by_multipart(town: Town, source: Path, name: str) -> None:
    # Of unknown length: minio-py sends it in parts.
    town.s3.put_object(
        UPLOADS,
        f"{TENANT}/{name}",
        io.BytesIO(source.read_bytes()),
        length=-1,
        part_size=PART_BYTES,
        metadata={"kinora-profile": "tiny"},
    )


def begun(town: Town, source: Path, name: str, method: str) -> dict[str, Any]:
    with town.api as api:
        answer = api.post(
            "/uploads",
            json={
                "name": name,
                "size_bytes": source.stat().st_size,
                "method": method,
                "options": TINY,
            },
        )
    assert answer.status_code == 201, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def by_presigned_post(town: Town, source: Path, name: str) -> None:
    upload = begun(town, source, name, "post")
    form = upload["form"]
    with source.open("rb") as stream:
        answer = httpx2.post(
            form["url"], data=form["fields"], files={"file": (name, stream)}, trust_env=False
        )
    assert answer.is_success, answer.text
    with town.api as api:
        assert api.post(upload["links"]["complete"], json={}).is_success


def by_tus(town: Town, source: Path, name: str) -> None:
    client = TusClient(f"{town.url}/api/v1/tus")
    with source.open("rb") as stream:
        uploader = client.uploader(
            file_stream=stream,
            chunk_size=1_000_000,
            metadata={"filename": name, "profile": "tiny"},
        )
        uploader.upload()


WAYS: dict[str, Callable[[Town, Path, str], None]] = {
    "put": by_put,
    "multipart": by_multipart,
    "presigned-post": by_presigned_post,
    "tus": by_tus,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_in_becomes_streams_and_a_webhook_that_verifies(
    town: Town, heavy: Path, way: str
) -> None:
    name = f"{way} file +1.mp4"
    WAYS[way](town, heavy, name)
    job = town.job_of(name)
    assert job["state"] == "completed", services.dump(town)
    assert job["profile"] == "tiny"
    out = town.fetch(job["job"])
    assert judge(out, heavy, Planned.read(out)) == []
    until("its webhook is delivered", lambda: bool(town.receiver.verdicts(job["job"])))
    told = town.receiver.verdicts(job["job"])
    assert {each.event["type"] for each in told} == {contract.JobCompleted.type}
    assert len({each.id for each in told}) == 1
    assert not town.receiver.unverified


def test_one_source_is_one_job_whoever_tells_of_it(town: Town, heavy: Path) -> None:
    by_put(town, heavy, "once.mp4")
    town.job_of("once.mp4")
    assert sum(str(job["source"]).endswith("/once.mp4") for job in town.jobs()) == 1


def test_a_file_that_is_no_video_is_explained(town: Town) -> None:
    town.s3.put_object(UPLOADS, f"{TENANT}/letter.mp4", io.BytesIO(b"Dear all"), 8)
    job = town.job_of("letter.mp4")
    assert (job["state"], job["code"]) == ("rejected", "source_not_media")
    until("its webhook is delivered", lambda: bool(town.receiver.verdicts(job["job"])))


def test_what_is_served_plays_from_the_signed_prefix(town: Town, heavy: Path) -> None:
    by_put(town, heavy, "played.mp4")
    job = town.job_of("played.mp4")
    with town.api as api:
        outputs = api.get(f"/jobs/{job['job']}/outputs").json()
    played = ffmpeg("-i", outputs["hls"], "-map", "0:v:0", "-f", "framemd5", "-")
    frames = [line for line in played.splitlines() if not line.startswith(b"#")]
    assert len(frames) == 100
