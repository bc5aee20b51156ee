"""The gate of one task: what the encoder left is what the plan says, to the frame and the tick.

An encoder's exit code proves nothing. Every function raises ValueError, naming the rule that
broke; FramesMissing where the number of frames is not the planned one.
"""

from __future__ import annotations

from functions.media.cutting.timeline import Timeline
from functions.media.encoding import aac
from functions.media.encoding.rendition import AudioRendition
from functions.media.streams.fragmented import Fragment, Fragmented


class FramesMissing(ValueError):
    """The encoder got another number of frames out of the source than were planned."""

    def __init__(self, found: int, planned: int) -> None:
        super().__init__(f"{found} frames instead of {planned}")
        self.found = found
        self.planned = planned


def check_video(output: Fragmented, timeline: Timeline, start: int, stop: int) -> None:
    """Output frames [start, stop) of one rendition: whole segments, sync, in place."""
    planned = stop - start
    found = sum(fragment.samples for fragment in output.fragments)
    if found != planned:
        raise FramesMissing(found, planned)
    if output.init.timescale != timeline.timescale:
        raise ValueError(f"timescale {output.init.timescale} instead of {timeline.timescale}")
    if output.init.edits:
        raise ValueError("an edit list in a video init segment")
    for frame in (start, stop):
        if not timeline.starts(frame):
            raise ValueError(f"frame {frame} does not start a segment")
    frame = start
    for number, fragment in enumerate(output.fragments, timeline.segment_of(start)):
        frames = timeline.start_of(number + 1) - frame
        if fragment.samples != frames:
            raise ValueError(f"segment {number}: {fragment.samples} frames instead of {frames}")
        _check_time(
            number,
            fragment,
            start=timeline.ticks_of(frame),
            duration=timeline.segment_ticks(number),
        )
        if fragment.first_composition_offset != 0:
            raise ValueError(
                f"segment {number}: first composition offset {fragment.first_composition_offset}"
            )
        frame += frames


def check_audio(output: Fragmented, rendition: AudioRendition) -> None:
    """One whole audio track: priming, then exactly the planned samples."""
    planned = aac.frames(rendition)
    found = sum(fragment.samples for fragment in output.fragments)
    if found != planned:
        raise FramesMissing(found, planned)
    if output.init.timescale != rendition.sample_rate:
        raise ValueError(f"timescale {output.init.timescale} instead of {rendition.sample_rate}")
    if [edit.media_time for edit in output.init.edits] != [aac.FRAME_SAMPLES]:
        raise ValueError(f"an edit list that does not skip {aac.FRAME_SAMPLES} samples of priming")
    most = aac.segment_frames(rendition)
    left = aac.FRAME_SAMPLES + rendition.samples
    start = 0
    for number, fragment in enumerate(output.fragments):
        duration = min(most * aac.FRAME_SAMPLES, left)
        frames = -(-duration // aac.FRAME_SAMPLES)
        if fragment.samples != frames:
            raise ValueError(f"segment {number}: {fragment.samples} frames instead of {frames}")
        _check_time(number, fragment, start=start, duration=duration)
        start += duration
        left -= duration


def _check_time(number: int, fragment: Fragment, *, start: int, duration: int) -> None:
    if not fragment.sync:
        raise ValueError(f"segment {number} does not start with a sync sample")
    if fragment.decode_time != start:
        raise ValueError(f"segment {number} starts at {fragment.decode_time} instead of {start}")
    if fragment.duration != duration:
        raise ValueError(f"segment {number} lasts {fragment.duration} instead of {duration}")
