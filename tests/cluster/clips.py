"""Clips for the cluster: small, with sound, and every frame unlike every other."""

from __future__ import annotations

from pathlib import Path

from tests.clips import ffmpeg


def small(path: Path, *, seconds: int) -> Path:
    """25 frames a second; with the profile `tiny` a one-segment chunk a second."""
    return _made(path, f"testsrc2=size=322x182:rate=25:duration={seconds}", seconds)


def heavy(path: Path, *, seconds: int) -> Path:
    """Noise in 720p: with the profile `toil` a second of it takes several to encode."""
    noise = f"testsrc2=size=1280x720:rate=25:duration={seconds},noise=alls=40:allf=t"
    return _made(path, noise, seconds)


def _made(path: Path, picture: str, seconds: int) -> Path:
    ffmpeg(
        "-f", "lavfi", "-i", picture,
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "40", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", str(path),
    )  # fmt: skip
    return path
