"""Variants of real files and of films of the corpus, damaged by chance: each gets one verdict.

Of the real files the beginnings are copied out, packet by packet, so that a variant takes little
time. Their tables come first: what is lost behind them does not end in a plain "cut off".
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.clips import ffmpeg
from tests.corpus import mutator, table
from tests.corpus.bases import Bases
from tests.corpus.case import Case, Either
from tests.corpus.judge import CODES, OURS, judge
from tests.corpus.site import Site
from tests.real_media import media_file

REAL: Final[Mapping[str, tuple[str, ...]]] = {
    # What is kept of each: options of a copy; none where the file is small enough as it is.
    "bbb_2500ms.ts": ("-t", "0.4"),
    "bigbuckbunny-720p25.mp4": ("-t", "0.4"),
    "bikes-640x272.mp4": ("-t", "0.6"),
    "dv-pal-interlaced.mov": ("-t", "0.16"),
    "hlg10-color-test.mp4": ("-t", "0.2"),
    "long_1080p_lowbitrate.mp4": ("-t", "0.3"),
    "multiple_audio.mp4": ("-t", "1"),
    "nasa-2video-2audio-1subtitle.mp4": ("-t", "0.4"),
    "portrait_4k60.mp4": ("-t", "0.05"),
    "prores-422-proxy.mov": ("-t", "0.1"),
    "sample.avi": ("-t", "0.6"),
    "sample_audio_only.mp4": (),
    "sample_edit_list.mp4": ("-t", "0.2"),
    "sample_no_bframes.mp4": ("-t", "0.5"),
    "sample_rotate_and_reflect.mp4": (),
    "sample_shorter_audio.mp4": (),
    "sample_video_only.mp4": (),
    "sample_with_increasing_timestamps_360p.mp4": ("-t", "0.5"),
    "sample_with_srt.mkv": (),
    "xdcam-ex-1080i60.mov": ("-t", "0.1"),
}
MADE: Final = (
    "mkv of packets in clusters of unknown size", "webm vp8", "avi with packed B-frames",
    "avi with an index of indexes", "ts", "m2ts", "program stream", "flv with h264", "mxf",
    "ogg with vp8", "raw h264", "fragmented", "hevc in mp4", "edit list: two parts",
    "a cover and sound", "mkv with Xiph lacing",
)  # fmt: skip
"""Cases of the corpus that are damaged as well: containers of which there is no real file."""
MOST_BYTES: Final = 900 << 20
"""What a program may have resident: a damaged header may claim any picture below 8K."""
CPU_S: Final = 60.0


@dataclass(frozen=True)
class Seeds:
    """The files that are damaged, by name."""

    files: Mapping[str, bytes]

    @property
    def names(self) -> Sequence[str]:
        return sorted(self.files)

    def variant(self, number: int) -> tuple[str, bytes, str]:
        """Which file it is of, the bytes, and what was done: the same for the same number."""
        choose = random.Random(f"variant {number}")
        name = self.names[number % len(self.names)]
        others = [self.files[other] for other in choose.sample(self.names, 2)]
        data, said = mutator.mutated(self.files[name], choose, others)
        return name, data, said


def real(folder: Path) -> Seeds:
    """The beginnings of the real files. Skips, or fails in CI, where they are missing."""
    return Seeds({name: _beginning(media_file(f"real/{name}"), folder) for name in REAL})


def made(bases: Bases) -> Seeds:
    """Films of the corpus."""
    cases = {case.id: case for case in table.CASES}
    return Seeds({name: cases[name].make(bases) for name in MADE})


def _beginning(file: Path, folder: Path) -> bytes:
    words = REAL[file.name]
    if not words:
        return file.read_bytes()
    path = folder / file.name
    try:
        ffmpeg(
            "-i", str(file), "-map", "0:v?", "-map", "0:a?", "-map", "0:s?", "-c", "copy", *words,
            "-movflags", "+faststart", "-fflags", "+bitexact", str(path),
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{file.name}: {error.stderr.decode(errors='replace')}") from error
    return path.read_bytes()


def complaints(data: bytes, folder: Path) -> Iterator[str]:
    """What is wrong with how the file ends: any code of the table that blames it is right, and any
    streams that hold together."""
    case = Case(
        "", lambda _: data, Either(tuple(CODES - OURS)), cpu_s=CPU_S, memory_bytes=MOST_BYTES
    )
    ended = Site(folder).bring(data)
    yield from judge(case, ended)


def run(seeds: Seeds, number: int, keep: Path) -> str:
    """One variant; says how it went. Fails with the words to make it again, the file kept."""
    name, data, said = seeds.variant(number)
    folder = Path(tempfile.mkdtemp(prefix="variant-", dir=keep))
    try:
        found = [*complaints(data, folder)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if found:
        kept = keep / f"variant-{number}{Path(name).suffix}"
        kept.write_bytes(data)
        raise AssertionError(f"variant {number} of {name} ({said}), kept as {kept}: {found}")
    return f"{name}: {said}"
