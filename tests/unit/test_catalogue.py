"""Profile files: what is built in is right, and what is wrong is said with file and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.jobs import catalogue

GOOD = """
name = "mine"
[video]
[[video.ladder]]
height = 480
maxrate_kbps = 1000
bufsize_kbps = 2000
"""


def test_the_built_in_profiles_are_valid() -> None:
    found = catalogue.read([catalogue.BUILT_IN])
    assert {"default", "fast", "archive"} <= {*found}
    default = found["default"]
    assert [rung.height for rung in default.video.ladder] == [1080, 720, 480, 360, 240]
    assert (default.video.crf, default.video.preset) == (23, "medium")
    assert (default.audio.bitrate_kbps, default.audio.channels) == (128, 2)
    assert all(profile.description for profile in found.values())


def test_ladders_fall_with_their_heights() -> None:
    for profile in catalogue.read([catalogue.BUILT_IN]).values():
        rungs = profile.video.ladder
        assert list(rungs) == sorted(rungs, key=lambda rung: -rung.height)
        assert list(rungs) == sorted(rungs, key=lambda rung: -rung.maxrate_kbps)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[video]", "[video]\ncodec = 'vp9'"), "$.video.codec"),
        (("[video]", "[video]\ncfr = 20"), "cfr"),
        (("height = 480", "height = '480'"), "$.video.ladder[0].height"),
        (("height = 480", "height = 8"), "$.video.ladder[0].height"),
        (("maxrate_kbps = 1000\n", ""), "maxrate_kbps"),
        (("bufsize_kbps = 2000", "bufsize_kbps = 100"), "bufsize_kbps"),
        (('"mine"', '"other"'), "name"),
        (("[video]", "[video"), "line"),
        (
            ("height = 480", "height = 480\nmaxrate_kbps=1\nbufsize_kbps=1\n[[video.ladder]]"),
            "maxrate_kbps",
        ),
    ],
)
def test_an_error_names_the_file_and_the_field(change: tuple[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=r"^mine\.toml: ") as caught:
        catalogue.parse("mine.toml", GOOD.replace(*change))
    assert told in str(caught.value)


def test_two_rungs_of_one_height_are_refused() -> None:
    rung = GOOD[GOOD.index("[[video.ladder]]") :]
    with pytest.raises(ValueError, match="height"):
        catalogue.parse("mine.toml", GOOD + rung)


def test_an_own_folder_adds_and_replaces(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD)
    (tmp_path / "fast.toml").write_text(GOOD.replace("mine", "fast"))
    (tmp_path / "README").write_text("no profile")
    found = catalogue.read([catalogue.BUILT_IN, tmp_path])
    assert [rung.height for rung in found["fast"].video.ladder] == [480]
    assert {"default", "mine"} <= {*found}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        catalogue.read([tmp_path / "missing"])


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"mine\.toml"):
        catalogue.read([tmp_path])
