"""What every argv of ffmpeg begins and ends with, whatever the task is.

Files are named by fixed words within the folder that ffmpeg runs in; nothing of a source's name
or of its metadata gets into an argv.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from functions.media.source.guard import input_options

SOURCE: Final = "source"
SHOWN: Final = "shown"
"""Which decoded picture each output frame shows: its number, a line a frame."""
MAX_ERROR_RATE: Final = "0.5"
"""Share of packets that may fail to decode before ffmpeg itself gives up: damaged recordings are
taken, noise is not. Frames are counted in any case."""
SOUND_ERROR_RATE: Final = "0.9"
"""The same of sound, where what is lost is silence. Of a torn frame a parser makes several packets
that all fail, so that a few lost packets of a transport stream are half of those of its sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The local copy of what is read."""

    format: str
    """Demuxer, from our own sniffing."""
    seek_us: int | None = None
    """Where reading starts: the first fetched sync sample. None: at the beginning."""
    excerpt: bool = False
    """Whether there is nothing in it but what is decoded: one track, from a sync sample on."""

    def stream(self, number: int) -> int:
        """Which stream here is the one with that number in the source."""
        return 0 if self.excerpt else number


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a machine may choose without changing what comes out."""

    threads: int = 1
    """Of each video encoder. One is the least work; several renditions fill the cores anyway."""
    decoder_threads: int = 1


def output(number: int) -> str:
    """The file of the n-th rendition of a task."""
    return f"{number}.mp4"


def start(ffmpeg: str, *, error_rate: str = MAX_ERROR_RATE) -> Iterator[str]:
    """The program and what it tells while it runs."""
    yield from (ffmpeg, "-nostdin", "-hide_banner", "-v", "error", "-y")
    yield from ("-nostats", "-progress", "pipe:1", "-stats_period", "0.5")
    yield from ("-max_error_rate", error_rate)


def read(source: Source, threads: int, *options: str) -> Iterator[str]:
    """The local copy as the one input, with these further options of it."""
    # Times as the container has them: the plan's cuts are in its ticks.
    yield "-copyts"
    if source.seek_us is not None:
        # Everything from there on is decoded; the graph alone cuts.
        yield from ("-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{source.seek_us}us")
    yield from input_options(source.format)
    if source.seek_us is not None or source.excerpt:
        # The headers say enough, and the first packets need not be in the copy.
        yield from ("-probesize", "32", "-analyzeduration", "0")
    yield from options
    yield from ("-threads", str(threads), "-i", f"file:{SOURCE}")


def shown() -> Iterator[str]:
    """Of an output: which pictures it shows is written down as they are encoded."""
    yield from ("-stats_enc_pre", f"file:{SHOWN}", "-stats_enc_pre_fmt", "{ni}")


def neutral_muxer() -> Iterator[str]:
    """Nothing in the file that differs from attempt to attempt or comes from the source."""
    yield from ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
    yield from ("-write_btrt", "0", "-avoid_negative_ts", "disabled")
    yield from ("-muxdelay", "0", "-muxpreload", "0")
