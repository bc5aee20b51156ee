"""Pictures come out the right way up and in their shape, and say so."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from tests.clips import ffmpeg, joined
from tests.integration.corners import HEIGHT, LOSSLESS, WIDTH, corners, letters
from tests.planning import Drawn
from tests.real_media import media_file


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
    made = drawn.encoded()
    assert "Display Matrix" not in made["side_data"]


def test_pictures_that_change_their_size_lose_no_frame_and_are_told_of(tmp_path: Path) -> None:
    parts = []
    for number, size in enumerate(("160x96", "96x160", "320x192")):
        part = tmp_path / f"{number}.ts"
        source = f"testsrc2=s={size}:r=25:d=1"
        codec = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2")
        later = ("-output_ts_offset", str(number))
        ffmpeg("-f", "lavfi", "-i", source, *codec, *later, f"file:{part}")
        parts.append(part)
    drawn = Drawn.of(joined(parts, tmp_path), tmp_path)
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


@pytest.mark.parametrize(
    ("aspect", "width"),
    [("0/1", 96), ("1000/1", 96), ("16/15", 102), ("64/45", 136), ("32/27", 112), ("8/9", 84)],
)
def test_pixels_become_square(aspect: str, width: int, tmp_path: Path) -> None:
    clip = corners(tmp_path / "clip.mov", *LOSSLESS, filters=f"format=yuv420p,setsar={aspect}")
    drawn = Drawn.of(clip, tmp_path)
    assert (drawn.plan.video[0].width, drawn.plan.video[0].height) == (width, HEIGHT)
    assert Fraction(drawn.encoded()["sample_aspect_ratio"].replace(":", "/")) == 1


@pytest.mark.media
def test_a_clean_aperture_is_what_is_shown(tmp_path: Path) -> None:
    drawn = Drawn.of(media_file("real/dv-pal-interlaced.mov"), tmp_path)
    # 703 of 720 columns at 59:54 are 4:3.
    assert (drawn.plan.video[0].width, drawn.plan.video[0].height) == (768, 576)
    assert drawn.plan.picture.crop is not None
