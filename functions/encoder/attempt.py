"""One attempt at one task: fetch, run ffmpeg, hold what it left against the plan, put it.

Everything that can be wrong ends as one of three: `Failed` (the task's own fault), `Unavailable`
(something outside), `CalledOff` (not wanted any more).
"""

from __future__ import annotations

import functools
import logging
import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from eventing import telemetry
from functions.encoder import outcome, upload
from functions.encoder.fetch import Copy
from functions.encoder.outcome import Failed
from functions.encoder.watch import Watch
from functions.jobs.plan import AudioTask, Plan, VideoTask
from functions.media.cutting import loss
from functions.media.cutting.timeline import Timeline
from functions.media.encoding import aac, pictures, sounds
from functions.media.encoding import argv as words
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams import fragmented, gate
from functions.media.streams.fragmented import Fragmented
from functions.media.streams.segment import Track
from functions.ports import Clock, Finished, Limits, ObjectStore, Process

SPARE_BYTES = 32 << 20
CPU_FACTOR = 20
"""How far a task may exceed its estimate: estimates are for a plain source and a quick machine."""
CPU_LEAST_S = 120.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Attempt:
    store: ObjectStore
    process: Process
    clock: Clock
    ffmpeg: str
    tuning: words.Tuning
    memory_bytes: int
    maps_more: bool
    """See `Limits`."""
    stall_s: float
    ends_s: float
    """POSIX time at which the attempt has to be over."""
    plan: Plan
    folder: Path
    watch: Watch
    copy: Copy
    cpu_s: float = 0.0
    """Of the programs run so far."""
    lost: int = 0
    """See `Receipt`."""

    def video(self, task: VideoTask) -> tuple[Track, ...]:
        """Encode a chunk. One that comes out wrong is decoded once more from a larger part of the
        source, at last from all of it: slower, and independent of index and seeking.

        Of a resampled one pictures may be lost, if another way of reading it loses as many.
        """
        timeline = self.plan.timeline
        if timeline is None:
            raise Failed("output_invalid", problem="a video task without a timeline")
        renditions = [self._video(name) for name in task.renditions]
        made = self._encode_until_right(task, timeline, renditions)
        self.lost = made.lost
        return tuple(
            self._put(rendition.name, output, file, timeline.segment_of(task.start))
            for rendition, output, file in zip(renditions, made.outputs, made.files, strict=True)
        )

    def audio(self, task: AudioTask) -> tuple[Track, ...]:
        """Encode whole audio tracks."""
        renditions = [self._audio(name) for name in task.renditions]
        source = self.copy.fetch_sound(task, {each.track for each in renditions})
        argv = sounds.argv(self.ffmpeg, source=source, renditions=renditions, tuning=self.tuning)
        first = renditions[0]
        # AAC needs at most 768 bytes a frame and channel (ISO/IEC 14496-3, 4.5.3).
        most_bytes = max(aac.frames(each) * each.channels * 1024 for each in renditions)
        self.watch.samples_per_s = first.sample_rate
        with telemetry.span(
            "encode",
            renditions=",".join(task.renditions),
            seconds=first.samples / first.sample_rate,
        ):
            outcome.check(self.run(argv, task.cost_ms, most_bytes + SPARE_BYTES), "audio")
        outputs = [
            self._read(number, aac.frames(each), functools.partial(_check_audio, each))
            for number, each in enumerate(renditions)
        ]
        return tuple(
            self._put(each.name, output, self._file(number), 0)
            for number, (each, output) in enumerate(zip(renditions, outputs, strict=True))
        )

    def run(self, argv: Sequence[str], cost_ms: int, output_bytes: int) -> Finished:
        """Run a program in the task's folder, within what is left of the attempt's time."""
        self.watch.beat()
        finished = self.process(
            argv,
            limits=Limits(
                wall_s=max(1.0, self.ends_s - self.clock()),
                cpu_s=max(CPU_LEAST_S, CPU_FACTOR * cost_ms / 1000),
                memory_bytes=self.memory_bytes,
                output_bytes=output_bytes,
                stall_s=self.stall_s,
                maps_more=self.maps_more,
            ),
            cwd=self.folder,
            on_progress=self.watch.see,
        )
        self.cpu_s += finished.cpu_s
        return finished

    def _encode_until_right(
        self, task: VideoTask, timeline: Timeline, renditions: Sequence[VideoRendition]
    ) -> _Made:
        failed: Failed | None = None
        best: _Made | None = None
        for source in self.copy.chunk(task):
            if problem := failed or (best and f"{best.lost} pictures lost"):
                _log.warning("task %s: %s; again from more of the source", task.id, problem)
            try:
                made = self._encode(task, timeline, renditions, source)
            except Failed as error:
                if best is not None:
                    break
                if error.code not in ("frames_missing", "decode_failed"):
                    raise
                failed = error
                continue
            if not made.lost:
                return made
            if best is not None and made.lost >= best.lost:
                # It is the source that lacks them, not the way it is read.
                break
            best = made.kept()
        if best is not None:
            return best
        assert failed is not None
        raise failed

    def _encode(
        self,
        task: VideoTask,
        timeline: Timeline,
        renditions: Sequence[VideoRendition],
        source: words.Source,
    ) -> _Made:
        argv = pictures.argv(
            self.ffmpeg,
            source=source,
            track=source.stream(self.plan.video_track),
            timeline=timeline,
            cut=pictures.Cut(
                start=task.start,
                trim_start=task.trim_start,
                trim_stop=task.trim_stop,
                tail=self._tail(timeline, task.stop),
                repeats=task.repeats,
            ),
            renditions=renditions,
            tuning=self.tuning,
            treatment=self.plan.picture,
        )
        frames = task.stop - task.start
        ticks = timeline.ticks_of(task.stop) - timeline.ticks_of(task.start)
        duration_s = Fraction(ticks, timeline.timescale)
        most_bytes = max(_most_bytes(each, duration_s) for each in renditions)
        with telemetry.span("encode", renditions=",".join(task.renditions), frames=frames):
            outcome.check(self.run(argv, task.cost_ms, most_bytes), "video")
        outputs = [
            self._read(
                number,
                frames,
                lambda read: gate.check_video(read, timeline, task.start, task.stop),
            )
            for number in range(len(renditions))
        ]
        files = [self._file(number) for number in range(len(renditions))]
        return _Made(outputs, files, self._lost(task, timeline))

    def _lost(self, task: VideoTask, timeline: Timeline) -> int:
        """Pictures that the program repeated others for."""
        shown = self.folder / words.SHOWN
        if not timeline.resampled or not shown.exists():
            return 0
        listed = shown.read_text("ascii", errors="replace")
        found = loss.of(timeline, self.copy.presented, task.start, task.stop, listed)
        if not found.tolerable:
            raise Failed("frames_missing", final=True, found=found.shown, planned=found.planned)
        return found.lost

    def _tail(self, timeline: Timeline, stop: int) -> int:
        """Output frames before `stop` and after the one in which the source's last frame first
        shows: of slides that is more than a chunk."""
        if not timeline.resampled:
            return 0
        if not self.copy.presented:
            return stop
        return max(0, stop - 1 - timeline.slots.of(max(self.copy.presented)))

    def _read(self, number: int, planned: int, check: Callable[[Fragmented], None]) -> Fragmented:
        """What the program left as its n-th output, if it is what was planned."""
        file = self._file(number)
        if not file.exists() or file.stat().st_size == 0:
            raise Failed("frames_missing", final=True, found=0, planned=planned)
        try:
            with (
                file.open("rb") as opened,
                mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data,
            ):
                read = fragmented.read(data)
            check(read)
        except gate.FramesMissing as error:
            raise Failed(
                "frames_missing", final=True, found=error.found, planned=error.planned
            ) from error
        except ValueError as error:
            raise Failed("output_invalid", problem=str(error)) from error
        return read

    def _file(self, number: int) -> Path:
        return self.folder / words.output(number)

    def _put(self, rendition: str, output: Fragmented, file: Path, first: int) -> Track:
        return upload.track(
            self.store,
            self.plan.job,
            rendition,
            output,
            file,
            first_segment=first,
            beat=self.watch.beat,
        )

    def _video(self, name: str) -> VideoRendition:
        for rendition in self.plan.video:
            if rendition.name == name:
                return rendition
        raise Failed("output_invalid", final=True, problem=f"no rendition {name} in the plan")

    def _audio(self, name: str) -> AudioRendition:
        for rendition in self.plan.audio:
            if rendition.name == name:
                return rendition
        raise Failed("output_invalid", final=True, problem=f"no rendition {name} in the plan")


@dataclass(frozen=True, slots=True)
class _Made:
    """A chunk that is in time and in place."""

    outputs: Sequence[Fragmented]
    files: Sequence[Path]
    lost: int

    def kept(self) -> _Made:
        """The same where the next attempt does not write over it."""
        files = [file.rename(file.with_name(f"kept-{file.name}")) for file in self.files]
        return replace(self, files=files)


def _check_audio(rendition: AudioRendition, output: Fragmented) -> None:
    gate.check_audio(output, rendition)


def _most_bytes(rendition: VideoRendition, duration_s: Fraction) -> int:
    """What no encode within its rate control comes near."""
    return int((2 * rendition.maxrate_bps * duration_s + rendition.bufsize_bits) / 8) + SPARE_BYTES
