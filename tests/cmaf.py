"""A small real set of CMAF tracks, made by ffmpeg and laid out as encoders leave them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from functions.adapters import binaries
from functions.jobs import layout
from functions.media.rendition import AudioRendition, VideoRendition
from functions.media.segment import Segment, Stored, Track
from tests import mp4

JOB = "0" * 32
RATE = Fraction(30000, 1001)
SEGMENT_FRAMES = 60
FRAMES = 250
"""Four segments and a short one."""
SOUND_S = Fraction(FRAMES) / RATE


def ffmpeg(*options: object) -> None:
    subprocess.run(
        [binaries.ffmpeg(), "-nostdin", "-v", "error", "-y", *map(str, options)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def source(path: Path) -> Path:
    """A moving picture with beeps: 250 frames, no two alike."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={RATE}",
        "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
        "-frames:v", FRAMES, "-t", f"{float(SOUND_S):.6f}", "-c:v", "libx264", "-preset",
        "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def video(
    source: Path, out: Path, *, name: str, width: int, height: int
) -> tuple[VideoRendition, Track]:
    made = out / f"{name}.mp4"
    ffmpeg(
        "-i", source, "-map", "0:v:0", "-vf", f"scale={width}:{height},setsar=1",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", SEGMENT_FRAMES,
        "-keyint_min", SEGMENT_FRAMES, "-sc_threshold", "0", "-flags", "+cgop", "-bf", "2",
        "-video_track_timescale", RATE.numerator, "-use_editlist", "0", "-map_metadata", "-1",
        "-fflags", "+bitexact", "-write_btrt", "0", "-movflags",
        "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer", "-f", "mp4", made,
    )  # fmt: skip
    rendition = VideoRendition(
        name=name, width=width, height=height, preset="veryfast", crf=23,
        maxrate_bps=1_000_000, bufsize_bits=1_500_000,
    )  # fmt: skip
    return rendition, _cut(made, out, name)


def audio(
    source: Path, out: Path, *, name: str, language: str = "und"
) -> tuple[AudioRendition, Track]:
    made = out / f"{name}.mp4"
    ffmpeg(
        "-i", source, "-map", "0:a:0", "-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags",
        "+cmaf+delay_moov+skip_trailer", "-frag_duration", "2000000", "-f", "mp4", made,
    )  # fmt: skip
    rendition = AudioRendition(
        name=name, track=1, language=language, channels=2, sample_rate=48000, bitrate_bps=96_000,
        samples=int(SOUND_S * 48000), origin=0, timebase_num=1, timebase_den=48000,
    )  # fmt: skip
    return rendition, _cut(made, out, name)


def _cut(made: Path, out: Path, name: str) -> Track:
    """Cut the file into its init segment and one file a fragment, named by content."""
    data = made.read_bytes()
    made.unlink()
    (out / name).mkdir()
    starts = [box.start for box in mp4.find(data, "moof")]
    init, pieces = data[: starts[0]], _between(data, [*starts, len(data)])
    segments = []
    for number, piece in enumerate(pieces):
        (fragment,) = mp4.fragments(init, piece)
        segments.append(
            Segment(
                number=number,
                stored=_store(out, layout.media_segment(JOB, name, number, _sha(piece)), piece),
                start_ticks=fragment.start,
                duration_ticks=fragment.duration,
                frames=len(fragment.samples),
            )
        )
    return Track(
        rendition=name,
        codecs=mp4.codecs(init),
        timescale=mp4.timescale(init),
        init=_store(out, layout.init_segment(JOB, name, _sha(init)), init),
        segments=tuple(segments),
    )


def _between(data: bytes, edges: Sequence[int]) -> list[bytes]:
    return [data[start:stop] for start, stop in pairwise(edges)]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _store(out: Path, key: str, data: bytes) -> Stored:
    path = out / key.removeprefix(f"{layout.MEDIA}/{JOB}/")
    path.write_bytes(data)
    return Stored(key=key, size_bytes=len(data), sha256=_sha(data))
