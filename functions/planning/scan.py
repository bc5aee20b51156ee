"""A look at a source's pictures: are they made of two fields, and do they stay as they are?

Containers and codecs flag interlaced pictures wrongly in both directions, so a few short windows
are decoded and ffmpeg's `idet` is asked. Decides with values: what to look at, what that means.

`idet` compares how well a picture's own two fields fit with how well each fits the field beside it
in time. It calls a picture interlaced where it fits the one side better than the other, and only
else asks whether its own fields fit best; what moves by a line a frame deceives it. So it is asked
three times: as it is, and with the first question taken out, which leaves the second one for one
side; a picture that lacks its first line is asked about the other side. Own fields that fit best on
both sides are a whole picture. Those that do on one side, and on the other no better than their
neighbour in time, are two.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from functions.media.encoding.treatment import Fields
from functions.media.source import guard, index
from functions.media.source.index import Packets
from functions.media.source.stream import VideoStream

LEAST_LINES: Final = 240
MOST_LINES: Final = 1152
MOST_RATE: Final = Fraction(31)
"""Nobody interlaces smaller pictures, larger ones or faster ones; and small test patterns look like
fields."""
WEB_CODECS: Final = ("av1", "vp8", "vp9", "theora")
"""They know no fields, and are made by programs that do."""
MOST_PIXELS: Final = 2 * 4096 * 2304
"""Of one picture of each window: they are decoded side by side, each by a decoder that keeps up to
16 pictures in memory."""
WINDOWS: Final = 4
FLAGGED_WINDOWS: Final = 8
FRAMES: Final = 8
"""Of each window, from a sync sample on."""
MORE_PACKETS: Final = 6
"""Beyond the frames looked at: decoders hold some back, and ffmpeg reads ahead."""
MOST_BYTES: Final = 32 * 2**20
"""Of all windows; the later ones are left out."""
SHARE: Final = Fraction(1, 3)
FLAGGED_SHARE: Final = Fraction(1, 5)
"""Of the frames that look like one or the other, how many have to look interlaced. What
stands still looks like neither."""
AGREEMENT: Final = Fraction(3, 4)
"""Of those that look interlaced, how many have to have the same field first."""
LEAST_FRAMES: Final = 3

QUESTIONS: Final = ("fields", "upper", "lower")
_WHOLE: Final = "idet=intl_thres=1e9"
"""A threshold for the first question that nothing reaches."""

_PTS: Final = re.compile(r"^frame:\d+ +pts:(-?\d+)")
_SINGLE: Final = re.compile(r"^lavfi\.idet\.single\.current_frame=(\w+)")
_SHAPE: Final = re.compile(r" sar:(\d{1,9}/\d{1,9}) s:(\d{1,5})x(\d{1,5}) ")
_MAX_CLL: Final = re.compile(r"MaxCLL=(\d{1,5})\b")
_MAX_NITS: Final = re.compile(r"max_luminance=(\d{1,5})[.\d]*")


@dataclass(frozen=True, slots=True)
class Window:
    """Rows [start, stop) of a track in decoding order, the first a sync sample."""

    start: int
    stop: int
    first_ticks: int
    """Of the sync sample: frames that are shown before it lack what they refer to."""
    seek_us: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the look found."""

    parity: Fields = ""
    """Which field comes first in pictures that are two; "" where they are whole."""
    flagged: bool = False
    """The source says that they are interlaced."""
    sizes: frozenset[tuple[int, int]] = frozenset()
    aspects: frozenset[str] = frozenset()
    """Of pixels."""
    peak_nits: int = 0
    """Brightest light as told within the stream, 0 where it says nothing."""


