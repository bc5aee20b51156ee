"""Sound against the source's: does it start, run and end where it should?

Both are decoded by ffmpeg to few samples of one channel on the timeline whose zero is the first
presented picture (without pictures: the first sample), and correlated in windows.
"""

from __future__ import annotations

import json
import subprocess
from array import array
from collections.abc import Sequence
from fractions import Fraction
from operator import mul
from pathlib import Path

from functions.adapters import binaries

RATE = 1000
"""Samples a second that are compared; of what is so brief that little of it is deep, four times
as many."""
_BRIEF_S = 2
TOLERANCE_S = Fraction(22, 1000)
_WINDOW = 3 * RATE // 2
_REACH = RATE // 5
"""How far off a window is looked for: 0.2 s to both sides."""
_WINDOWS = 12
_LIKE = 0.4
"""At least: what is quiet and full of noise comes out of AAC at 0.48."""
_SILENCE = 40
"""Root mean square (of 32768) below which a window says nothing."""


def origin_s(source: Path) -> Fraction:
    """When the source's first picture, or without pictures its first sound, is presented."""
    for kind in ("V:0", "a:0"):
        argv = [str(binaries.ffprobe()), "-v", "error", "-of", "json", "-select_streams", kind]
        argv += ["-show_frames", "-read_intervals", "%+#60", "-show_entries", "frame=pts"]
        argv += ["-show_streams", "-show_entries", "stream=time_base", str(source)]
        read = json.loads(subprocess.run(argv, check=True, capture_output=True).stdout)
        if read.get("frames"):
            first = min(int(frame["pts"]) for frame in read["frames"])
            return first * Fraction(read["streams"][0]["time_base"])
    raise ValueError(f"{source.name} has neither picture nor sound")


def decoded(
    path: Path, stream: str, *, zero_s: Fraction, rate: int = RATE, channel: int | None = None
) -> array[int]:
    """The stream's samples from `zero_s` on; silence where there is none. All channels in one, or
    only one of them."""
    argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-copyts", "-i", str(path)]
    shift = f"asetpts=PTS-({zero_s})/TB,"
    alone = "" if channel is None else f"pan=mono|c0=c{channel},"
    argv += ["-map", stream, "-af", f"{shift}{alone}aresample={rate}:async=1:first_pts=0"]
    argv += ["-ac", "1", "-f", "s16le", "-"]
    samples = array("h")
    samples.frombytes(subprocess.run(argv, check=True, capture_output=True).stdout)
    return samples


def complaints(
    source: Path,
    playlist: Path,
    *,
    track: int,
    end_s: Fraction | None,
    frame_s: Fraction,
    channel: int | None = None,
) -> list[str]:
    """`track`: which of the source's sounds. `end_s`: when its pictures end, None without.
    `channel`: only that one of both."""
    zero_s, rate = origin_s(source), RATE
    wanted = decoded(source, f"0:a:{track}", zero_s=zero_s, channel=channel)
    if len(wanted) < _BRIEF_S * RATE:
        rate = 4 * RATE
        wanted = decoded(source, f"0:a:{track}", zero_s=zero_s, rate=rate, channel=channel)
    heard = decoded(playlist, "0:a:0", zero_s=Fraction(0), rate=rate, channel=channel)
    tolerance = int(max(TOLERANCE_S, frame_s) * rate) + 1
    found = []
    ends = {len(wanted), len(wanted) if end_s is None else int(end_s * rate)}
    if not min(ends) - tolerance <= len(heard) <= max(ends) + tolerance:
        found.append(f"ends at {len(heard) / rate:.3f} s, the source at {len(wanted) / rate:.3f} s")
    if len(heard) > len(wanted) + tolerance and _loudness(heard[len(wanted) + tolerance :]):
        found.append("goes on after the source's sound has ended")
    for start in _starts(min(len(heard), len(wanted)), rate):
        window = wanted[start : start + _WINDOW * rate // RATE]
        if not _loudness(window):
            continue
        fits = _likenesses(window, heard, start, rate)
        best = max(fits, key=fits.__getitem__)
        # A steady tone fits at many places: the right one must be as good as any.
        right = max(like for lag, like in fits.items() if abs(lag) <= tolerance)
        if right < _LIKE or right < fits[best] - 0.05:
            found.append(
                f"at {start / rate:.1f} s it is {best / rate:+.3f} s off "
                f"(likeness {fits[best]:.2f}, in place {right:.2f})"
            )
    return found


def _starts(length: int, rate: int) -> Sequence[int]:
    """Where the windows lie: spread over the whole, the first and the last at its ends."""
    window = _WINDOW * rate // RATE
    last = max(0, length - window)
    count = min(_WINDOWS, 1 + last // window)
    return sorted({last * number // max(1, count - 1) for number in range(count)} | {0, last})


def _loudness(samples: Sequence[int]) -> bool:
    energy: int = sum(map(mul, samples, samples))
    return energy > len(samples) * _SILENCE**2


def _likenesses(
    window: Sequence[int], heard: Sequence[int], start: int, rate: int
) -> dict[int, float]:
    """Normalised correlation by lag: 1 for the same, 0 for strangers."""
    found = {}
    own = sum(map(mul, window, window))
    reach = _REACH * rate // RATE
    for lag in range(-min(reach, start), reach + 1):
        other = heard[start + lag : start + lag + len(window)]
        energy = own * sum(map(mul, other, other))
        found[lag] = sum(map(mul, window, other)) / float(energy) ** 0.5 if energy else 0.0
    return found
