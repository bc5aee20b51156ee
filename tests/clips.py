"""Small clips with one property each, made by ffmpeg, and what its decoder says of them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from functions.adapters import binaries

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p")
CLIPS: dict[str, tuple[str, ...]] = {
    "closed.mp4": (*X264, "-bf", "3", "-g", "50"),
    "open.mp4": (*X264, "-bf", "3", "-g", "40", "-x264-params", "open-gop=1:b-pyramid=normal"),
    "open-hevc.mp4": (
        *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-tag:v", "hvc1"),
        *("-x265-params", "log-level=none:open-gop=1:keyint=40:bframes=4"),
    ),
    "open-mpeg2.mov": ("-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-b:v", "1M"),
    "one-group.mp4": (*X264, "-bf", "2", "-g", "9999"),
    "intra.mov": ("-c:v", "mjpeg", "-q:v", "8"),
    "faststart.mp4": (*X264, "-bf", "2", "-g", "50", "-movflags", "+faststart"),
    "holes.mp4": (*X264, "-bf", "2", "-g", "50", "-vf", "select='gt(random(1),0.35)'",
                  "-fps_mode", "vfr"),
    "jitter.mp4": (*X264, "-bf", "2", "-g", "50",
                   "-vf", "settb=1/90000,setpts='PTS+2000*(random(2)-0.5)'",
                   "-fps_mode", "passthrough", "-enc_time_base", "1/90000",
                   "-video_track_timescale", "90000"),
    "fast.mp4": (*X264, "-bf", "3", "-vf", "settb=1/120,setpts=N", "-r", "120"),
    "bursts.mp4": (*X264, "-bf", "0", "-g", "30",
                   "-vf", "settb=1/1000,setpts='N*7+if(mod(floor(N/20),3),0,331)*floor(N/20)'",
                   "-fps_mode", "passthrough", "-enc_time_base", "1/1000",
                   "-video_track_timescale", "1000"),
}  # fmt: skip


def make_clip(name: str, folder: Path, *, seconds: float = 4.0) -> Path:
    """The clip of that name: moving test picture at 30 frames a second before its options."""
    path = folder / name
    # The noise makes every frame unlike every other.
    source = f"testsrc2=s=128x72:r=30:d={seconds},noise=alls=60:allf=t"
    ffmpeg("-f", "lavfi", "-i", source, *CLIPS[name], f"file:{path}")
    return path


def cut_clip(clip: Path, folder: Path, *, start_s: float) -> Path:
    """The clip from a time between two keyframes on, copied: it has an edit list."""
    path = folder / f"cut-{clip.name}"
    ffmpeg("-ss", str(start_s), "-i", f"file:{clip}", "-c", "copy", f"file:{path}")
    return path


def joined(parts: Sequence[Path], folder: Path) -> Path:
    """Transport streams, one behind the other, as one MP4."""
    stream, clip = folder / "joined.ts", folder / "clip.mp4"
    stream.write_bytes(b"".join(part.read_bytes() for part in parts))
    ffmpeg("-i", f"file:{stream}", "-c", "copy", f"file:{clip}")
    return clip


def ffmpeg(*options: str) -> bytes:
    """Run ffmpeg; what it wrote to stdout. Raises CalledProcessError."""
    argv = [str(binaries.ffmpeg()), "-v", "error", "-nostdin", "-y", *options]
    return subprocess.run(argv, capture_output=True, check=True).stdout


def frame_sums(*options: str) -> list[tuple[int, str]]:
    """Time in ticks and digest of every frame that `options` (input, map, filters) lead to."""
    said = ffmpeg(
        *options, "-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framemd5", "-"
    ).decode()
    lines = [line.split(",") for line in said.splitlines() if line and not line.startswith("#")]
    return [(int(fields[2]), fields[-1].strip()) for fields in lines]


def count_frames(*options: str, filters: str = "") -> int:
    """How many frames a decoder gives out for `options` (input, map)."""
    chain = ",".join(filter(None, (filters, "scale=16:16")))
    return len(frame_sums(*options, "-vf", chain))


def digests(sums: Sequence[tuple[int, str]]) -> list[str]:
    return [digest for _, digest in sums]
