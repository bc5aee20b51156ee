"""The renditions of pictures, and what is done to a source's pictures on the way there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from functions.jobs.profile import Profile
from functions.jobs.refusal import refuse
from functions.media.encoding import ladder
from functions.media.encoding.accelerator import Accelerator
from functions.media.encoding.rendition import VideoRendition
from functions.media.encoding.treatment import (
    SCALED_MATRICES,
    Colors,
    Crop,
    Tone,
    Treatment,
    Turn,
)
from functions.media.source.sidedata import NOTHING_OUTSIDE
from functions.media.source.stream import VideoStream
from functions.planning.scan import Seen

HD_LINES: Final = 720
"""From here on pictures that name no colours are taken for those of HD television (BT.709)."""
PAL_LINES: Final = (288, 576)
USUAL_PEAK_NITS: Final = 1000
LEAST_PEAK_NITS: Final = 400
MOST_PEAK_NITS: Final = 4000
"""What metadata claim beyond these makes pictures dark or burnt out, and is wrong too often."""

_SDR: Final = ("bt709", "bt470bg", "smpte170m")
"""Matrices and primaries that an H.264 stream of SDR may keep: televisions know them."""
_SDR_TRANSFERS: Final = (*_SDR, "bt470m", "iec61966-2-1", "iec61966-2-4")
_MATRICES: Final = (*_SDR, "gbr", "fcc", "smpte240m", "ycgco", "bt2020nc", "bt2020c", "ictcp")
_PRIMARIES: Final = (*_SDR, "bt470m", "smpte240m", "film", "bt2020", "smpte431", "smpte432")
_TRANSFERS: Final = (
    *(*_SDR_TRANSFERS, "smpte240m", "linear", "bt2020-10", "bt2020-12"),
    *("smpte2084", "arib-std-b67"),
)
_TONES: Final[dict[str, Tone]] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
_TURNS: Final[dict[int, Turn]] = {90: 90, 180: 180, 270: 270}
_SITES: Final = {
    "left": (0, 128),
    "center": (128, 128),
    "topleft": (0, 0),
    "top": (128, 0),
    "bottomleft": (0, 256),
    "bottom": (128, 256),
}


def rungs(
    profile: Profile, video: VideoStream, accelerator: Accelerator
) -> tuple[VideoRendition, ...]:
    steps = [
        ladder.Step(
            short_side=rung.height // 2 * 2,
            maxrate_bps=rung.maxrate_kbps * 1000,
            bufsize_bits=rung.bufsize_kbps * 1000,
        )
        for rung in profile.video.ladder
    ]
    fitting = ladder.rungs(
        steps,
        display_width=video.display_width,
        display_height=video.display_height,
        preset=profile.video.preset,
        crf=profile.video.crf,
    )
    return tuple(replace(rung, accelerator=accelerator) for rung in fitting)


def treatment(
    video: VideoStream, renditions: Sequence[VideoRendition], seen: Seen | None
) -> Treatment:
    """What is done to these pictures, of which `seen` is what a look at them found.

    Raises Rejected for pictures that are in nobody's colours.
    """
    source = colors(video)
    tone = _TONES.get(source.transfer, "")
    peak_nits = USUAL_PEAK_NITS
    if tone == "pq":
        claimed = video.peak_nits or (seen.peak_nits if seen else 0) or USUAL_PEAK_NITS
        peak_nits = min(max(claimed, LEAST_PEAK_NITS), MOST_PEAK_NITS)
    chroma_x, chroma_y = _site(video)
    largest = max(renditions, key=lambda each: each.width * each.height)
    return Treatment(
        width=video.width,
        height=video.height,
        deinterlace=seen.parity if seen else "",
        crop=_crop(video),
        mirror=video.mirror,
        turn=_TURNS.get(video.rotation, 0),
        chroma_x=chroma_x,
        chroma_y=chroma_y,
        tone=tone,
        peak_nits=peak_nits if tone else 0,
        largest_width=largest.width,
        largest_height=largest.height,
        source=source,
        named=_is_named(video, source),
        output=_output(source),
    )


def colors(video: VideoStream) -> Colors:
    """What the source's numbers mean: as named, and what everybody takes them for where not.

    Raises Rejected.
    """
    vision = video.dolby_vision
    if vision is not None and not vision.compatible and vision.profile == 5:
        raise refuse(
            "codec_unsupported",
            kind="video",
            codec=f"{video.codec} in Dolby Vision profile 5, whose pictures nothing else can show,",
            supported="Dolby Vision with a base layer in SDR, HDR10 or HLG",
        )
    matrix = _known(video.color_space, _MATRICES)
    primaries = _known(video.color_primaries, _PRIMARIES)
    transfer = _known(video.color_transfer, _TRANSFERS)
    if video.pixel_format.startswith(("gbr", "rgb", "bgr", "pal8", "0rgb", "argb", "abgr")):
        matrix = "gbr"
    if vision is not None and not transfer:
        transfer = {1: "smpte2084", 6: "smpte2084", 4: "arib-std-b67"}.get(vision.compatible, "")
    if transfer in _TONES:
        matrix, primaries = matrix or "bt2020nc", primaries or "bt2020"
    if not matrix:
        matrix = _usual_matrix(video, primaries)
    if not primaries:
        primaries = {"bt2020nc": "bt2020", "bt2020c": "bt2020"}.get(matrix, matrix)
        primaries = primaries if primaries in _PRIMARIES else "bt709"
    if not transfer:
        transfer = "smpte170m" if matrix in ("bt470bg", "smpte170m") else "bt709"
    full = video.color_range == "pc" or matrix == "gbr" or video.pixel_format.startswith("yuvj")
    return Colors(
        range="pc" if full else "tv", matrix=matrix, primaries=primaries, transfer=transfer
    )


def _is_named(video: VideoStream, colors: Colors) -> bool:
    """Whether every picture says what its numbers mean, in words that `scale` knows."""
    known = colors.matrix != "gbr" and colors.matrix in SCALED_MATRICES
    return known and (video.color_space, video.color_range) == (colors.matrix, colors.range)


def _known(word: str, words: Sequence[str]) -> str:
    return word if word in words else ""


def _usual_matrix(video: VideoStream, primaries: str) -> str:
    if primaries in (*_SDR, "smpte240m"):
        return primaries
    if primaries == "bt2020":
        return "bt2020nc"
    if min(video.width, video.height) >= HD_LINES:
        return "bt709"
    return "bt470bg" if video.height in PAL_LINES else "smpte170m"


def _output(source: Colors) -> Colors:
    """As the source, where that is a television's SDR, else those of HD television."""
    kept = source.primaries in _SDR and source.transfer in _SDR_TRANSFERS
    if not kept or source.matrix not in (*_SDR, "gbr"):
        return Colors()
    matrix = "bt709" if source.matrix == "gbr" else source.matrix
    return replace(source, range="tv", matrix=matrix)


