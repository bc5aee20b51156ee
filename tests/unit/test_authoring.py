"""Every rule of the authoring list can be broken, and says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.jobs import layout
from tests import cmaf
from tests.authoring import attributes, complaints


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("good")
    source = cmaf.source(out / "source.mp4")
    video = [
        cmaf.video(source, out, name="180p", width=320, height=180),
        cmaf.video(source, out, name="120p", width=214, height=120),
    ]
    audio = [cmaf.audio(source, out, name=f"audio-{n}", language="eng") for n in (1, 2)]
    cmaf.present(out, video, audio)
    return out


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        text = (out / path).read_text()
        assert old in text
        (out / path).write_text(text.replace(old, new, 1))

    return harm


def without(path: str, begin: str) -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        lines = (out / path).read_text().splitlines(keepends=True)
        (first, *_) = [number for number, line in enumerate(lines) if line.startswith(begin)]
        del lines[first]
        (out / path).write_text("".join(lines))

    return harm


def without_file(pattern: str) -> Callable[[Path], None]:
    def harm(out: Path) -> None:
        next(iter(sorted(out.glob(pattern)))).unlink()

    return harm


def without_first_segment(out: Path) -> None:
    without(MEDIA, "#EXTINF")(out)
    without(MEDIA, "00000-")(out)


def swapped(out: Path) -> None:
    one, two = sorted((out / "180p").glob("0000[01]-*.m4s"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


MEDIA = "180p/playlist.m3u8"

HARMS: list[tuple[str, Callable[[Path], None]]] = [
    ("the first line is not EXTM3U", without(MEDIA, "#EXTM3U")),
    ("the first line is not EXTM3U", replaced("master.m3u8", "#EXTM3U", "\ufeff#EXTM3U")),
    ("a control character", replaced(MEDIA, "#EXTINF", "\r\n#EXTINF")),
    ("not exactly one EXT-X-VERSION", without(MEDIA, "#EXT-X-VERSION")),
    ("needs version 6", replaced(MEDIA, "VERSION:7", "VERSION:3")),
    ("not exactly one EXT-X-TARGETDURATION", without(MEDIA, "#EXT-X-TARGETDURATION")),
    ("not exactly one EXT-X-MAP", without(MEDIA, "#EXT-X-MAP")),
    ("longer than the target", replaced(MEDIA, "DURATION:2", "DURATION:1")),
    ("differ in their target", replaced(MEDIA, "DURATION:2", "DURATION:3")),
    ("neither EVENT nor VOD", replaced(MEDIA, "EVENT", "LIVE")),
    ("not exactly one EXT-X-ENDLIST", without(MEDIA, "#EXT-X-ENDLIST")),
    ("no EXTINF before", without(MEDIA, "#EXTINF")),
    ("an EXTINF without a segment", replaced(MEDIA, "#EXTINF", "#EXTINF:2.002,\n#EXTINF")),
    ("takes 2.002000 s, not 2.010000", replaced(MEDIA, "2.002", "2.01")),
    ("00001-", without_first_segment),
    ("does not exist", without_file("180p/00003-*.m4s")),
    ("does not exist", without_file("audio-2/init-*.mp4")),
    ("starts at 60060, not at 0 ticks", swapped),
    ("a URI is not relative", replaced("master.m3u8", "\n180p", "\n/180p/../180p")),
    ("a media playlist in a multivariant", replaced("master.m3u8", "\n\n", "\n#EXTINF:1,\n")),
    ("a multivariant playlist in a media", replaced(MEDIA, "\n", "\n#EXT-X-STREAM-INF:X=1\n")),
    ("no EXT-X-INDEPENDENT-SEGMENTS", without("master.m3u8", "#EXT-X-INDEPENDENT")),
    ("not one URI for each", without("master.m3u8", "180p")),
    ("two variants are the same", replaced("master.m3u8", "\n120p", "\n180p")),
    ("without BANDWIDTH", replaced("master.m3u8", ":BANDWIDTH=", ":BANDWITH=")),
    ("without AVERAGE-BANDWIDTH", replaced("master.m3u8", "AVERAGE-", "X-")),
    (
        "AVERAGE-BANDWIDTH is above",
        replaced("master.m3u8", "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=9"),
    ),
    ("BANDWIDTH is 9", replaced("master.m3u8", ":BANDWIDTH=", ":BANDWIDTH=9")),
    ("CODECS ''", replaced("master.m3u8", "CODECS=", "CODES=")),
    ("CODECS is avc1.4d401e", replaced("master.m3u8", 'CODECS="avc1.64000d', 'CODECS="avc1.4d401e')),
    ("without RESOLUTION", replaced("master.m3u8", "RESOLUTION=", "RESOLUTON=")),
    ("without FRAME-RATE", replaced("master.m3u8", "FRAME-RATE=29.970", "FRAME-RATE=29.97")),
    ("without VIDEO-RANGE", replaced("master.m3u8", ",VIDEO-RANGE=SDR", "")),
    ("there is no group sound", replaced("master.m3u8", 'AUDIO="audio-stereo"', 'AUDIO="sound"')),
    ("without NAME", replaced("master.m3u8", 'NAME="Audio 1 (en)"', 'NAME=""')),
    ("have one NAME", replaced("master.m3u8", "Audio 2", "Audio 1")),
    ("not exactly one default", replaced("master.m3u8", "DEFAULT=YES", "DEFAULT=NO")),
    ("not selected automatically", replaced("master.m3u8", "AUTOSELECT=YES", "AUTOSELECT=NO")),
    ("two AUTOSELECT members", replaced("master.m3u8", "AUTOSELECT=NO", "AUTOSELECT=YES")),
    ("a sound without CHANNELS", replaced("master.m3u8", ',CHANNELS="2"', "")),
]


def test_the_good_set_breaks_no_rule(good: Path) -> None:
    assert complaints(good / layout.MASTER) == []


@pytest.mark.parametrize(
    ("said", "harm"), HARMS, ids=[f"{n} {HARMS[n][0]}" for n in range(len(HARMS))]
)
def test_a_broken_rule_is_found(
    good: Path, tmp_path: Path, said: str, harm: Callable[[Path], None]
) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    harm(tmp_path)
    found = complaints(tmp_path / layout.MASTER)
    assert any(said in text for text in found), found


def test_variants_cut_differently_are_found(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "120p/playlist.m3u8"
    lines = path.read_text().splitlines(keepends=True)
    last = len(lines) - 3
    assert lines[last].startswith("#EXTINF")
    path.write_text("".join(lines[:last] + lines[last + 2 :]))
    assert any("cut at different times" in text for text in complaints(tmp_path / layout.MASTER))


def test_what_is_not_complete_need_not_end_nor_be_measured(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    without(MEDIA, "#EXT-X-ENDLIST")(tmp_path)
    replaced("master.m3u8", "AVERAGE-BANDWIDTH", "X")(tmp_path)
    assert complaints(tmp_path / layout.MASTER) != []
    assert complaints(tmp_path / layout.MASTER, complete=False) == []


@pytest.mark.parametrize("text", ["A=1,A=2", "A", "A=1,,B=2", 'A="1"x', "a=1", "A= 1"])
def test_what_is_no_attribute_list_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        attributes(text)


def test_an_attribute_list_is_read_with_its_quotes() -> None:
    assert attributes('A=1,B="x,y=2",C-D=3x4') == {"A": "1", "B": "x,y=2", "C-D": "3x4"}
