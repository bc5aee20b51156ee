"""Records of a job as the flow writes them, for tests of what the command line shows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from functions.adapters.directory import DirectoryStore
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import AudioTask, Fingerprint, Plan, VideoTask
from functions.jobs.profile import Options
from functions.jobs.verdict import State, Verdict
from functions.media.cutting.timeline import Timeline
from functions.ports import ObjectStore
from tests.trails import SOUND, rung

JOB = "0123456789abcdef0123456789abcdef"
OTHER = "0123fedcba9876543210fedcba987654"
ACCEPTED_S = 1_800_000_000.0


def manifest(job: str = JOB, *, accepted_s: float = ACCEPTED_S) -> Manifest:
    return Manifest(
        job=job,
        tenant="local",
        source=SourceObject(
            bucket="uploads", key="local/film.mp4", version="", etag="1", size_bytes=1_234_567
        ),
        options=Options(),
        profile=None,
        accepted_s=accepted_s,
    )


def plan(job: str = JOB) -> Plan:
    """200 frames in two chunks of two rungs, and one sound track."""
    return Plan(
        job=job,
        generation=1,
        kind="encode",
        encoder=Fingerprint(version="9.0", sha256="0" * 64),
        source=manifest(job).source,
        format="mov",
        index="",
        video_track=0,
        timeline=Timeline(
            timebase=Fraction(1, 25),
            origin=0,
            rate=Fraction(25),
            frames=200,
            constant=True,
            timescale=12800,
            segment_frames=100,
        ),
        video=(rung("720p", 720), rung("360p", 360)),
        audio=(SOUND,),
        tasks=(
            VideoTask(
                id="v0000",
                renditions=("720p", "360p"),
                start=0,
                stop=100,
                first_packet=0,
                stop_packet=100,
                trim_start=0,
                trim_stop=100,
                cost_ms=400,
            ),
            VideoTask(
                id="v0001",
                renditions=("720p", "360p"),
                start=100,
                stop=200,
                first_packet=100,
                stop_packet=200,
                trim_start=100,
                trim_stop=200,
                cost_ms=400,
            ),
            AudioTask(id="a1", renditions=("audio-1",), cost_ms=200),
        ),
    )


def verdict(job: str = JOB, *, state: State = "completed", reason: str = "") -> Verdict:
    return Verdict(
        job=job,
        tenant="local",
        state=state,
        code="completed" if state == "completed" else "source_empty",
        reason=reason,
        decided_s=ACCEPTED_S + 12.5,
    )


def site(root: Path) -> ObjectStore:
    """The folder of a runtime in which nothing has happened."""
    for bucket in ("uploads", "work", "media"):
        (root / bucket).mkdir(parents=True)
    return DirectoryStore(root)


def accept(store: ObjectStore, job: str = JOB, *, accepted_s: float = ACCEPTED_S) -> None:
    store.create(layout.manifest(job), record.dump(manifest(job, accepted_s=accepted_s)))


def finish(store: ObjectStore, ended: Verdict) -> None:
    store.create(layout.verdict(ended.job), record.dump(ended))
