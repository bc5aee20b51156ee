"""Sources for the measurements: real clips looped without a new encode, and cheap long ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from functions.adapters import binaries

REAL_CLIP = "bigbuckbunny-720p25.mp4"
MEDIA = Path(os.environ.get("KINORA_MEDIA", "../shared/media")) / "real"


def _ffmpeg(*options: str | Path) -> None:
    words = [str(option) for option in options]
    subprocess.run(
        [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-y", *words],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def looped(path: Path, *, seconds: int, clip: str = REAL_CLIP) -> Path:
    """`clip` again and again for at least `seconds`, packets copied."""
    _ffmpeg(
        "-stream_loop", "-1", "-i", MEDIA / clip, "-map", "0:v:0", "-map", "0:a:0?",
        "-c", "copy", "-t", str(seconds), path,
    )  # fmt: skip
    return path


def synthetic(path: Path, *, seconds: int, size: str = "320x180", rate: int = 25) -> Path:
    """A small moving picture with a tone, cheap to make and to encode."""
    _ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", str(rate * 2), "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", "-movflags", "+faststart", path,
    )  # fmt: skip
    return path
