"""Clips of a second or two that the corpus is made of; each is made once."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.clips import ffmpeg

PICTURE = "testsrc2=s=64x36:r=25:d=2"
"""Fifty frames, each unlike the next."""
SOUND = "sine=f=440:r=48000:d=2"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1")
H264_B = (*H264, "-bf", "2", "-g", "25")
AAC = ("-c:a", "aac", "-b:a", "64k")
EXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")


def lavfi(*sources: str) -> list[str]:
    return [word for source in sources for word in ("-f", "lavfi", "-i", source)]


class Bases:
    """Makes files by ffmpeg in a folder of its own and keeps them by their words.

    `secret` is a film that nobody has brought; at `port` of this machine somebody waits to be
    asked for one.
    """

    def __init__(self, folder: Path, *, port: int = 9) -> None:
        self._folder = folder
        self.port = port
        self.secret = folder / "secret.ts"
        self._made: dict[tuple[str, ...], bytes] = {}

    def made(self, name: str, *words: str) -> bytes:
        """What ffmpeg writes to `name` for these options (input, filters, codecs, muxer)."""
        key = (name, *words)
        if key not in self._made:
            path = self._folder / f"{len(self._made):03d}-{name}"
            try:
                ffmpeg(*words, *EXACT, f"file:{path}")
            except subprocess.CalledProcessError as error:
                raise RuntimeError(f"{name}: {error.stderr.decode(errors='replace')}") from error
            self._made[key] = path.read_bytes()
        return self._made[key]

    def of(self, name: str, *words: str, data: bytes, suffix: str) -> bytes:
        """What ffmpeg makes of `data`: a remux, or another coding of it."""
        path = self.put(data, suffix)
        return self.made(name, "-i", f"file:{path}", *words)

    def put(self, data: bytes, suffix: str) -> Path:
        """The bytes as a file, for ffmpeg to read."""
        path = self._folder / f"in-{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
        if not path.exists():
            path.write_bytes(data)
        return path

    def film(self, name: str, *words: str, source: Sequence[str] = (PICTURE, SOUND)) -> bytes:
        """The picture and the sound as H.264 and AAC, or as `words` say otherwise."""
        return self.made(name, *lavfi(*source), *H264_B, *AAC, *words)

    @property
    def mp4(self) -> bytes:
        """50 frames of 64x36 at 25 a second with B-frames, keyframes each second; 2 s of mono
        sound; the movie box last."""
        return self.film("film.mp4")

    @property
    def faststart(self) -> bytes:
        """The same with the movie box first."""
        return self.film("film.mp4", "-movflags", "+faststart")

    @property
    def silent(self) -> bytes:
        """The pictures alone, movie box first."""
        return self.made("film.mp4", *lavfi(PICTURE), *H264_B, "-movflags", "+faststart")

    @property
    def plain(self) -> bytes:
        """The pictures without B-frames and edit list, movie box first."""
        return self.made(
            "film.mp4", *lavfi(PICTURE), *H264, "-bf", "0", "-g", "25", "-movflags", "+faststart"
        )

    @property
    def open_hevc(self) -> bytes:
        """50 frames of 64x64 at 25 a second as HEVC; the 17th packet is a keyframe that four
        pictures lead, and 30 are shown from there on."""
        return self.made(
            "film.mp4", *lavfi("testsrc2=s=64x64:r=25:d=2"), "-c:v", "libx265", "-preset",
            "ultrafast", "-pix_fmt", "yuv420p", "-tag:v", "hvc1", "-x265-params",
            "log-level=none:open-gop=1:keyint=20:bframes=4:scenecut=0",
        )  # fmt: skip

    @property
    def heard(self) -> bytes:
        """The sound alone."""
        return self.made("film.m4a", *lavfi(SOUND), *AAC)

    @property
    def mkv(self) -> bytes:
        return self.film("film.mkv")

    @property
    def ts(self) -> bytes:
        return self.film("film.ts")
