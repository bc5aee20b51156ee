"""The gate of a whole rendition: what its tasks left fits together, to the tick."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from functions.media.streams.segment import Track


def join(tracks: Sequence[Track], *, frames: int | None) -> Track:
    """One rendition from the tracks that its tasks left, in whatever order they come.

    Raises ValueError, naming the rule, unless all have one init segment, the segments are numbered
    from 0 without a gap or a repeat, time runs from 0 without a gap or an overlap, and the frames
    are `frames` in total (None: not planned to the frame).
    """
    if not tracks:
        raise ValueError("no track to join")
    first = tracks[0]
    name = first.rendition
    for each in tracks:
        if each.rendition != name:
            raise ValueError(f"{name}: a track of {each.rendition} among its own")
        if each.init.sha256 != first.init.sha256:
            raise ValueError(
                f"{name}: one init segment a rendition, but {first.init.sha256[:16]} "
                f"and {each.init.sha256[:16]}"
            )
        if (each.codecs, each.timescale) != (first.codecs, first.timescale):
            raise ValueError(f"{name}: tracks differ in codecs or timescale")
    segments = sorted(
        (segment for track in tracks for segment in track.segments), key=lambda each: each.number
    )
    if not segments:
        raise ValueError(f"{name}: no segment")
    for number, segment in enumerate(segments):
        if segment.number != number:
            what = "twice" if segment.number < number else "missing"
            raise ValueError(f"{name}: segment {min(number, segment.number)} is {what}")
        if segment.duration_ticks <= 0 or segment.frames <= 0:
            raise ValueError(f"{name}: segment {number} is empty")
    if segments[0].start_ticks != 0:
        raise ValueError(f"{name}: time starts at {segments[0].start_ticks} ticks, not at 0")
    for one, following in pairwise(segments):
        end_ticks = one.start_ticks + one.duration_ticks
        if following.start_ticks != end_ticks:
            raise ValueError(
                f"{name}: segment {following.number} starts at {following.start_ticks} ticks, "
                f"but the one before ends at {end_ticks}"
            )
    total = sum(segment.frames for segment in segments)
    if frames is not None and total != frames:
        raise ValueError(f"{name}: {total} frames, planned {frames}")
    return Track(
        rendition=name,
        codecs=first.codecs,
        timescale=first.timescale,
        init=first.init,
        segments=tuple(segments),
    )
