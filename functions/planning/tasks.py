"""The tasks of a plan: what is cut, in what order, and what each costs where it is done.

What a GPU shall do is cut so that the CPU could do it as well, chunk by chunk: should no GPU take
it, the next generation of the plan moves whole renditions and cuts nothing anew.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from functions.jobs.plan import AudioTask, Task, VideoTask
from functions.jobs.profile import Profile
from functions.media.cutting import chunks
from functions.media.cutting.cost import Model, Treatment
from functions.media.cutting.cut import Costs, Cut
from functions.media.cutting.effort import Effort
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.windows import Chunk, Windows
from functions.media.encoding.accelerator import CPU, Accelerator
from functions.media.encoding.rendition import VideoRendition
from functions.media.source.stream import VideoStream

_FEW_SEGMENTS: Final = 2
"""For each worker: films of fewer leave some of them without work."""
_MANY_RENDITIONS: Final = 6
"""Of more not every way to make two tasks of them is tried."""
_WORTH_SHARING: Final = 0.9
"""Of the wall: what renditions apart must stay below, for what they decode twice."""


def of_film(
    line: Timeline,
    windows: Windows,
    renditions: Sequence[VideoRendition],
    sound: Sequence[AudioTask],
    video: VideoStream,
    *,
    source_share: Fraction,
    effort: Effort,
    by_ranges: bool,
    profile: Profile,
    chunk_segments: int | None,
    workers: int,
    model: Model,
    treatments: Sequence[Treatment] = (),
) -> tuple[Task, ...]:
    """The tasks of pictures and sound, in the order in which they should start.

    The renditions have one accelerator, and `workers` is how many encoders there are with it;
    sound is for those of the CPU. `source_share`: decoded frames of an output frame.
    """
    work = _Work(
        accelerator=renditions[0].accelerator,
        pixels=video.width * video.height,
        decode_ms=model.decode_ms(video.codec, video.width, video.height, treatments),
        source_share=float(source_share),
        effort=effort,
        model=model,
    )
    shared = work.accelerator == CPU
    groups, cut = _cut(
        line,
        windows if by_ranges else None,
        renditions,
        work,
        others_ms=tuple(float(task.cost_ms) for task in sound) if shared else (),
        chunk_s=profile.chunk_s,
        chunk_segments=chunk_segments,
        workers=workers,
    )
    first, *later = cut.order
    order = cut.order if shared else (first, *(-1 - at for at in range(len(sound))), *later)
    parts = [groups] * len(cut.chunks)
    for number, way in cut.shared.items():
        parts[number] = _ways(renditions, work)[way]
    if cut.early:
        low = _lowest(renditions)
        parts[0] = [[low], [each for each in renditions if each is not low]]
    tasks: list[Task] = []
    begun = [0] * len(cut.chunks)
    for number in order:
        if number < 0:
            tasks.append(sound[-1 - number])
            continue
        named = list(zip(string.ascii_lowercase, parts[number], strict=False))
        if number in cut.shared or (number == 0 and cut.early):
            named = named[begun[number] :][:1]
        begun[number] += 1
        for letter, group in named:
            suffix = f"-{letter}" if len(parts[number]) > 1 else ""
            tasks.append(
                _of_chunk(
                    f"v{number:04d}{suffix}", group, cut.chunks[number], windows, by_ranges, work
                )
            )
    return tuple(tasks)


def _cut(
    line: Timeline,
    windows: Windows | None,
    renditions: Sequence[VideoRendition],
    work: _Work,
    *,
    others_ms: tuple[float, ...],
    chunk_s: int,
    chunk_segments: int | None,
    workers: int,
) -> tuple[list[list[VideoRendition]], Cut]:
    """The renditions that are decoded for together, and the chunks of the film.

    A film of fewer segments than would keep all workers busy is shared out by renditions too,
    where that ends it sooner by more than the decoding that is done twice is worth.
    """
    groups = _groups(renditions, work, line.segment_frames)
    groupings = [groups]
    if len(groups) == 1 and line.segments < _FEW_SEGMENTS * workers and chunk_segments is None:
        most = min(workers, len(renditions))
        groupings += [_shared_out(renditions, work, count) for count in range(2, most + 1)]
    best: tuple[list[list[VideoRendition]], Cut] | None = None
    for groups in groupings:
        early, ways = None, []
        if len(groups) == 1 and len(renditions) > 1 and work.accelerator == CPU:
            low = _lowest(renditions)
            rest = [each for each in renditions if each is not low]
            ways = _ways(renditions, work)
            early = work.frame_ms([low]), work.frame_ms(rest)
        cut = chunks.cut(
            line,
            Costs(
                frame_ms=sum(work.frame_ms(group) for group in groups),
                pre_roll_ms=work.decode_ms,
                start_ms=work.model.start_ms(work.accelerator),
                others_ms=others_ms,
                parts_ms=tuple(work.frame_ms(group) for group in groups),
                early_ms=early,
                shared_ms=tuple(tuple(map(work.frame_ms, way)) for way in ways),
            ),
            workers=workers,
            chunk_s=chunk_s,
            windows=windows,
            chunk_segments=chunk_segments,
            max_task_ms=work.longest_ms(renditions),
            effort=work.effort,
            folds=work.accelerator == CPU,
        )
        if best is None or cut.wall_ms < _WORTH_SHARING * best[1].wall_ms:
            best = groups, cut
    assert best is not None
    return best


def _lowest(renditions: Sequence[VideoRendition]) -> VideoRendition:
    return min(renditions, key=lambda each: each.width * each.height)


def _ways(renditions: Sequence[VideoRendition], work: _Work) -> list[list[list[VideoRendition]]]:
    """Every way to make two tasks of the renditions, that with more work first in each; of a
    ladder with very many only those by size."""
    falling = sorted(renditions, key=lambda each: -work.frame_ms([each]))
    count = len(falling)
    if count > _MANY_RENDITIONS:
        chosen = [(1 << most) - 1 for most in range(1, count)]
    else:
        chosen = list(range(1, (1 << count) - 1, 2))
    ways = []
    for bits in chosen:
        one = [each for at, each in enumerate(falling) if bits >> at & 1]
        other = [each for at, each in enumerate(falling) if not bits >> at & 1]
        ways.append(sorted((one, other), key=lambda group: -work.frame_ms(group)))
    return ways


def _shared_out(
    renditions: Sequence[VideoRendition], work: _Work, count: int
) -> list[list[VideoRendition]]:
    """The renditions in so many groups of about equal work, that with the lowest rung first."""
    groups: list[list[VideoRendition]] = [[] for _ in range(count)]
    for each in sorted(renditions, key=lambda each: -work.frame_ms([each])):
        min(groups, key=lambda group: work.frame_ms(group) if group else 0.0).append(each)
    low = _lowest(renditions)
    return sorted(groups, key=lambda group: low not in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What encoding this source costs."""

    accelerator: Accelerator
    pixels: int
    """Of a picture of the source."""
    decode_ms: float
    source_share: float
    effort: Effort
    model: Model

    def frame_ms(self, renditions: Sequence[VideoRendition]) -> float:
        """Of an output frame in all of them, on their accelerator."""
        decode_ms = self.decode_ms * self.source_share
        return decode_ms + self.model.encode_all_ms(renditions, self.pixels)

    def chunk_ms(
        self, renditions: Sequence[VideoRendition], chunk: Chunk, pre_roll: int
    ) -> tuple[int, int]:
        """Of a chunk with so many frames decoded before it: on its accelerator, and on the CPU
        where that is another."""
        frames = self.effort.of(chunk)
        here = self.model.start_ms(self.accelerator) + frames * self.frame_ms(renditions)
        there = self.model.start_ms(CPU) + frames * self.frame_ms(_on_cpu(renditions))
        pre_roll_ms = pre_roll * self.decode_ms
        fallback_ms = 0 if self.accelerator == CPU else round(there + pre_roll_ms)
        return round(here + pre_roll_ms), fallback_ms

    def longest_ms(self, renditions: Sequence[VideoRendition]) -> float:
        """What a task may cost so that neither it nor what could stand in for it is too long."""
        if self.accelerator == CPU:
            return chunks.MAX_TASK_MS
        start_ms = self.model.start_ms(CPU)
        frames = (chunks.MAX_TASK_MS - start_ms) / self.frame_ms(_on_cpu(renditions))
        here_ms = self.model.start_ms(self.accelerator) + frames * self.frame_ms(renditions)
        return min(chunks.MAX_TASK_MS, here_ms)


