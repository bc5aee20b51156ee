"""A mezzanine: what ffmpeg is told to copy, packet by packet, into a container with an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from functions.media.encoding import argv as words
from functions.media.encoding import graph, sounds
from functions.media.encoding.rendition import Layout
from functions.media.source.guard import input_options

LASTING: Final = "setts=pts=PTS:dts=DTS:duration=max(DURATION\\,1)"
"""As they are, but that each lasts: a picture of no duration, as the last one of a transport stream
may be, would lie behind the end of the muxer's edit list."""
_DELAY: Final = "min(1\\,STARTPTS-STARTDTS)"
UNPACKED: Final = (
    "mpeg4_unpack_bframes,noise=drop=lt(size\\,8),"
    f"setts=pts=if(N\\,PTS-{_DELAY}\\,DTS):dts=DTS-{_DELAY}:duration=max(DURATION\\,1)"
)
"""MPEG-4 in AVI. AVI only counts pictures as they are stored, and its sound begins with the one
that is seen first: the delay of one, which `genpts` puts before those with B-frames, is none of the
film's. A picture of less than 8 bytes says that nothing has changed (14496-2, vop_coded): no
decoder shows it, and the one before it stands still."""
STORED: Final = "setts=pts=DTS:dts=DTS:duration=max(DURATION\\,1)"
"""Pictures of AVI that are shown as they are stored. `genpts` gives each the next one's time where
it cannot tell B-frames, and those of any codec but MPEG-4 are not copied: they are counted."""
CHANGING_FORMATS: Final = ("mpegts",)
"""Demuxers of containers in which every frame of `CHANGING_CODEC` may say another format (ADTS)."""
CHANGING_CODEC: Final = "aac"
UNNAMED: Final = ("aac_latm",)
"""Codecs that QuickTime takes and cannot name: nobody would know the copy."""
TRACKS: Final = "tracks"
"""The file that lists the tracks of sound, see `framecrc`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evened:
    """A track of sound whose format changes, or is not to be copied: it is decoded, and stored
    without loss in one."""

    number: int
    """Among the tracks of sound."""
    rate: int
    layout: Layout
    seconds: float


def headers(number: int) -> str:
    """The file with the n-th track of sound as it came."""
    return f"{number}.adts"


def listing(ffmpeg: str, *, source: words.Source) -> tuple[str, ...]:
    """List the tracks of sound in `TRACKS`, without a packet: a look at the beginning alone.

    It fails where there is no sound.
    """
    return (
        *words.start(ffmpeg),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *("-map", "0:a", "-c", "copy", "-t", "0"),
        *("-f", "framecrc", f"file:{TRACKS}"),
    )


def inspection(ffmpeg: str, *, source: words.Source, sound: Sequence[str]) -> tuple[str, ...]:
    """What `argv` leaves beside a copy, where none can be made: for `sound` see there."""
    return (
        *words.start(ffmpeg),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *_beside(sound),
    )


def argv(
    ffmpeg: str,
    *,
    source: words.Source,
    muxer: str,
    unpack: bool,
    sound: Sequence[str] = (),
    evened: Sequence[Evened] | None = (),
) -> tuple[str, ...]:
    """Copy pictures and sound into `output(0)`, a file of the kind `muxer`.

    `unpack` takes apart the packed B-frames that MPEG-4 in AVI has; ffmpeg refuses it for any
    other codec. Cover pictures, subtitles and data stay behind.

    `sound` are the codecs of all tracks of sound, if one of them may have to be `evened`. While
    that is not known (None), the tracks are listed in `TRACKS` with all of their packets, and each
    that may change lies in `headers(n)` as it came.
    """
    # The last packet of a file of fragments that was cut off; elsewhere a picture with a flaw.
    torn = "+discardcorrupt" if source.format == "mov" else ""
    filters = UNPACKED if unpack else STORED if source.format == "avi" else LASTING
    return (
        *words.start(ffmpeg, error_rate=words.SOUND_ERROR_RATE if evened else words.MAX_ERROR_RATE),
        *("-fflags", f"+genpts{torn}"),
        *input_options(source.format),
        *("-i", f"file:{words.SOURCE}"),
        *(
            _evening(evened, len(sound))
            if evened
            else ("-map", "0:V?", "-map", "0:a?", "-c", "copy")
        ),
        *("-bsf:v", filters),
        # What the file says of itself stays behind.
        *("-map_metadata:g", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999"),
        *("-f", muxer, f"file:{words.output(0)}"),
        *(_beside(sound) if evened is None else ()),
    )


def _beside(sound: Sequence[str]) -> Iterator[str]:
    """An output of packets that are read anyway."""
    files = (
        f"[select=\\'a:{number}\\':f=adts:onfail=ignore]file:{headers(number)}"
        for number, codec in enumerate(sound)
        if codec == CHANGING_CODEC
    )
    yield from ("-map", "0:a", "-c", "copy")
    yield from ("-f", "tee", "|".join((f"[f=framecrc]file:{TRACKS}", *files)))


def _evening(evened: Sequence[Evened], tracks: int) -> Iterator[str]:
    """As ever, but that these tracks go through the two graphs of `sounds`, in which a format may
    change."""
    for each in evened:
        yield from sounds.mixed(f"a:{each.number}", rate=each.rate, layout=each.layout)
    for place in range(len(evened)):
        yield from ("-dec", f"{place}:0")
    drawn = graph.closed([_timed(place, each) for place, each in enumerate(evened)])
    labels = {each.number: label for each, label in zip(evened, drawn.labels, strict=True)}
    yield from ("-filter_complex", drawn.text, "-map", "0:V?")
    for number in range(tracks):
        yield from ("-map", labels.get(number, f"0:a:{number}"))
    # What a graph makes has no language; and where one stream is given its own, all have to be.
    for number in range(tracks):
        yield from (f"-map_metadata:s:a:{number}", f"0:s:a:{number}")
        yield from (f"-c:a:{number}", "alac" if number in labels else "copy")
    yield from ("-c:v", "copy")


def _timed(place: int, evened: Evened) -> graph.Stream:
    stream = graph.decoded(place)
    return sounds.timed(stream, rate=evened.rate, layout=evened.layout, format="s16p")
