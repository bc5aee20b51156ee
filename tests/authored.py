"""A set of streams that breaks no rule of the authoring list, and ways to harm it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from tests import cmaf, mp4

Harm = Callable[[Path], None]
MEDIA = "180p/playlist.m3u8"


def good(out: Path) -> Path:
    """Two rungs; two sounds, one of them in 5.1 as well."""
    source = cmaf.source(out / "source.mp4")
    video = [
        cmaf.video(source, out, name="180p", width=320, height=180),
        cmaf.video(source, out, name="120p", width=214, height=120),
    ]
    audio = [
        cmaf.audio(source, out, name="audio-1", language="eng"),
        cmaf.audio(source, out, name="audio-1-surround", language="eng", surround=True),
        cmaf.audio(source, out, name="audio-2", language="eng"),
    ]
    cmaf.present(out, video, audio)
    return out


def replaced(path: str, old: str, new: str) -> Harm:
    def harm(out: Path) -> None:
        text = (out / path).read_text()
        assert old in text
        (out / path).write_text(text.replace(old, new, 1))

    return harm


def without(path: str, begin: str) -> Harm:
    def harm(out: Path) -> None:
        lines = (out / path).read_text().splitlines(keepends=True)
        (first, *_) = [number for number, line in enumerate(lines) if line.startswith(begin)]
        del lines[first]
        (out / path).write_text("".join(lines))

    return harm


def without_file(pattern: str) -> Harm:
    def harm(out: Path) -> None:
        next(iter(sorted(out.glob(pattern)))).unlink()

    return harm


def renamed(pattern: str, old: bytes, new: bytes) -> Harm:
    """Other bytes, equally many, in the first file of the pattern."""

    def harm(out: Path) -> None:
        path = next(iter(sorted(out.glob(pattern))))
        data = path.read_bytes()
        assert old in data and len(old) == len(new)
        path.write_bytes(data.replace(old, new, 1))

    return harm


def without_key_frame(out: Path) -> None:
    """The first sample of the first segment says that it is none."""
    path = next(iter(sorted(out.glob("180p/00000-*.m4s"))))
    data = bytearray(path.read_bytes())
    (moof,) = mp4.find(bytes(data), "moof")
    trun = mp4.only(bytes(data), "traf", "trun", within=moof)
    (flags,) = struct.unpack_from(">I", data, trun.body)
    at = trun.body + 8 + 4 * bool(flags & 0x1)
    assert flags & 0x4
    struct.pack_into(">I", data, at, 0x0001_0000)
    path.write_bytes(data)


def reencoded(*options: str) -> Harm:
    """The init segment of 180p is that of an encode with these options."""

    def harm(out: Path) -> None:
        made = out / "other.mp4"
        cmaf.ffmpeg(
            *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30000/1001:d=0.2", "-c:v", "libx264"),
            *("-preset", "ultrafast", "-pix_fmt", "yuv420p", *options),
            *("-movflags", "+cmaf+delay_moov", "-f", "mp4", made),
        )
        data = made.read_bytes()
        moof = next(box for box in mp4.boxes(data) if box.kind in ("moof", "sidx"))
        made.unlink()
        next(out.glob("180p/init-*.mp4")).write_bytes(data[: moof.start])

    return harm
