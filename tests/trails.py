"""Jobs as their records tell of them: made piece by piece, in a store that counts requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from functions.jobs import layout, record
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import AudioTask, Fingerprint, MezzanineTask, Plan, Task, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.jobs.receipt import Failure, Receipt
from functions.jobs.verdict import State, Verdict
from functions.media.cutting.timeline import Timeline
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams.segment import Segment, Stored, Track
from functions.ports import ByteRange, ObjectInfo
from tests.fakes import ManualClock, MemoryStore

JOB = "0123456789abcdef0123456789abcdef"
TENANT = "acme"
ACCEPTED_S = 1_800_000_000.0
CHUNK = 100
"""Frames of a chunk."""
PAGE = 1000
"""Of a listing, as on S3."""

SOURCE = SourceObject(
    bucket="uploads", key="acme/film.mp4", version="", etag="1", size_bytes=1_234_567
)
PROFILE = Profile(
    name="default",
    video=VideoProfile(ladder=(Rung(height=360, maxrate_kbps=1000, bufsize_kbps=2000),)),
)

Record = tuple[str, object]
"""A key and what lies there."""


class CountedStore(MemoryStore):
    """Counts what S3 would take money for: each page of a listing, and each object asked for."""

    def __init__(self, *, clock: ManualClock | None = None) -> None:
        super().__init__(clock=clock or ManualClock(ACCEPTED_S))
        self.requests = 0

    def head(self, key: str) -> ObjectInfo | None:
        self.requests += 1
        return super().head(key)

    def get(self, key: str) -> bytes:
        self.requests += 1
        return super().get(key)

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        self.requests += len(ranges)
        return super().read(key, ranges, etag=etag)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        self.requests += 1
        for number, found in enumerate(super().list(prefix, after=after), 1):
            yield found
            self.requests += number % PAGE == 0


def put(store: MemoryStore, *records: Record) -> None:
    for key, kept in records:
        store.create(key, record.dump(kept))


def manifest(*, profile: Profile | None = PROFILE, job: str = JOB) -> Record:
    return layout.manifest(job), Manifest(
        job=job,
        tenant=TENANT,
        source=SOURCE,
        options=Options(),
        profile=profile,
        accepted_s=ACCEPTED_S,
    )


def plan_of(
    chunks: int, *, generation: int = 1, sound: bool = True, job: str = JOB, cost_ms: int = 1000
) -> Plan:
    """Two rungs at 25 pictures a second, and a sound track."""
    tasks: list[Task] = [
        VideoTask(
            id=f"v{number:05d}",
            renditions=("720p", "360p"),
            start=number * CHUNK,
            stop=(number + 1) * CHUNK,
            first_packet=0,
            stop_packet=0,
            trim_start=0,
            trim_stop=0,
            cost_ms=cost_ms,
        )
        for number in range(chunks)
    ]
    if sound:
        tasks.append(AudioTask(id="a1", renditions=("audio-1",), cost_ms=cost_ms))
    return Plan(
        job=job,
        generation=generation,
        kind="encode",
        encoder=Fingerprint(version="9.0", sha256="0" * 64),
        source=SOURCE,
        format="mov",
        index="",
        video_track=0,
        timeline=Timeline(
            timebase=Fraction(1, 25),
            origin=0,
            rate=Fraction(25),
            frames=chunks * CHUNK,
            constant=True,
            timescale=12800,
            segment_frames=CHUNK,
        ),
        video=(rung("720p", 720), rung("360p", 360)),
        audio=(SOUND,) if sound else (),
        tasks=tuple(tasks),
    )


def preparation() -> Plan:
    return replace(
        plan_of(1, sound=False),
        kind="prepare",
        timeline=None,
        video=(),
        tasks=(MezzanineTask(id="m1", cost_ms=1000),),
    )


def plan(made: Plan) -> Record:
    return layout.plan(made.job, made.generation), made


def receipt(task: str, *, generation: int = 1, job: str = JOB) -> Record:
    init = Stored(key=f"{layout.media(job, task)}.mp4", size_bytes=100, sha256="0" * 64)
    segment = Segment(number=0, stored=init, start_ticks=0, duration_ticks=512, frames=CHUNK)
    track = Track(
        rendition="720p", codecs="avc1.64001f", timescale=12800, init=init, segments=(segment,)
    )
    return layout.receipt(job, generation, task), Receipt(
        job=job,
        generation=generation,
        task=task,
        tracks=(track,),
        worker=f"worker-of-{task}",
        started_s=ACCEPTED_S,
        finished_s=ACCEPTED_S,
        cpu_ms=1,
        source_bytes_read=1,
    )


def failure(task: str, attempt: int, *, generation: int = 1) -> Record:
    return layout.failure(JOB, generation, task, attempt), Failure(
        job=JOB,
        generation=generation,
        task=task,
        attempt=attempt,
        code="decode_failed",
        reason=f"Attempt {attempt} at {task} failed.",
        final=False,
        worker="one",
        failed_s=ACCEPTED_S,
    )


def verdict(
    state: State = "completed", *, code: str = "", reason: str = "", job: str = JOB
) -> Record:
    return layout.verdict(job), Verdict(
        job=job,
        tenant=TENANT,
        state=state,
        code=code or state,
        reason=reason,
        decided_s=ACCEPTED_S + 60,
    )


def completed(chunks: int = 2) -> list[Record]:
    """Everything that a job leaves that went well, in an order in which that may happen."""
    made = plan_of(chunks)
    return [manifest(), plan(made), *(receipt(task.id) for task in made.tasks), verdict()]


def rung(name: str, height: int) -> VideoRendition:
    return VideoRendition(
        name=name,
        width=height * 16 // 9,
        height=height,
        preset="medium",
        crf=23,
        maxrate_bps=1_000_000,
        bufsize_bits=2_000_000,
    )


SOUND = AudioRendition(
    name="audio-1",
    track=1,
    language="und",
    layout="stereo",
    group="stereo",
    sample_rate=48000,
    bitrate_bps=128_000,
    samples=384_000,
    origin=0,
    timebase_num=1,
    timebase_den=48000,
)
