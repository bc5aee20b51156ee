"""The plan, `plan-<generation>.json`: timeline, renditions and tasks, immutable.

What must change is the next generation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import msgspec

from functions.jobs.manifest import SourceObject
from functions.media.cutting.cost import Basis
from functions.media.cutting.timeline import Timeline
from functions.media.encoding.accelerator import CPU, Accelerator
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.encoding.treatment import AS_THEY_ARE, Treatment

MEZZANINE_TASK: Final = "m1"
"""The only task of a plan that prepares, and of no other."""
PROGRESSIVE_TASK: Final = "p1"
"""The task that a generation adds to one of which everything is done."""

Length = Literal["short", "long"]
"""`long`: by its estimated cost it will not end within what a request may take. Decided when the
plan is drawn (KINORA_LONG_TASK_S), and never again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """The binary that every task of the plan must use: inits differ between builds."""

    version: str
    sha256: str


class VideoTask(msgspec.Struct, frozen=True, kw_only=True, tag="video", tag_field="kind"):
    """A chunk, output frames [start, stop), with a group of renditions from one decode."""

    id: str
    renditions: tuple[str, ...]
    start: int
    stop: int
    first_packet: int
    stop_packet: int
    """Rows [first, stop) of the video track's table in the index, in decode order; the first is
    a sync sample. Both 0 where the whole source is fetched (no index)."""
    trim_start: int
    trim_stop: int
    """Passthrough: keep decoded frames with PTS in [start, stop), in source ticks; the last
    chunk's stop is past every frame. Resampled: output frames, same as `start` and `stop`.
    Variable: output ticks, those of `start` and `stop`."""
    repeats: tuple[tuple[int, int], ...] = ()
    """Variable: runs of whole seconds of the output, first and last, at which the picture that is
    seen then is shown again."""
    cost_ms: int
    """Estimated time of its worker: on the CPU that of its core."""
    fallback_ms: int = 0
    """The same on the CPU, of a task that is not planned for it."""
    accelerator: Accelerator = CPU
    length: Length = "short"
    since: int = 0
    """The generation that planned it first: its events and records go under that. 0: this one."""


class AudioTask(msgspec.Struct, frozen=True, kw_only=True, tag="audio", tag_field="kind"):
    """Whole audio tracks, from one reading and one decoding of each."""

    id: str
    renditions: tuple[str, ...]
    spare_bytes: int | None = None
    """Of the source, besides its own packets: so many may be read along for fewer reads. None:
    all of the source is read."""
    cost_ms: int
    accelerator: Accelerator = CPU
    length: Length = "short"
    since: int = 0
    """The generation that planned it first: its events and records go under that. 0: this one."""


class MezzanineTask(msgspec.Struct, frozen=True, kw_only=True, tag="mezzanine", tag_field="kind"):
    """Remux a source without a usable index, once, and index the result."""

    id: str
    cost_ms: int
    accelerator: Accelerator = CPU
    length: Length = "short"
    since: int = 0
    """The generation that planned it first: its events and records go under that. 0: this one."""


class ProgressiveTask(
    msgspec.Struct, frozen=True, kw_only=True, tag="progressive", tag_field="kind"
):
    """Copy a rung and a sound, whose segments are all there, into one MP4 that plays while it
    loads."""

    id: str
    video: str
    """The rendition of pictures, "" without any."""
    audio: str
    """That of sound, "" without any."""
    cost_ms: int
    accelerator: Accelerator = CPU
    length: Length = "short"
    since: int = 0
    """The generation that planned it first: its events and records go under that. 0: this one."""


Task = VideoTask | AudioTask | MezzanineTask | ProgressiveTask
Part = VideoTask | AudioTask
"""A task that makes segments."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What every function that works on the job goes by; written once a generation.

    It has no slots: what is looked up in it by name is found out once, and kept beside it.
    """

    job: str
    generation: int
    kind: Literal["prepare", "encode"]
    """`prepare`: one mezzanine task, after which the next generation is planned."""
    encoder: Fingerprint
    source: SourceObject
    """What tasks read: the job's source, or its mezzanine."""
    format: str
    """ffmpeg demuxer to force with -f, from our own sniffing."""
    index: str
    """Key of the packet index, "" where tasks fetch the whole source."""
    video_track: int
    """Index of the video stream as ffprobe counts all streams, -1 without video."""
    timeline: Timeline | None
    video: tuple[VideoRendition, ...]
    audio: tuple[AudioRendition, ...]
    tasks: tuple[Task, ...]
    """In the order in which they should start."""
    picture: Treatment = AS_THEY_ARE
    """What is done to the pictures besides scaling, for all renditions alike."""
    notes: tuple[str, ...] = ()
    """What was found odd in the source and what was done about it, for the report."""
    basis: Basis = field(default_factory=Basis)
    """What the estimates of its tasks go by."""
    takes_over: bool = False
    """True where it follows from the generation before it and not from a look into the source:
    what that one asked for and this one too is done, or under way."""

    def generation_of(self, task: Task) -> int:
        """Under which its events go and its records lie."""
        return task.since or self.generation

    def names(self) -> set[tuple[int, str]]:
        """Of its tasks within the job: generation and id."""
        return {(self.generation_of(task), task.id) for task in self.tasks}

    def has(self, generation: int, task_id: str) -> bool:
        """False for what an earlier generation asked for and this one does not."""
        task = self._by_id.get(task_id)
        return task is not None and self.generation_of(task) == generation

    def task(self, task_id: str) -> Task:
        """Raises KeyError."""
        return self._by_id[task_id]

    @property
    def makes_file(self) -> bool:
        """True of a generation with the task of a progressive file."""
        return PROGRESSIVE_TASK in self._by_id

    def parts_of(self, rendition: str) -> Sequence[Part]:
        """The tasks that make the rendition, in the order of its segments."""
        return self._parts.get(rendition, ())

    def place_of(self, part: Part, rendition: str) -> int:
        """Where it is among the parts of a rendition that it makes."""
        if isinstance(part, AudioTask):
            return 0
        return bisect_left(self.parts_of(rendition), part.start, key=_start)

    def first_segment(self, part: Part) -> int:
        """The number of the first segment that it writes in each of its renditions."""
        if isinstance(part, AudioTask) or self.timeline is None:
            return 0
        return self.timeline.segment_of(part.start)

    @cached_property
    def _by_id(self) -> Mapping[str, Task]:
        return {task.id: task for task in self.tasks}

    @cached_property
    def _parts(self) -> Mapping[str, Sequence[Part]]:
        found: dict[str, list[Part]] = {}
        for task in self.tasks:
            for name in task.renditions if isinstance(task, VideoTask | AudioTask) else ():
                found.setdefault(name, []).append(task)  # type: ignore[arg-type]
        return {name: sorted(parts, key=_start) for name, parts in found.items()}


def _start(part: Part) -> int:
    return part.start if isinstance(part, VideoTask) else 0