def windows(video: VideoStream, packets: Packets) -> tuple[Window, ...]:
    """What to look at, spread over the track: for fields, or only at single pictures."""
    shown = [row for row, packet in enumerate(packets) if packet.shown]
    sync = [row for row in shown if packets[row].sync]
    if not sync:
        return ()
    fields = may_be_interlaced(video, packets)
    count = FLAGGED_WINDOWS if fields and flagged(video) else WINDOWS
    count = max(1, min(count, MOST_PIXELS // max(1, video.width * video.height)))
    wanted = [shown[(2 * number + 1) * len(shown) // (2 * count)] for number in range(count)]
    starts = dict.fromkeys(sync[max(0, bisect_right(sync, row) - 1)] for row in wanted)
    # What cannot be entered in so many places is looked at for longer.
    frames = FRAMES * min(2, count // len(starts)) if fields else 1
    return _affordable(packets, [_window(video, packets, row, frames) for row in starts])


def may_be_interlaced(video: VideoStream, packets: Packets) -> bool:
    """By codec, lines and rate; never by what it says of itself."""
    if video.codec in WEB_CODECS or not LEAST_LINES <= video.height <= MOST_LINES:
        return False
    times = sorted(packet.pts for packet in packets if packet.shown)
    duration_s = (times[-1] - times[0]) * video.timebase if times else Fraction(0)
    return not duration_s or (len(times) - 1) / duration_s <= MOST_RATE


def flagged(video: VideoStream) -> bool:
    return video.field_order not in ("", "progressive")


def _window(video: VideoStream, packets: Packets, start: int, frames: int) -> Window:
    stop = min(len(packets), start + frames + MORE_PACKETS)
    seek_us = index.seek_us(packets[start:], video.timebase)
    return Window(start, stop, packets[start].pts, seek_us)


def _affordable(packets: Packets, found: Sequence[Window]) -> tuple[Window, ...]:
    size_bytes = 0
    kept: list[Window] = []
    for window in found:
        size_bytes += sum(packet.size for packet in packets[window.start : window.stop])
        if size_bytes <= MOST_BYTES or not kept:
            kept.append(window)
    return tuple(kept)


def argv(
    ffmpeg: Path,
    format: str,
    source: Path,
    video: VideoStream,
    found: Sequence[Window],
    *,
    pixels: int,
) -> list[str]:
    """What looks at these windows of the local file `source`.

    Words of `idet` for each frame come in files, see `answer`, sizes and light levels on stderr.
    """
    words = [str(ffmpeg), "-nostdin", "-hide_banner", "-nostats", "-v", "info", "-copyts"]
    # What ffmpeg reads ahead of the frames that are looked at may not be in the copy.
    words += ["-max_error_rate", "1"]
    for window in found:
        if window.start:
            words += ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{window.seek_us}us"]
        words += guard.input_options(format, pixels=pixels)
        if window.start:
            words += ["-probesize", "32", "-analyzeduration", "0"]
        words += ["-noautorotate", "-apply_cropping", "codec", "-reinit_filter", "0"]
        words += ["-threads", "1", "-i", f"file:{source}"]
    # What else is in a stream would fill the log.
    quiet = "sidedata=mode=delete:type=SEI_UNREGISTERED,sidedata=mode=delete:type=DOVI_METADATA"
    for number, window in enumerate(found):
        frames = window.stop - window.start - MORE_PACKETS
        look = f"{quiet},showinfo=checksum=0"
        if frames > 1:
            look += f",{_asked(video, number)}"
        words += ["-map", f"{number}:{video.index}", "-vf", look]
        words += ["-frames:v", str(max(1, frames))]
        words += ["-fps_mode", "passthrough", "-f", "null", "-"]
    return words


def _asked(video: VideoStream, number: int) -> str:
    """The three questions, in filters."""
    # Whatever changes in mid-stream: other filters cannot.
    same = f"scale=w={video.width}:h={video.height}:flags=fast_bilinear,format=gray"
    fields, upper, lower = (
        f"metadata=mode=print:file={answer(question, number)}" for question in QUESTIONS
    )
    return f"{same},idet,{fields},{_WHOLE},{upper},crop=w=iw:h=ih-2:x=0:y=1,{_WHOLE},{lower}"


def answer(question: str, number: int) -> str:
    """The file with the words for the n-th window, in the folder that ffmpeg runs in."""
    return f"{question}-{number}"


def read(
    answers: Callable[[str], bytes], stderr: str, video: VideoStream, found: Sequence[Window]
) -> Seen:
    """What `argv` led to, of which `answers` gives the files by name. What makes no sense in it
    counts as not seen."""
    counts: Counter[str] = Counter()
    for number, window in enumerate(found):
        fields, upper, lower = (
            _words(answers(answer(question, number)), window) for question in QUESTIONS
        )
        for ticks, word in fields.items():
            counts[_kind(word, upper.get(ticks, ""), lower.get(ticks, ""))] += 1
    shapes = _SHAPE.findall(stderr)
    nits = [int(said) for said in _MAX_CLL.findall(stderr) + _MAX_NITS.findall(stderr)]
    return Seen(
        parity=verdict(
            tff=counts["tff"], bff=counts["bff"], whole=counts["whole"], flagged=flagged(video)
        ),
        flagged=flagged(video),
        sizes=frozenset((int(width), int(height)) for _, width, height in shapes),
        aspects=frozenset(aspect for aspect, _, _ in shapes),
        peak_nits=next((said for said in nits if said), 0),
    )


def _kind(fields: str, upper: str, lower: str) -> str:
    """What a frame is, from what is said of it to each question."""
    if upper == lower == "progressive" or fields == "progressive":
        return "whole"
    far = {"tff": lower, "bff": upper}.get(fields)
    return fields if far == "progressive" else ""


def _words(text: bytes, window: Window) -> dict[int, str]:
    """What `idet` says of each frame, by its time."""
    words: dict[int, str] = {}
    ticks = window.first_ticks
    for line in text.decode(errors="replace").splitlines():
        if match := _PTS.match(line):
            ticks = int(match[1])
        elif (match := _SINGLE.match(line)) and ticks >= window.first_ticks:
            words[ticks] = match[1]
    return words


def verdict(*, tff: int, bff: int, whole: int, flagged: bool) -> Fields:
    """Which field comes first, from how many frames look like what."""
    fields = tff + bff
    share = FLAGGED_SHARE if flagged else SHARE
    if fields < LEAST_FRAMES or fields < share * (fields + whole):
        return ""
    if max(tff, bff) < AGREEMENT * fields:
        return ""
    return "tff" if tff > bff else "bff"
