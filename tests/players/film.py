"""Films whose every picture bears its number, as blocks that a machine reads from any small copy.

The topmost quarter is 16 columns: white, black, twelve bits with the highest first, whether their
ones are odd in number, and the opposite of that. `page.js` reads it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

from functions.adapters import binaries

BITS: Final = 12
COLUMNS: Final = 16
WIDTH: Final = 256
HEIGHT: Final = 144


def code(number: int) -> bytes:
    """One row of gray pixels, a column each."""
    bits = [number >> place & 1 for place in reversed(range(BITS))]
    odd = sum(bits) % 2
    return bytes(255 * bit for bit in (1, 0, *bits, odd, 1 - odd))


def make(
    path: Path,
    numbers: Sequence[int],
    *,
    rate: Fraction,
    sound_s: Fraction | None = Fraction(0),
    chosen: str = "",
) -> Path:
    """Write the film: pictures with these numbers, evenly apart, and a beep with each second.

    Sound begins at `sound_s` (below 0: before the first picture; None: there is none) and ends with
    the pictures. `chosen`: a condition of ffmpeg's on `n`; pictures that do not meet it are left
    away and the others stay at their times.
    """
    after_s = max(-(sound_s or Fraction(0)), Fraction(0))
    argv = [str(binaries.ffmpeg()), "-v", "error", "-y", "-itsoffset", _decimal(after_s)]
    argv += ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", f"{COLUMNS}x1"]
    argv += ["-framerate", str(rate), "-i", "pipe:0"]
    graph = (
        f"[0]scale={WIDTH}:{HEIGHT // 4}:flags=neighbor,format=yuv420p[code];"
        f"testsrc2=size={WIDTH}x{HEIGHT - HEIGHT // 4}:rate={rate},format=yuv420p,"
        f"setpts=PTS+{_decimal(after_s)}/TB[film];"
        "[code][film]vstack=shortest=1" + (f",select='{chosen}'" if chosen else "") + "[v]"
    )
    if sound_s is not None:
        late_s = max(sound_s, Fraction(0))
        length_s = len(numbers) / rate - sound_s
        beep = f"0.4*sin(2*PI*880*t)*lt(mod(t+{_decimal(sound_s % 1)}\\,1)\\,0.1)"
        argv += ["-itsoffset", _decimal(late_s), "-f", "lavfi", "-t", _decimal(length_s)]
        argv += ["-i", f"aevalsrc={beep}:sample_rate=48000", "-map", "1:a", "-c:a", "aac"]
    argv += ["-filter_complex", graph, "-map", "[v]", "-fps_mode", "passthrough"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", str(path)]
    subprocess.run(argv, input=b"".join(map(code, numbers)), check=True)
    return path


def _decimal(seconds: Fraction) -> str:
    return f"{float(seconds):.6f}"
