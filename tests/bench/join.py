"""The join of a job of 10,000 tasks: what the assembler and a sweep cost in CPU, all in all.

The plan is drawn by the planner from a made-up survey, and the receipts say what encoders would
have left; nothing is encoded, and only handlers are timed. Objects lie in memory; the index once
in memory and once in SQLite, which is that of one machine.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, Event, JobCompleted, JobEncoded, TaskCompleted, TaskReady
from functions.adapters.sqlite import SqliteState
from functions.assembler.handler import Assembler
from functions.jobs import admission, layout, record
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import AudioTask, Fingerprint, Plan, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.jobs.receipt import Receipt
from functions.media.encoding import aac
from functions.media.encoding.accelerator import CPU
from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.media.source.stream import AudioStream, Media, VideoStream
from functions.media.streams.segment import Segment, Stored, Track
from functions.planning.drawing import Setting, draw
from functions.planning.survey import Survey
from functions.ports import StateStore
from functions.sweeper.handler import Sweeper
from tests.bench.figure import at_most, plain
from tests.fakes import ManualClock, MemoryState, MemoryStore, MemoryUploads

TASKS: Final = 10_000
SEGMENT_FRAMES: Final = 50
WORKERS: Final = 1000
JOIN_S: Final = 10.0
SWEEP_S: Final = 1.0
ASSEMBLY_MB: Final = 150.0
"""Of the 256 that an assembler may have."""
T = TypeVar("T")
PROFILE: Final = Profile(
    name="many",
    segment_s=2,
    video=VideoProfile(
        ladder=tuple(
            Rung(height=height, maxrate_kbps=height * 4, bufsize_kbps=height * 8)
            for height in (720, 540, 360, 240)
        )
    ),
)
CODECS: Final = "avc1.64001f"


def measure(scratch: Path) -> list[dict[str, Any]]:
    state = SqliteState(scratch / "state.sqlite")
    try:
        in_memory = Joined(MemoryState()).run()
        in_sqlite = Joined(state).run()
    finally:
        state.close()
    weighed = Joined(MemoryState(), weighed=True).run()
    return [
        plain("join: tasks", float(in_memory.tasks)),
        plain("join: segments", float(in_memory.segments)),
        at_most("join of 10,000 tasks, CPU seconds in all", in_memory.cpu_s, JOIN_S),
        plain("join: of it the last assembly", in_memory.assembly_s),
        at_most("join of 10,000 tasks, CPU seconds in all, SQLite", in_sqlite.cpu_s, JOIN_S),
        at_most("join: MB at the peak of the last assembly", weighed.assembly_mb, ASSEMBLY_MB),
        at_most("sweep over it half done, CPU seconds", in_memory.sweep_s, SWEEP_S),
        at_most("sweep over it half done, CPU seconds, SQLite", in_sqlite.sweep_s, SWEEP_S),
    ]


def drawn(tasks: int = TASKS) -> tuple[Manifest, Plan]:
    """A film of as many segments as make so many tasks, cut at each."""
    frames = (tasks - 1) * SEGMENT_FRAMES
    source = SourceObject(bucket="uploads", key="t/f", version="", etag="e", size_bytes=10**10)
    manifest = Manifest(
        job="0" * 32,
        tenant="t",
        source=source,
        options=Options(chunk_segments=1),
        profile=PROFILE,
        accepted_s=ManualClock()(),
    )
    video = VideoStream(
        index=0, codec="h264", width=1280, height=720, sample_aspect=Fraction(1), rotation=0,
        pixel_format="yuv420p", field_order="progressive", color_range="", color_space="",
        color_transfer="", color_primaries="", timebase=Fraction(1, 25),
        nominal_rate=Fraction(25),
    )  # fmt: skip
    audio = AudioStream(
        index=1, codec="aac", channels=2, sample_rate=48_000, language="deu",
        timebase=Fraction(1, 48_000), start=0, duration=frames * 1920,
    )  # fmt: skip
    table = Table(
        Packets.of(Packet(n, n, n * 1000, 900, n % SEGMENT_FRAMES == 0) for n in range(frames)),
        complete=True,
        located=True,
    )
    sound = Table(Packets.of([Packet(0, 0, 0, 900, True)]), complete=True, located=True)
    survey = Survey(
        source=source,
        format="mov",
        media=Media((video,), (audio,), 2),
        tables={0: table, 1: sound},
        index="work/sources/x/index",
        prepared=True,
    )
    setting = Setting(
        encoder=Fingerprint(version="9", sha256="0" * 64),
        workers=WORKERS,
        bounds=guard.Bounds(),
    )
    return manifest, draw(manifest, 1, survey, setting)


def receipts(plan: Plan) -> Iterator[Receipt]:
    """What each task left, as far as it can be told from the plan."""
    for task in plan.tasks:
        if isinstance(task, VideoTask):
            tracks = tuple(_pictures(plan, task, name) for name in task.renditions)
        else:
            assert isinstance(task, AudioTask)
            tracks = tuple(_sound(plan, name) for name in task.renditions)
        yield Receipt(
            job=plan.job,
            generation=plan.generation,
            task=task.id,
            tracks=tracks,
            worker="w",
            started_s=0.0,
            finished_s=1.0,
            cpu_ms=1000,
            source_bytes_read=1000,
        )


def _pictures(plan: Plan, task: VideoTask, name: str) -> Track:
    line = plan.timeline
    assert line is not None
    first, stop = line.segment_of(task.start), line.segment_of(task.stop - 1) + 1
    return Track(
        rendition=name,
        codecs=CODECS,
        timescale=line.timescale,
        init=_stored(layout.init_segment(plan.job, name, _sha(name))),
        segments=tuple(
            Segment(
                number=number,
                stored=_stored(
                    layout.media_segment(plan.job, name, number, _sha(f"{name}{number}"))
                ),
                start_ticks=line.ticks_of(line.start_of(number)),
                duration_ticks=line.segment_ticks(number),
                frames=line.start_of(number + 1) - line.start_of(number),
            )
            for number in range(first, stop)
        ),
    )


def _sound(plan: Plan, name: str) -> Track:
    (sound,) = plan.audio
    step, end = aac.segment_frames(sound) * 1024, sound.samples + 1024
    return Track(
        rendition=name,
        codecs="mp4a.40.2",
        timescale=sound.sample_rate,
        init=_stored(layout.init_segment(plan.job, name, _sha(name))),
        segments=tuple(
            Segment(
                number=number,
                stored=_stored(
                    layout.media_segment(plan.job, name, number, _sha(f"{name}{number}"))
                ),
                start_ticks=start,
                duration_ticks=min(step, end - start),
                frames=-(-min(step, end - start) // 1024),
            )
            for number, start in enumerate(range(0, end, step))
        ),
    )


def _stored(key: str) -> Stored:
    return Stored(key=key, size_bytes=100_000 + int(_sha(key)[:4], 16), sha256=_sha(key))


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class Joined:
    """A job from its plan to its verdict, its tasks done in an order of nobody's choosing."""

    state: StateStore
    weighed: bool = False
    """Memory is watched, which takes time."""
    tasks: int = 0
    segments: int = 0
    cpu_s: float = 0.0
    assembly_s: float = 0.0
    assembly_mb: float = 0.0
    sweep_s: float = 0.0
    _clock: ManualClock = field(default_factory=ManualClock)

    def run(self, tasks: int = TASKS) -> Joined:
        manifest, plan = drawn(tasks)
        store = MemoryStore(clock=self._clock)
        store.put(layout.open_marker(plan.job), b"")
        store.put(layout.manifest(plan.job), record.dump(manifest))
        store.put(layout.plan(plan.job, 1), record.dump(plan))
        made = {each.task: each for each in receipts(plan)}
        self.tasks = len(plan.tasks)
        self.segments = sum(len(t.segments) for each in made.values() for t in each.tracks)
        window = Window(limit=WORKERS)
        assembler = Assembler(
            store=store, state=self.state, clock=self._clock, worker="w", window=window
        )
        self._timed(lambda: admission.register(self.state, plan, manifest, set()))
        due = self._timed(lambda: [*admission.due(self.state, window, [CPU], cause="plan")])
        chance, done = random.Random(1), 0
        ended: list[JobEncoded] = []
        while due:
            # Encoders end in about the order in which they began.
            ready = due.pop(chance.randrange(len(due)))
            receipt = made[ready.task]
            store.put(layout.receipt(plan.job, 1, ready.task), record.dump(receipt))
            completed = TaskCompleted(job=plan.job, generation=1, task=ready.task)
            told = self._timed(partial(_all, assembler.task_completed, completed))
            due += [each for each in told if isinstance(each, TaskReady)]
            ended += [each for each in told if isinstance(each, JobEncoded)]
            done += 1
            if done == self.tasks // 2:
                self._sweep(store, window)
        (encoded,) = ended
        if self.weighed:
            tracemalloc.start()
        before_s = self.cpu_s
        told = self._timed(partial(_all, assembler.job_encoded, encoded))
        self.assembly_s = self.cpu_s - before_s
        if self.weighed:
            self.assembly_mb = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
        assert isinstance(told[-1], JobCompleted), told
        return self

    def _timed(self, act: Callable[[], T]) -> T:
        began_s = time.process_time()
        told = act()
        self.cpu_s += time.process_time() - began_s
        return told

    def _sweep(self, store: MemoryStore, window: Window) -> None:
        sweeper = Sweeper(
            store=store,
            state=self.state,
            uploads=MemoryUploads(store),
            clock=self._clock,
            window=window,
        )
        began_s = time.process_time()
        list(sweeper.tick(CloudEvent(id="1", source="/ping", type=TICK)))
        self.sweep_s = time.process_time() - began_s


def _all(handle: Callable[[Any], Iterator[Event]], event: Event) -> list[Event]:
    return list(handle(event))
