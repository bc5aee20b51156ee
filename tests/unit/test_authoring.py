"""Every rule of the authoring list can be broken, and says so by its number."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from functions.jobs import layout
from tests import authored, h264
from tests.authored import (
    MEDIA,
    Harm,
    reencoded,
    renamed,
    replaced,
    without,
    without_file,
    without_key_frame,
)
from tests.authoring import RULES, attributes, complaints, growth_complaints


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authored.good(tmp_path_factory.mktemp("good"))


def without_first_segment(out: Path) -> None:
    without(MEDIA, "#EXTINF")(out)
    without(MEDIA, "00000-")(out)


def swapped(out: Path) -> None:
    one, two = sorted((out / "180p").glob("0000[01]-*.m4s"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def named_twice(out: Path) -> None:
    path = out / MEDIA
    names = [line for line in path.read_text().splitlines() if line.endswith(".m4s")]
    path.write_text(path.read_text().replace(names[1], names[0]))


def shorter(out: Path) -> None:
    path = out / "audio-2/playlist.m3u8"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:-5], lines[-1]]))


def without_last_variant(out: Path) -> None:
    path = out / "master.m3u8"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))


def emptied(out: Path) -> None:
    path = out / MEDIA
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "EXTINF" not in line and ".m4s" not in line))


UNUSED = (
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="z",NAME="Audio 1 (en)",LANGUAGE="en",DEFAULT=YES,'
    'AUTOSELECT=YES,CHANNELS="2",URI="audio-1/playlist.m3u8"\n#EXT-X-STREAM-INF'
)

MASTER = layout.MASTER

HARMS: list[tuple[int, str, Harm]] = [
    (1, "the first line is not EXTM3U", without(MEDIA, "#EXTM3U")),
    (1, "the first line is not EXTM3U", replaced(MASTER, "#EXTM3U", "\ufeff#EXTM3U")),
    (2, "a control character", replaced(MEDIA, "#EXTINF", "\r\n#EXTINF")),
    (3, "not exactly one EXT-X-VERSION", without(MEDIA, "#EXT-X-VERSION")),
    (3, "needs version 6", replaced(MEDIA, "VERSION:7", "VERSION:3")),
    (10, "not exactly one EXT-X-TARGETDURATION", without(MEDIA, "#EXT-X-TARGETDURATION")),
    (14, "not exactly one EXT-X-MAP", without(MEDIA, "#EXT-X-MAP")),
    (15, "longer than the target", replaced(MEDIA, "DURATION:2", "DURATION:1")),
    (82, "differ in their target", replaced(MEDIA, "DURATION:2", "DURATION:3")),
    (11, "neither EVENT nor VOD", replaced(MEDIA, "EVENT", "LIVE")),
    (12, "not exactly one EXT-X-ENDLIST", without(MEDIA, "#EXT-X-ENDLIST")),
    (13, "no EXTINF before", without(MEDIA, "#EXTINF")),
    (13, "an EXTINF without a segment", replaced(MEDIA, "#EXTINF", "#EXTINF:2.002,\n#EXTINF")),
    (30, "takes 2.002000 s, not 2.010000", replaced(MEDIA, "2.002", "2.01")),
    (31, "00001-", without_first_segment),
    (17, "does not exist", without_file("180p/00003-*.m4s")),
    (17, "does not exist", without_file("audio-2/init-*.mp4")),
    (31, "starts at 60060, not at 0 ticks", swapped),
    (5, "a URI is not relative", replaced(MASTER, "\n180p", "\n/180p/../180p")),
    (4, "a media playlist in a multivariant", replaced(MASTER, "\n\n", "\n#EXTINF:1,\n")),
    (4, "a multivariant playlist in a media", replaced(MEDIA, "\n", "\n#EXT-X-STREAM-INF:X=1\n")),
    (40, "no EXT-X-INDEPENDENT-SEGMENTS", without(MASTER, "#EXT-X-INDEPENDENT")),
    (41, "not one URI for each", without(MASTER, "180p")),
    (42, "two variants are the same", replaced(MASTER, "\n120p", "\n180p")),
    (43, "without BANDWIDTH", replaced(MASTER, ":BANDWIDTH=", ":BANDWITH=")),
    (44, "without AVERAGE-BANDWIDTH", replaced(MASTER, "AVERAGE-", "X-")),
    (
        44,
        "AVERAGE-BANDWIDTH is above",
        replaced(MASTER, "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=9"),
    ),
    (70, "BANDWIDTH is 9", replaced(MASTER, ":BANDWIDTH=", ":BANDWIDTH=9")),
    (45, "CODECS ''", replaced(MASTER, "CODECS=", "CODES=")),
    (
        72,
        "CODECS is avc1.4d401e",
        replaced(MASTER, 'CODECS="avc1.64000d', 'CODECS="avc1.4d401e'),
    ),
    (46, "without RESOLUTION", replaced(MASTER, "RESOLUTION=", "RESOLUTON=")),
    (47, "without FRAME-RATE", replaced(MASTER, "FRAME-RATE=29.970", "FRAME-RATE=29.97")),
    (48, "without VIDEO-RANGE", replaced(MASTER, ",VIDEO-RANGE=SDR", "")),
    (
        56,
        "there is no group sound",
        replaced(MASTER, 'AUDIO="audio-stereo"', 'AUDIO="sound"'),
    ),
    (50, "without NAME", replaced(MASTER, 'NAME="Audio 1 (en)"', 'NAME=""')),
    (53, "have one NAME", replaced(MASTER, "Audio 2", "Audio 1")),
    (54, "not exactly one default", replaced(MASTER, "DEFAULT=YES", "DEFAULT=NO")),
    (52, "not selected automatically", replaced(MASTER, "AUTOSELECT=YES", "AUTOSELECT=NO")),
    (55, "two AUTOSELECT members", replaced(MASTER, "AUTOSELECT=NO", "AUTOSELECT=YES")),
    (51, "a sound without CHANNELS", replaced(MASTER, ',CHANNELS="2"', "")),
    (16, "there is no segment", emptied),
    (18, "where nothing is ever removed", replaced(MEDIA, "SEQUENCE:0", "SEQUENCE:5")),
    (19, "named twice", named_twice),
    (32, "does not start with a sync sample", without_key_frame),
    (33, "has no mvex", renamed("180p/init-*.mp4", b"mvex", b"free")),
    (33, "is not ftyp and moov", renamed("180p/init-*.mp4", b"ftyp", b"free")),
    (34, "has no tfdt", renamed("180p/00001-*.m4s", b"tfdt", b"free")),
    (34, "is ['free', 'mdat']", renamed("180p/00001-*.m4s", b"moof", b"free")),
    (57, "no variant uses group z", replaced(MASTER, "#EXT-X-STREAM-INF", UNUSED)),
    (58, "different members", replaced(MASTER, "Audio 2 (en)", "Audio 3 (en)")),
    (59, "LANGUAGE 'EN US'", replaced(MASTER, 'LANGUAGE="en"', 'LANGUAGE="EN US"')),
    (60, "is not there once for each group", without_last_variant),
    (
        71,
        "AVERAGE-BANDWIDTH is 1",
        replaced(MASTER, "AVERAGE-BANDWIDTH=", "AVERAGE-BANDWIDTH=1,X="),
    ),
    (73, "RESOLUTION is 322x180", replaced(MASTER, "320x180", "322x180")),
    (73, "samples of (4, 3)", reencoded("-vf", "setsar=4/3")),
    (74, "FRAME-RATE is 30.000", replaced(MASTER, "29.970", "30.000")),
    (75, "VIDEO-RANGE is PQ", replaced(MASTER, "RANGE=SDR", "RANGE=PQ")),
    (75, "transfer 16", reencoded("-vf", "setparams=color_trc=smpte2084")),
    (76, "CHANNELS is 1, the sound has 2", replaced(MASTER, 'CHANNELS="2"', 'CHANNELS="1"')),
    (77, "level 60", renamed("180p/init-*.mp4", b"\x67\x64\x00\x0d", b"\x67\x64\x00\x3c")),
    (77, "profile 110", reencoded("-pix_fmt", "yuv420p10le")),
    (78, "may be fields", reencoded("-flags", "+ilme+ildct")),
    (79, "more than 60 pictures", replaced(MASTER, "29.970", "60.001")),
    (80, "different colours", reencoded("-vf", "setparams=colorspace=bt709")),
    (83, "not equally long", shorter),
]


def test_the_good_set_breaks_no_rule(good: Path) -> None:
    assert complaints(good / MASTER) == []


@pytest.mark.parametrize(
    ("rule", "said", "harm"), HARMS, ids=[f"{n} {each[1]}" for n, each in enumerate(HARMS)]
)
def test_a_broken_rule_is_found(
    good: Path, tmp_path: Path, rule: int, said: str, harm: Harm
) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    harm(tmp_path)
    found = complaints(tmp_path / MASTER)
    assert any(said in text and f"(rule {rule}: " in text for text in found), found


def test_each_rule_was_shown_to_find_what_it_is_for() -> None:
    shown = {rule for rule, _, _ in HARMS} | {20, 81}  # by tests of their own
    assert shown == set(RULES)


def test_every_rule_names_its_source() -> None:
    for source, said in RULES.values():
        assert re.match(r"(\d|A, |ours)", source)
        assert said


def test_a_playlist_that_changes_what_it_said_is_found(good: Path, tmp_path: Path) -> None:
    text = (good / MEDIA).read_text()
    lines = text.splitlines(keepends=True)
    before, after = tmp_path / "before.m3u8", tmp_path / "after.m3u8"
    before.write_text("".join(lines[:-3]))
    for wrong, said in [
        (text, ""),
        (text.replace("2.002", "2.003", 1), "changed or is gone"),
        ("".join(lines[:-5]), "changed or is gone"),
    ]:
        after.write_text(wrong)
        found = growth_complaints(before, after)
        assert bool(found) is bool(said)
        assert all(said in each and "(rule 20: " in each for each in found)
    before.write_text(text)
    after.write_text(text + "#EXTINF:2,\nmore.m4s\n")
    assert any("goes on" in each for each in growth_complaints(before, after))


def test_pictures_are_read_as_they_say_they_are(good: Path) -> None:
    found = h264.pictures(next(good.glob("120p/init-*.mp4")).read_bytes())
    assert (found.width, found.height, found.aspect) == (214, 120, (1, 1))
    assert found.progressive and (found.profile, found.primaries) == (100, 2)


def test_variants_cut_differently_are_found(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "120p/playlist.m3u8"
    lines = path.read_text().splitlines(keepends=True)
    last = len(lines) - 3
    assert lines[last].startswith("#EXTINF")
    path.write_text("".join(lines[:last] + lines[last + 2 :]))
    assert any("different times (rule 81: " in text for text in complaints(tmp_path / MASTER))


def test_what_is_not_complete_need_not_end_nor_be_measured(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    without(MEDIA, "#EXT-X-ENDLIST")(tmp_path)
    replaced("master.m3u8", "AVERAGE-BANDWIDTH", "X")(tmp_path)
    assert complaints(tmp_path / MASTER) != []
    assert complaints(tmp_path / MASTER, complete=False) == []


@pytest.mark.parametrize("text", ["A=1,A=2", "A", "A=1,,B=2", 'A="1"x', "a=1", "A= 1"])
def test_what_is_no_attribute_list_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        attributes(text)


def test_an_attribute_list_is_read_with_its_quotes() -> None:
    assert attributes('A=1,B="x,y=2",C-D=3x4') == {"A": "1", "B": "x,y=2", "C-D": "3x4"}
