"""The judge of real files passes what is right and finds each way of being wrong, where pictures
move everywhere; and what is made of two fields comes out as it was before.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.clips import ffmpeg
from tests.e2e import shown
from tests.e2e.command import Desk
from tests.reference import decode, defects, likeness
from tests.reference.truth import BT601, HLG, Picture, Truth

FILM = Picture(frames=24, rate=Fraction(25), width=256, height=144, colour=BT601)
TALL = replace(FILM, width=144, height=256, turn="transpose=clock")
LIGHT = replace(FILM, colour=HLG)
VIEW = decode.View(width=256, height=144, matrix="smpte170m")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "source.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=256x144:rate=25", "-frames:v", "24",
        "-vf", "scroll=h=0.02:v=0.013,format=yuv420p", "-c:v", "libx264", "-qp", "8",
        "-preset", "ultrafast", str(path),
    )  # fmt: skip
    return path


def encoded(source: Path, filters: str, folder: Path) -> Path:
    """A result as an encoder would leave it, of pictures that these filters make."""
    path = folder / "result" / "result.mp4"
    path.parent.mkdir()
    raw = folder / "raw.nut"
    decode.decoded(source, {raw: filters})
    ffmpeg(
        "-r", "25", "-i", str(raw), "-frames:v", "24",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18",
        "-colorspace", "smpte170m", "-color_range", "tv", str(path),
    )  # fmt: skip
    return path


def complaints(film: Picture, source: Path, result: Path, folder: Path) -> list[str]:
    references = folder / "references"
    references.mkdir()
    return shown.compared(film, source, [(result, shown.tags(result))], references).complaints


CASES = [
    *((FILM, name) for name, _ in defects.wrong(FILM, VIEW)),
    (TALL, "turned"),
    (LIGHT, "untoned"),
]


@pytest.mark.parametrize(
    ("film", "name"), CASES, ids=[f"{film.turn}{film.colour.matrix}-{name}" for film, name in CASES]
)
def test_a_result_that_is_wrong_in_one_way_is_found(
    source: Path, tmp_path: Path, film: Picture, name: str
) -> None:
    view = replace(VIEW, width=film.width, height=film.height)
    result = encoded(source, dict(defects.wrong(film, view))[name], tmp_path)
    assert complaints(film, source, result, tmp_path) != []


@pytest.mark.parametrize("film", [FILM, TALL, LIGHT], ids=["plain", "turned", "hlg"])
def test_a_right_result_passes_and_proves_everything(
    source: Path, tmp_path: Path, film: Picture
) -> None:
    view = replace(VIEW, width=film.width, height=film.height)
    result = encoded(source, decode.filters(film, view), tmp_path)
    (tmp_path / "references").mkdir()
    looks = shown.compared(film, source, [(result, shown.tags(result))], tmp_path / "references")
    assert looks.complaints == []
    assert looks.shows == {name for name, _ in defects.wrong(film, view)}


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ("not of the shape", {"width": 250}),
        ("larger than", {"width": 512, "height": 288}),
        ("pixels", {"pixels": "16:11"}),
        ("range", {"range": "pc"}),
        ("matrix", {"matrix": "bt709"}),
        ("primaries", {"primaries": "bt709"}),
        ("transfer", {"transfer": "arib-std-b67"}),
    ],
)
def test_a_stream_that_says_what_is_not_so_is_found(said: str, change: dict[str, Any]) -> None:
    right = shown.Tags(
        width=256, height=144, matrix="smpte170m", transfer="bt709", primaries="smpte170m",
        range="tv", pixels="1:1",
    )  # fmt: skip
    assert list(shown.untrue(FILM, right)) == []
    assert any(said in text for text in shown.untrue(FILM, replace(right, **change)))


@pytest.mark.parametrize("parity", ["tff", "bff"])
def test_two_fields_become_one_picture_of_the_moment_of_the_first(
    desk: Desk, tmp_path: Path, parity: str
) -> None:
    source = tmp_path / "fields.mp4"
    weave = {"tff": "interleave_top", "bff": "interleave_bottom"}[parity]
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=50", "-frames:v", "25",
        "-vf", f"scroll=h=0.004:v=0.004,tinterlace={weave},format=yuv420p",
        "-c:v", "libx264", "-qp", "8", "-preset", "ultrafast", "-flags", "+ildct+ilme",
        "-x264-params", f"{parity}=1", str(source),
    )  # fmt: skip
    (desk.folder / "profiles" / "judged.toml").write_text(shown.JUDGED)
    ran = desk.run("transcode", source, "-o", tmp_path / "out", "--profile", "judged", cwd=tmp_path)
    assert ran.code == 0, ran.err

    film = Picture(frames=25, rate=Fraction(25), width=320, height=240, colour=BT601, scan=parity)
    truth = Truth(name=source.name, seen="two fields a picture", picture=film)
    real = shown.Shown.read(truth, source, tmp_path / "out")
    playlist, said = real.rungs[0]
    assert (said.width, said.height) == (320, 240)
    view = decode.View(width=320, height=240, matrix=said.matrix)
    other = {"tff": "bff", "bff": "tff"}[parity]
    ways = {scan: tmp_path / f"{scan}.nut" for scan in (parity, other, "progressive")}
    decode.decoded(
        source,
        {path: decode.filters(replace(film, scan=scan), view) for scan, path in ways.items()},
    )
    found = likeness.measured([(playlist, path) for path in ways.values()])
    right, swapped, combed = (list(each.complaints(likeness.Limits())) for each in found)
    assert right == []
    assert len(found[0].ssim) == film.frames
    assert swapped
    assert combed
