"""What is done to each picture that a cut leaves, by itself: turned, recoloured and scaled."""

from __future__ import annotations

from functions.media.encoding import graph
from functions.media.encoding.rendition import VideoRendition
from functions.media.encoding.treatment import REFERENCE_NITS, Colors, Treatment


def treated(stream: graph.Stream, treatment: Treatment) -> graph.Stream:
    """Right way up, in the output's colours or in those from which `scaled` makes them."""
    # Matrices, mastering displays, captions and time codes would come out again, and be wrong.
    stream = stream.filter("sidedata", mode="delete")
    stream = stream.filter("setparams", **_named(treatment.source))
    if crop := treatment.crop:
        stream = stream.filter("crop", w=crop.width, h=crop.height, x=crop.left, y=crop.top)
    stream = _turned(stream, treatment)
    if not treatment.tone and not treatment.converts:
        return stream
    stream = stream.filter(
        "scale",
        w=treatment.largest_width,
        h=treatment.largest_height,
        flags="bicubic",
        **_sited(treatment),
    )
    if treatment.tone:
        stream = stream.filter("zscale", t="linear", npl=REFERENCE_NITS)
        stream = stream.filter("format", pix_fmts="gbrpf32le")
        stream = stream.filter("zscale", p=treatment.output.primaries)
        stream = stream.filter(
            "tonemap",
            tonemap="mobius",
            # Up to this share of white, light stays as it is.
            param=0.3,
            desat=0,
            peak=f"{treatment.peak_nits / REFERENCE_NITS:.4f}",
        )
    return stream.filter(
        "zscale",
        p=treatment.output.primaries,
        t=treatment.output.transfer,
        m=treatment.output.matrix,
        r=treatment.output.range,
    ).filter("format", pix_fmts="yuv420p")


def _turned(stream: graph.Stream, treatment: Treatment) -> graph.Stream:
    if treatment.turn in (90, 270):
        # In the filter's words `flip` is up and down, after the turn.
        way = "cclock" if treatment.turn == 90 else "clock"
        return stream.filter("transpose", dir=way + ("_flip" if treatment.mirror else ""))
    if treatment.mirror != (treatment.turn == 180):
        stream = stream.filter("hflip")
    return stream.filter("vflip") if treatment.turn == 180 else stream


def scaled(stream: graph.Stream, rendition: VideoRendition, treatment: Treatment) -> graph.Stream:
    """What was `treated`, at the rendition's size and in the output's colours, which it says."""
    output = treatment.output
    stream = stream.filter(
        "scale",
        w=rendition.width,
        h=rendition.height,
        flags="bicubic",
        out_color_matrix=output.matrix,
        # Full range is legal in H.264 and ignored by enough decoders to wash pictures out.
        out_range=output.range,
        **({} if treatment.tone or treatment.converts else _sited(treatment)),
    )
    stream = stream.filter("setsar", sar=1).filter("format", pix_fmts="yuv420p")
    # On every frame of every chunk: parameter sets follow from the first one that comes.
    return stream.filter("setparams", field_mode="prog", chroma_location="left", **_named(output))


def _named(colors: Colors) -> dict[str, str]:
    return {
        "range": colors.range,
        "colorspace": colors.matrix,
        "color_primaries": colors.primaries,
        "color_trc": colors.transfer,
    }


def _sited(treatment: Treatment) -> dict[str, int]:
    if (treatment.chroma_x, treatment.chroma_y) == (0, 128):
        return {}
    return {
        "in_h_chr_pos": treatment.chroma_x,
        "in_v_chr_pos": treatment.chroma_y,
        "out_h_chr_pos": 0,
        "out_v_chr_pos": 128,
    }