def _on_cpu(renditions: Sequence[VideoRendition]) -> list[VideoRendition]:
    return [replace(rendition, accelerator=CPU) for rendition in renditions]


def _groups(
    renditions: Sequence[VideoRendition], work: _Work, segment_frames: int
) -> list[list[VideoRendition]]:
    """All renditions together, or apart where even one segment of all is too much for a task on
    the CPU."""
    groups: list[list[VideoRendition]] = [[]]
    for rendition in renditions:
        together = _on_cpu([*groups[-1], rendition])
        together_ms = work.model.encode_all_ms(together, work.pixels) * segment_frames
        if groups[-1] and together_ms > chunks.MAX_TASK_MS:
            groups.append([])
        groups[-1].append(rendition)
    return groups


def _of_chunk(
    task: str,
    renditions: Sequence[VideoRendition],
    chunk: Chunk,
    windows: Windows,
    by_ranges: bool,
    work: _Work,
) -> VideoTask:
    window = windows.of(chunk)
    cost_ms, fallback_ms = work.chunk_ms(renditions, chunk, window.pre_roll)
    return VideoTask(
        id=task,
        renditions=tuple(rendition.name for rendition in renditions),
        start=chunk.start,
        stop=chunk.stop,
        first_packet=window.first_packet if by_ranges else 0,
        stop_packet=window.stop_packet if by_ranges else 0,
        trim_start=window.trim_start,
        trim_stop=window.trim_stop,
        repeats=window.repeats,
        cost_ms=cost_ms,
        fallback_ms=fallback_ms,
        accelerator=work.accelerator,
    )
