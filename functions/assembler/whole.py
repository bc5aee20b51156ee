"""Renditions put together from receipts, and whether the whole is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from functions.jobs.plan import Plan
from functions.jobs.receipt import Receipt
from functions.media.encoding import aac
from functions.media.encoding.rendition import AudioRendition, Rendition, VideoRendition
from functions.media.streams import hls
from functions.media.streams.join import join
from functions.media.streams.segment import Track

_TOLERANCE_S: Final = Fraction(22, 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Every rendition of a job, complete, in the plan's order."""

    video: tuple[tuple[VideoRendition, Track], ...]
    audio: tuple[tuple[AudioRendition, Track], ...]

    @property
    def tracks(self) -> tuple[tuple[Rendition, Track], ...]:
        return (*self.video, *self.audio)


def renditions_of(plan: Plan) -> tuple[Rendition, ...]:
    """Every rendition, pictures first."""
    return (*plan.video, *plan.audio)


def track_of(receipt: Receipt, rendition: str) -> Track:
    """Raises ValueError if the task left none."""
    for track in receipt.tracks:
        if track.rendition == rendition:
            return track
    raise ValueError(f"{receipt.task} left nothing of {rendition}")


def opening(plan: Plan, rendition: Rendition, track: Track) -> str:
    """The rendition's media playlist before its first segment; `track` has its init segment.

    The target duration is what the plan promises, so that it never has to change, and sound has
    that of the pictures beside it.
    """
    durations = []
    if plan.timeline is not None:
        durations = [plan.timeline.longest_segment_s]
    if not isinstance(rendition, VideoRendition):
        durations += [duration_s for _, duration_s in hls.segments_of(track)]
    return hls.opening(
        target_duration_s=hls.target_duration_s(durations), init_uri=hls.name_of(track.init)
    )


def put_together(plan: Plan, receipts: Mapping[str, Receipt]) -> Whole:
    """The renditions from the receipts of all tasks. Raises ValueError naming the broken rule."""

    def joined(rendition: Rendition, frames: int | None) -> Track:
        parts = plan.parts_of(rendition.name)
        tracks = [track_of(receipts[part.id], rendition.name) for part in parts]
        return join(tracks, frames=frames)

    video = []
    for picture in plan.video:
        assert plan.timeline is not None
        track = joined(picture, plan.timeline.frames)
        _check_picture(plan, track)
        video.append((picture, track))
    audio = []
    for sound in plan.audio:
        track = joined(sound, None)
        _check_sound(plan, sound, track)
        audio.append((sound, track))
    return Whole(video=tuple(video), audio=tuple(audio))


def _check_picture(plan: Plan, track: Track) -> None:
    assert plan.timeline is not None
    ticks = sum(segment.duration_ticks for segment in track.segments)
    if Fraction(ticks, track.timescale) != plan.timeline.duration_s:
        raise ValueError(
            f"{track.rendition}: {Fraction(ticks, track.timescale)} s of pictures, planned "
            f"{plan.timeline.duration_s} s"
        )


def _check_sound(plan: Plan, rendition: AudioRendition, track: Track) -> None:
    """What is heard ends within one picture or 22 ms of the plan, or within one AAC frame."""
    ticks = sum(segment.duration_ticks for segment in track.segments)
    heard_s = Fraction(ticks, track.timescale) - Fraction(aac.FRAME_SAMPLES, rendition.sample_rate)
    planned_s = Fraction(rendition.samples, rendition.sample_rate)
    tolerance_s = max(
        _TOLERANCE_S,
        1 / plan.timeline.rate if plan.timeline else Fraction(0),
        Fraction(aac.FRAME_SAMPLES, rendition.sample_rate),
    )
    if abs(heard_s - planned_s) > tolerance_s:
        raise ValueError(f"{track.rendition}: {heard_s} s of sound, planned {planned_s} s")
