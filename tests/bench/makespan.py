"""How long a film of two hours takes with up to a thousand encoders, by task times as they were
measured.

The planner cuts the film for each number of encoders. What tasks take beside their estimates is
taken from a real transcode, and put on the film's tasks by chance; encoders come and go through
the admission that gives out slots in an installation.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from eventing.contract import TaskReady
from functions.jobs import admission, catalogue
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.profile import Options
from functions.media.cutting import schedule
from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.media.source.stream import AudioStream, Media, VideoStream
from functions.planning.drawing import Setting, draw
from functions.planning.survey import Survey
from tests.bench import clips
from tests.bench.figure import at_most, plain
from tests.bench.transcode import transcode
from tests.fakes import ManualClock, MemoryState

ENCODERS: Final = (1, 2, 10, 100, 1000)
LIMIT: Final = 1.10
"""Of what no order beats: a fair share of all work, or the longest task."""
HOURS: Final = 2
FRAMES: Final = HOURS * 3600 * 25
MEASURED_S: Final = 60
SEED: Final = 20_261_121
"""Of the chances: each run has the same."""
QUICK: Final = """\
name = "quick"
description = "One rung that takes little: how unlike scenes are shows with it too"

[video]
preset = "veryfast"

[[video.ladder]]
height = 360
maxrate_kbps = 850
bufsize_kbps = 1700
"""
JOB: Final = "0" * 32
SOURCE: Final = SourceObject(
    bucket="uploads", key="bench/film.mp4", version="", etag="e", size_bytes=5 * 10**9
)


def measure(scratch: Path) -> list[dict[str, Any]]:
    ratios = measured(scratch)
    rows = [
        plain("tasks that were measured", float(len(ratios))),
        plain("a task beside its estimate: least", min(ratios)),
        plain("a task beside its estimate: most", max(ratios)),
    ]
    found = survey()
    for encoders in ENCODERS:
        plan = film(found, encoders)
        chances = random.Random(SEED)
        took_ms = {task.id: task.cost_ms * chances.choice(ratios) for task in plan.tasks}
        wall_ms = makespan_ms(plan, took_ms, encoders)
        least_ms = schedule.bound_ms(list(took_ms.values()), encoders)
        rows += [
            plain(f"{encoders} encoders: tasks", float(len(plan.tasks))),
            plain(f"{encoders} encoders: wall s", wall_ms / 1000),
            at_most(f"{encoders} encoders: wall, of the least there can be",
                    wall_ms / least_ms, LIMIT),
        ]  # fmt: skip
    return rows


def measured(scratch: Path) -> list[float]:
    """What the chunks of a real film took beside their estimates, the median of them being 1: a
    machine's own pace is no jitter."""
    source = clips.looped(scratch / "source.mp4", seconds=MEASURED_S)
    (scratch / "quick.toml").write_text(QUICK)
    made = transcode(
        source,
        scratch / "made",
        words=("--profile", "quick", "--chunk-segments", "1"),
        env={"KINORA_PROFILES": str(scratch)},
    )
    ratios = sorted(
        task["cpu_ms"] / max(1, task["planned_cpu_ms"])
        for task in made.report["tasks"]
        if task["kind"] == "video"
    )
    usual = ratios[len(ratios) // 2]
    return [ratio / usual for ratio in ratios]


def makespan_ms(plan: Plan, took_ms: dict[str, float], encoders: int) -> float:
    """When the last task ends, where each encoder takes what has waited longest of what was given
    a slot, and each end frees one."""
    clock = ManualClock()
    state = MemoryState(clock=clock)
    window = Window(limit=encoders + admission.SPARE_SLOTS, ttl_s=10**9)
    admission.register(state, plan, manifest(), set())
    waiting: deque[str] = deque()
    running: list[tuple[float, str]] = []
    now_ms = 0.0

    def let_in(cause: str) -> None:
        told = admission.due(state, window, ["cpu"], cause=cause)
        waiting.extend(ready.task for ready in told if isinstance(ready, TaskReady))
        while waiting and len(running) < encoders:
            task = waiting.popleft()
            heapq.heappush(running, (now_ms + took_ms[task], task))

    let_in("the plan")
    while running:
        now_ms, ended = heapq.heappop(running)
        admission.complete(state, plan, plan.task(ended))
        let_in(ended)
    return now_ms


def manifest() -> Manifest:
    return Manifest(
        job=JOB,
        tenant="bench",
        source=SOURCE,
        options=Options(),
        profile=catalogue.read([catalogue.BUILT_IN])["default"],
        accepted_s=0.0,
    )


def film(found: Survey, encoders: int) -> Plan:
    """The plan for so many."""
    setting = Setting(
        encoder=Fingerprint(version="", sha256=""), workers=encoders, bounds=guard.Bounds()
    )
    return draw(manifest(), 1, found, setting)


def survey() -> Survey:
    """A film of 1080p with stereo sound: a keyframe at each cut, two to eight seconds apart, and
    scenes that took unlike numbers of bits."""
    chances = random.Random(SEED)
    rows: list[Packet] = []
    while len(rows) < FRAMES:
        scene = chances.lognormvariate(0, 0.5)
        rows += _scene(len(rows), chances.randrange(50, 200), round(12_000 * scene))
    sound = Packets.of(
        Packet(n * 1024, n * 1024, 4 * 10**9 + n * 400, 400, sync=True)
        for n in range(HOURS * 3600 * 48_000 // 1024)
    )
    return Survey(
        source=SOURCE,
        format="mov",
        media=Media((_pictures(),), (_sound(),), 2),
        tables={
            0: Table(Packets.of(rows[:FRAMES]), complete=True, located=True),
            1: Table(sound, complete=True, located=True),
        },
        index="work/sources/bench/index",
        prepared=True,
    )


def _scene(first: int, frames: int, size_bytes: int) -> Sequence[Packet]:
    return [
        Packet(n, n, n * 20_000, size_bytes * (8 if n == first else 1), sync=n == first)
        for n in range(first, first + frames)
    ]


def _pictures() -> VideoStream:
    return VideoStream(
        index=0,
        codec="h264",
        width=1920,
        height=1080,
        sample_aspect=Fraction(1),
        rotation=0,
        pixel_format="yuv420p",
        field_order="progressive",
        color_range="tv",
        color_space="bt709",
        color_transfer="bt709",
        color_primaries="bt709",
        timebase=Fraction(1, 25),
        nominal_rate=Fraction(25),
    )


def _sound() -> AudioStream:
    return AudioStream(
        index=1,
        codec="aac",
        channels=2,
        sample_rate=48_000,
        language="und",
        timebase=Fraction(1, 48_000),
        start=0,
        duration=None,
    )