def _crop(video: VideoStream) -> Crop | None:
    margins = video.crop
    crop = Crop(
        left=margins.left // 2 * 2,
        top=margins.top // 2 * 2,
        width=(video.width - margins.left - margins.right) // 2 * 2,
        height=(video.height - margins.top - margins.bottom) // 2 * 2,
    )
    whole = (crop.width, crop.height) == (video.width, video.height)
    return crop if margins != NOTHING_OUTSIDE and crop.width and crop.height and not whole else None


def _site(video: VideoStream) -> tuple[int, int]:
    """Where chroma lies once the picture is turned."""
    x, y = _SITES.get(video.chroma_location, _SITES["left"])
    if video.mirror:
        x = 256 - x
    for _ in range(video.rotation // 90):
        # Counter-clockwise: what was right is up.
        x, y = y, 256 - x
    return x, y


def notes(treatment: Treatment, seen: Seen | None) -> Iterator[str]:
    """What was odd about the pictures and what is done about it, a sentence each."""
    if treatment.deinterlace:
        first = "top" if treatment.deinterlace == "tff" else "bottom"
        yield f"interlaced, {first} field first: deinterlaced"
    elif seen is not None and seen.flagged:
        yield "flagged interlaced, but the pictures are whole: left as they are"
    if seen is not None and len(seen.sizes) > 1:
        width, height = treatment.width, treatment.height
        yield f"the picture changes its size: all of it is scaled to {width}x{height} first"
    if seen is not None and len(seen.aspects) > 1:
        yield "the shape of its pixels changes: all are taken for those it starts with"
    if treatment.tone:
        name = "HDR (PQ)" if treatment.tone == "pq" else "HDR (HLG)"
        yield f"{name} with a peak of {treatment.peak_nits} nits: tone-mapped to SDR (BT.709)"
    elif treatment.converts:
        yield f"colours of {treatment.source.primaries}: converted to BT.709"
