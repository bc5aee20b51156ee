"""Bit rates as manifests promise them, in bits a second, rounded up."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams.segment import Track


def average_bps(track: Track) -> int:
    """All segments over all their time (RFC 8216bis: average segment bit rate)."""
    size_bits = sum(8 * segment.stored.size_bytes for segment in track.segments)
    ticks = sum(segment.duration_ticks for segment in track.segments)
    return ceil(Fraction(size_bits * track.timescale, ticks))


def peak_bps(track: Track, *, target_duration_s: int) -> int:
    """RFC 8216bis, peak segment bit rate: the largest over any contiguous segments that take
    between 0.5 and 1.5 target durations; of a track shorter than that, over all of it."""
    target_ticks = target_duration_s * track.timescale
    # Bits and ticks apart: a long film has tens of thousands of segments.
    most_bits, most_ticks = 0, 1
    for first in range(len(track.segments)):
        size_bits = ticks = 0
        for segment in track.segments[first:]:
            size_bits += 8 * segment.stored.size_bytes
            ticks += segment.duration_ticks
            if 2 * ticks > 3 * target_ticks:
                break
            if 2 * ticks >= target_ticks and size_bits * most_ticks > most_bits * ticks:
                most_bits, most_ticks = size_bits, ticks
    return -(-most_bits * track.timescale // most_ticks) if most_bits else average_bps(track)


def steady_bps(track: Track, *, buffer_s: Fraction) -> int:
    """ISO/IEC 23009-1, 5.3.5.2 (`@bandwidth`): a channel of this rate, begun at any segment,
    has each segment there in time when playback starts `buffer_s` later.

    `buffer_s` is at least as long as the longest segment. Then it suffices that every segment
    arrives within its own duration, and the last one, however short, within the buffer.
    """
    *most, last = track.segments
    # A maximum of numbers rounded up is the maximum rounded up.
    rates = [
        -(-8 * segment.stored.size_bytes * track.timescale // segment.duration_ticks)
        for segment in most
    ]
    return max([*rates, ceil(8 * last.stored.size_bytes / buffer_s)])


def declared_bps(rendition: VideoRendition | AudioRendition, *, window_s: int) -> int:
    """What the rendition's settings allow within a window: for video, the rate and one full
    buffer; a twentieth more for the container and for sound that is not quite constant."""
    match rendition:
        case VideoRendition():
            rate = rendition.maxrate_bps + Fraction(rendition.bufsize_bits, window_s)
        case AudioRendition():
            rate = Fraction(rendition.bitrate_bps)
    return ceil(rate * Fraction(21, 20))
