"""Sources for the measurements: real clips looped without a new encode, and cheap long ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from functions.adapters import binaries

REAL_CLIP = "bigbuckbunny-720p25.mp4"
REAL_1080P = "sample_edit_list.mp4"
MEDIA = Path(os.environ.get("KINORA_MEDIA", "../shared/media")) / "real"


def _ffmpeg(*options: str | Path) -> None:
    words = [str(option) for option in options]
    subprocess.run(
        [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-y", *words],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def looped(path: Path, *, seconds: int, clip: str = REAL_CLIP) -> Path:
    """`clip` again and again for `seconds`, packets copied.

    Picture and sound loop apart: they differ in length, and together one would leave a gap at
    every turn, which makes another kind of source of it.
    """
    parts: list[str | Path] = []
    for kind in ("v", "a"):
        part = path.with_name(f"{path.stem}-{kind}.mp4")
        _ffmpeg("-i", MEDIA / clip, "-map", f"0:{kind}:0", "-c", "copy", part)
        parts += ["-stream_loop", "-1", "-i", part]
    _ffmpeg(*parts, "-map", "0:v", "-map", "1:a", "-c", "copy", "-t", str(seconds), path)
    return path


def looped_1080p(path: Path, *, seconds: int) -> Path:
    """A camera's 1080p, once encoded lying and at a constant rate, then again and again.

    Its light is told to be that of television, so that there is nothing to do to it but what one
    plain ffmpeg does as well.
    """
    steady = path.with_name(f"{path.stem}-steady.mp4")
    plain = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709,sidedata=delete"
    _ffmpeg(
        "-display_rotation:v", "0", "-i", MEDIA / REAL_1080P, "-map", "0:v:0",
        "-vf", f"fps=30,format=yuv420p,{plain}",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-g", "60", steady,
    )  # fmt: skip
    sound = looped(path.with_name(f"{path.stem}-other.mp4"), seconds=seconds)
    _ffmpeg(
        "-stream_loop", "-1", "-i", steady, "-i", sound, "-map", "0:v", "-map", "1:a",
        "-c", "copy", "-t", str(seconds), path,
    )  # fmt: skip
    return path


def track_bytes(source: Path, stream: str) -> int:
    """What the packets of a stream hold together."""
    ran = subprocess.run(
        [str(binaries.ffprobe()), "-v", "error", "-select_streams", stream,
         "-show_entries", "packet=size", "-of", "csv=p=0", str(source)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sum(int(line.split(",")[0]) for line in ran.stdout.split() if line)


def synthetic(path: Path, *, seconds: int, size: str = "320x180", rate: int = 25) -> Path:
    """A small moving picture with a tone, cheap to make and to encode."""
    _ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", str(rate * 2), "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", "-movflags", "+faststart", path,
    )  # fmt: skip
    return path
