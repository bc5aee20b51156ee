"""Pictures come out the right way up, in their colours and in their shape, and say so."""

from __future__ import annotations

import cmath
import json
import math
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from eventing.errors import Rejected
from functions.adapters import binaries
from functions.jobs.plan import VideoTask
from functions.media.source.sidedata import DolbyVision
from functions.planning import pictures
from tests.clips import ffmpeg
from tests.films import STREAM
from tests.planning import Drawn
from tests.real_media import media_file

WIDTH, HEIGHT = 96, 64
CORNERS = "RG\nBK"
"""Red, green, blue and black, a quarter each."""
LEVELS = {"R": (1, 0, 0), "G": (0, 1, 0), "B": (0, 0, 1), "K": (0, 0, 0)}
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-bf", "0")
KR_KB = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Luma's shares of red and blue (H.273, table 4): our own arithmetic, not ffmpeg's."""


def corners(path: Path, *options: str, filters: str = "null") -> Path:
    """Ten pictures of four quarters."""
    size = f"{WIDTH // 2}x{HEIGHT // 2}"
    quarters = [
        f"color={name}:s={size}:r=25:d=0.4,format=gbrp[{at}]"
        for at, name in enumerate(("red", "0x00FF00", "blue", "black"))
    ]
    graph = f"{';'.join(quarters)};[0][1]hstack[a];[2][3]hstack[b];[a][b]vstack,{filters}[x]"
    ffmpeg("-filter_complex", graph, "-map", "[x]", *options, f"file:{path}")
    return path


def quarters(drawn: Drawn, task: VideoTask | None = None) -> dict[str, tuple[int, int, int]]:
    """Luma and chroma in the middle of the four quarters of the first picture, of the film or of a
    chunk."""
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(task or drawn.whole())
    found = {}
    for name, x, y in (("tl", 1, 1), ("tr", 3, 1), ("bl", 1, 3), ("br", 3, 3)):
        at_x, at_y = width * x // 4, height * y // 4
        luma = data[at_y * width + at_x]
        chroma = (at_y // 2) * (width // 2) + at_x // 2
        blue = data[width * height + chroma]
        red = data[width * height * 5 // 4 + chroma]
        found[name] = (luma, blue, red)
    return found


def letters(drawn: Drawn) -> str:
    """The quarters as `CORNERS` writes them."""
    levels = {name: numbers(LEVELS[name], "bt709") for name in LEVELS}
    seen = [
        min(
            levels,
            key=lambda name: sum(abs(a - b) for a, b in zip(levels[name], each, strict=True)),
        )
        for each in quarters(drawn).values()
    ]
    return f"{seen[0]}{seen[1]}\n{seen[2]}{seen[3]}"


def numbers(rgb: Sequence[float], matrix: str) -> tuple[int, int, int]:
    """Limited-range luma and chroma of 8 bits (H.273, equations 25 to 37)."""
    kr, kb = KR_KB[matrix]
    red, green, blue = rgb
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    return (
        round(16 + 219 * luma),
        round(128 + 224 * (blue - luma) / (2 * (1 - kb))),
        round(128 + 224 * (red - luma) / (2 * (1 - kr))),
    )


def same(found: dict[str, tuple[int, int, int]], matrix: str, *, within: int = 3) -> bool:
    wanted = [numbers(LEVELS[name], matrix) for name in CORNERS.replace("\n", "")]
    return all(
        abs(a - b) <= within
        for each, other in zip(found.values(), wanted, strict=True)
        for a, b in zip(each, other, strict=True)
    )


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        # A point (x, y) goes to (a x + c y, b x + d y), y downwards (ISO/IEC 14496-12, 6.2.2).
        ((1, 0, 0, 1), "RG\nBK"),
        ((0, 1, -1, 0), "BR\nKG"),
        ((-1, 0, 0, -1), "KB\nGR"),
        ((0, -1, 1, 0), "GK\nRB"),
        ((-1, 0, 0, 1), "GR\nKB"),
        ((1, 0, 0, -1), "BK\nRG"),
        ((0, 1, 1, 0), "RB\nGK"),
        ((0, -1, -1, 0), "KG\nBR"),
    ],
)
def test_a_picture_is_turned_and_mirrored_as_its_header_says(
    matrix: tuple[int, int, int, int], shown: str, tmp_path: Path
) -> None:
    clip = corners(
        tmp_path / "clip.mp4", *LOSSLESS, filters="scale=out_color_matrix=bt709,format=yuv420p"
    )
    data = bytearray(clip.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip.write_bytes(data)
    drawn = Drawn.of(clip, tmp_path)
    rung = drawn.plan.video[0]
    lies = matrix[0] == 0
    assert (rung.width, rung.height) == ((HEIGHT, WIDTH) if lies else (WIDTH, HEIGHT))
    assert letters(drawn) == shown
    made = encoded(drawn, tmp_path)
    assert "Display Matrix" not in made["side_data"]


def encoded(drawn: Drawn, folder: Path) -> dict[str, str]:
    """What another reader says of the stream that the encoder makes."""
    made = folder / "made.mp4"
    drawn.run(drawn.whole(), *("-y", "-c:v", "libx264", "-preset", "ultrafast"), f"file:{made}")
    argv = [
        *(str(binaries.ffprobe()), "-v", "error", "-of", "json", "-show_streams", "-show_frames"),
        *("-read_intervals", "%+#1", f"file:{made}"),
    ]
    told = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    (stream,) = told["streams"]
    side_data = [*stream.get("side_data_list", []), *told["frames"][0].get("side_data_list", [])]
    facts = {key: str(value) for key, value in stream.items()}
    return facts | {"side_data": ",".join(each["side_data_type"] for each in side_data)}


SDR = {
    # What is made of red, green, blue and black: filters, options; what it comes out as.
    "hd": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv420p", (), "bt709"),
    "sd": (
        "scale=out_color_matrix=bt601,setparams=colorspace=smpte170m,format=yuv420p",
        (),
        "smpte170m",
    ),
    "full": (
        "scale=out_color_matrix=bt709:out_range=pc,setparams=colorspace=bt709:range=pc,"
        "format=yuv420p",
        (),
        "bt709",
    ),
    "unnamed": ("scale=out_color_matrix=bt601,format=yuv420p,setparams=colorspace=unknown", (),
                "smpte170m"),
    "10-bit": (
        "scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv420p10le",
        (),
        "bt709",
    ),
    "4:2:2": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv422p", (),
              "bt709"),
    "4:4:4": ("scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuv444p", (),
              "bt709"),
    "rgb": ("format=gbrp", ("-c:v", "libx264rgb", "-qp", "0"), "bt709"),
    "alpha": (
        "scale=out_color_matrix=bt709,setparams=colorspace=bt709,format=yuva444p10le",
        ("-c:v", "prores_ks", "-profile:v", "4444"),
        "bt709",
    ),
    "jpeg": ("format=yuvj420p", ("-c:v", "mjpeg", "-q:v", "2"), "bt470bg"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SDR))
def test_colours_come_out_as_they_went_in(name: str, tmp_path: Path) -> None:
    filters, options, matrix = SDR[name]
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, *options, filters=filters)
    drawn = Drawn.of(clip, tmp_path)
    output = drawn.plan.picture.output
    assert output.matrix == matrix
    coefficients = "bt709" if matrix == "bt709" else "smpte170m"
    other = "smpte170m" if matrix == "bt709" else "bt709"
    found = quarters(drawn)
    assert same(found, coefficients, within=6)
    assert not same(found, other, within=6)
    made = encoded(drawn, tmp_path)
    assert (made["pix_fmt"], made["color_range"]) == ("yuv420p", "tv")
    assert (made["color_space"], made["color_primaries"], made["color_transfer"]) == (
        output.matrix,
        output.primaries,
        output.transfer,
    )


def test_wide_colours_become_those_of_television(tmp_path: Path) -> None:
    made = "zscale=pin=bt709:tin=bt709:min=gbr:rin=full:p=bt2020:t=bt709:m=bt2020nc:r=tv"
    named = "setparams=colorspace=bt2020nc:color_primaries=bt2020:color_trc=bt709"
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, filters=f"{made},format=yuv420p10le,{named}")
    drawn = Drawn.of(clip, tmp_path)
    assert same(quarters(drawn), "bt709", within=8)
    assert any("BT.709" in note for note in drawn.plan.notes)


def greys(path: Path, transfer: str, *, x265: str = "") -> Path:
    """Bars of grey light of 0, 50, 100, 203 and 1000 nits, as numbers of that curve."""
    signals = {
        "smpte2084": (0, 0.4403, 0.5081, 0.5807, 0.7518),
        "arib-std-b67": (0, 0.3885, 0.5, 0.75, 1.0),
    }
    bars = [
        f"color=black:s=32x64:r=25:d=0.2,format=yuv420p10le,"
        f"geq=lum={round(64 + 876 * signal)}:cb=512:cr=512[{at}]"
        for at, signal in enumerate(signals[transfer])
    ]
    named = f"setparams=range=tv:colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}"
    inputs = "".join(f"[{at}]" for at in range(len(bars)))
    graph = f"{';'.join(bars)};{inputs}hstack=inputs={len(bars)},{named}[x]"
    codec = (
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-x265-params",
        f"log-level=none:crf=4{x265}",
    )
    ffmpeg("-filter_complex", graph, "-map", "[x]", *codec, "-tag:v", "hvc1", f"file:{path}")
    return path


def bars(drawn: Drawn) -> list[int]:
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(drawn.whole())
    return [data[height // 2 * width + width * (2 * at + 1) // 10] for at in range(5)]


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_high_dynamic_range_becomes_standard_with_white_where_it_belongs(
    transfer: str, tmp_path: Path
) -> None:
    drawn = Drawn.of(greys(tmp_path / "clip.mp4", transfer), tmp_path)
    assert drawn.plan.picture.tone in ("pq", "hlg")
    black, *middle, white, brightest = bars(drawn)
    assert abs(black - 16) <= 2
    # A white sheet is bright, and there is room for what is brighter.
    assert 185 <= white <= 210
    assert white + 15 <= brightest <= 236
    assert all(before + 10 < after for before, after in pairwise([black, *middle, white]))
    made = encoded(drawn, tmp_path)
    assert {made["color_space"], made["color_primaries"], made["color_transfer"]} == {"bt709"}
    assert "light" not in made["side_data"].lower()
    assert "mastering" not in made["side_data"].lower()


@pytest.mark.parametrize(("claimed", "used"), [(50, 400), (900, 900), (10_000, 4000)])
def test_a_peak_is_believed_within_reason(claimed: int, used: int, tmp_path: Path) -> None:
    told = f":hdr10=1:max-cll={claimed},10"
    drawn = Drawn.of(greys(tmp_path / "clip.mp4", "smpte2084", x265=told), tmp_path)
    assert drawn.plan.picture.peak_nits == used


def test_dolby_vision_without_a_base_that_others_show_is_refused() -> None:
    with pytest.raises(Rejected, match="profile 5"):
        pictures.colors(replace(STREAM, dolby_vision=DolbyVision(5, 0)))
    based = replace(STREAM, dolby_vision=DolbyVision(8, 4))
    assert pictures.colors(based).transfer == "arib-std-b67"


def test_pictures_that_change_their_size_lose_no_frame_and_are_told_of(tmp_path: Path) -> None:
    parts = []
    for number, size in enumerate(("160x96", "96x160", "320x192")):
        part = tmp_path / f"{number}.ts"
        source = f"testsrc2=s={size}:r=25:d=1"
        codec = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2")
        later = ("-output_ts_offset", str(number))
        ffmpeg("-f", "lavfi", "-i", source, *codec, *later, f"file:{part}")
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    clip = tmp_path / "clip.mp4"
    ffmpeg("-i", f"file:{joined}", "-c", "copy", f"file:{clip}")
    drawn = Drawn.of(clip, tmp_path)
    whole = drawn.sums(drawn.whole())
    assert len(set(whole)) == len(whole) >= 70
    line = drawn.plan.timeline
    assert line is not None
    assert len(whole) == line.frames
    by_chunks = []
    for start in range(0, line.frames, 10):
        by_chunks += drawn.sums(drawn.chunk(start, min(start + 10, line.frames)))
    assert by_chunks == whole
    assert any("changes its size" in note for note in drawn.plan.notes)


def test_pictures_that_change_their_colours_keep_them_in_every_chunk(tmp_path: Path) -> None:
    parts = []
    for number, matrix in enumerate(("bt709", "smpte170m")):
        part = corners(
            tmp_path / f"{number}.ts",
            *(*LOSSLESS, "-g", "5", "-pix_fmt", "yuv420p", "-color_range", "tv"),
            *("-colorspace", matrix, "-color_primaries", matrix, "-color_trc", matrix),
            *("-output_ts_offset", str(number * 0.4)),
            filters=f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p",
        )
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    ffmpeg("-i", f"file:{joined}", "-c", "copy", f"file:{tmp_path / 'clip.mp4'}")
    drawn = Drawn.of(tmp_path / "clip.mp4", tmp_path)
    assert drawn.plan.picture.named
    for start, stop in ((0, 5), (8, 12), (12, 15), (15, 20)):
        assert same(quarters(drawn, drawn.chunk(start, stop)), "bt709"), start
    sums = [*drawn.sums(drawn.chunk(0, 12)), *drawn.sums(drawn.chunk(12, 20))]
    assert sums == drawn.sums(drawn.whole())


def test_chunks_say_the_same_of_their_colours_whatever_the_source_says_there(
    tmp_path: Path,
) -> None:
    parts = []
    for number, colors in enumerate(("bt709", "smpte170m")):
        part = tmp_path / f"{number}.ts"
        named = f"setparams=colorspace={colors}:color_primaries={colors}:color_trc={colors}"
        ffmpeg(
            *("-f", "lavfi", "-i", "testsrc2=s=160x96:r=25:d=1", "-vf", f"{named},format=yuv420p"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
            *("-output_ts_offset", str(number), f"file:{part}"),
        )
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(parts))
    clip = tmp_path / "clip.mp4"
    ffmpeg("-i", f"file:{joined}", "-c", "copy", f"file:{clip}")
    drawn = Drawn.of(clip, tmp_path)
    line = drawn.plan.timeline
    assert line is not None
    heads = [
        drawn.run(drawn.chunk(start, stop), *ENCODED)[:400].partition(b"\x00\x00\x01\x06")[0]
        for start, stop in ((0, 20), (28, line.frames))
    ]
    # Both parameter sets, up to the encoder's own message.
    assert heads[0] == heads[1]
    assert b"\x00\x00\x01" in heads[0]


ENCODED = ("-c:v", "libx264", "-preset", "ultrafast", "-bsf:v", "filter_units=pass_types=1-8",
           "-f", "h264", "-")  # fmt: skip


@pytest.mark.parametrize(
    ("aspect", "width"),
    [("0/1", 96), ("1000/1", 96), ("16/15", 102), ("64/45", 136), ("32/27", 112), ("8/9", 84)],
)
def test_pixels_become_square(aspect: str, width: int, tmp_path: Path) -> None:
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, filters=f"format=yuv420p,setsar={aspect}")
    drawn = Drawn.of(clip, tmp_path)
    assert (drawn.plan.video[0].width, drawn.plan.video[0].height) == (width, HEIGHT)
    assert Fraction(encoded(drawn, tmp_path)["sample_aspect_ratio"].replace(":", "/")) == 1


@pytest.mark.media
def test_a_clean_aperture_is_what_is_shown(tmp_path: Path) -> None:
    drawn = Drawn.of(media_file("real/dv-pal-interlaced.mov"), tmp_path)
    # 703 of 720 columns at 59:54 are 4:3.
    assert (drawn.plan.video[0].width, drawn.plan.video[0].height) == (768, 576)
    assert drawn.plan.picture.crop is not None


CHART = {
    # The third row of the chart in sRGB of eight bits, as its makers publish it.
    "blue": (56, 61, 150),
    "green": (70, 148, 73),
    "red": (175, 54, 60),
    "yellow": (231, 199, 31),
    "magenta": (187, 86, 149),
    "cyan": (8, 133, 161),
}
PATCHES = (0.148, 0.276, 0.408, 0.538, 0.668, 0.80)
"""Where the chart's columns are in the picture, of its width."""


@pytest.mark.media
def test_a_chart_filmed_in_high_dynamic_range_has_its_colours(tmp_path: Path) -> None:
    drawn = Drawn.of(media_file("real/hlg10-color-test.mp4"), tmp_path)
    width, height = drawn.plan.video[0].width, drawn.plan.video[0].height
    data = drawn.pixels(drawn.chunk(0, 1))

    def chroma(x: float, y: float) -> complex:
        at = int(y * height / 2) * (width // 2) + int(x * width / 2)
        size = width * height
        return complex(data[size + at] - 128, data[size * 5 // 4 + at] - 128)

    for x, (name, rgb) in zip(PATCHES, CHART.items(), strict=True):
        found = chroma(x, 0.568)
        wanted = complex(*(each - 128 for each in numbers([c / 255 for c in rgb], "bt709")[1:]))
        turned = abs(math.degrees(cmath.phase(found / wanted)))
        assert turned < 20, (name, found, wanted)
        # Phones film in stronger colours; other primaries taken for these would be weaker.
        assert abs(found) > abs(wanted), (name, found, wanted)
    for x in PATCHES[:5]:
        assert abs(chroma(x, 0.786)) < 8
