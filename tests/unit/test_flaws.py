"""What is wrong in a profile: all of it, by field, in words for people."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.jobs import catalogue, flaws
from functions.jobs.flaws import Flaw
from functions.jobs.profile import Profile

RIGHT: dict[str, Any] = {
    "name": "mine",
    "video": {"ladder": [{"height": 720, "maxrate_kbps": 3000, "bufsize_kbps": 6000}]},
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The right profile with one field replaced; dots lead into tables."""
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(RIGHT))
    *tables, name = path.split(".")
    at: Any = fields
    for table in tables:
        at = at[int(table)] if table.isdigit() else at.setdefault(table, {})
    at[int(name) if name.isdigit() else name] = value
    return fields


@pytest.mark.parametrize(
    "path", sorted(catalogue.BUILT_IN.glob("*.toml")), ids=lambda path: path.stem
)
def test_the_built_in_profiles_have_no_flaw(path: Any) -> None:
    fields, found = flaws.of_toml(path.read_text())
    assert fields and not found


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        ("video.crf", 99, "video.crf", "a number from 0 to 51, not 99"),
        ("video.crf", float("nan"), "video.crf", "a number from 0 to 51, not nan"),
        ("video.crf", True, "video.crf", "a number from 0 to 51, not true"),
        ("segment_s", 4.5, "segment_s", "a whole number from 1 to 10, not 4.5"),
        ("segment_s", 10**30, "segment_s", "not so large a number"),
        ("video.preset", "quick", "video.preset", "one of ultrafast, superfast"),
        ("video.presset", "fast", "video.presset", "is `preset` meant?"),
        ("name", "My Profile", "name", "lower-case letters, digits and hyphens"),
        ("name", "mine\n", "name", "lower-case letters"),
        ("video", [], "video", "a table, not a list"),
        ("video.ladder", {}, "video.ladder", "a list, not a table"),
        ("video.ladder", [], "video.ladder", "has to hold 1 to 12, not 0"),
        ("video.ladder.0.height", "720", "video.ladder[0].height", "not `720`"),
        ("video.ladder.0.bufsize_kbps", 100, "video.ladder[0].bufsize_kbps", "1500 or more"),
        ("audio.channels", 6, "audio.channels", "from 1 to 2"),
        ("audio.surround_kbps", 64, "audio.surround_kbps", "from 128 to 1024, not 64"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_what_it_has_to_be(
    path: str, value: object, field: str, words: str
) -> None:
    (flaw,) = flaws.of_profile(changed(path, value))
    assert flaw.field == field
    assert words in flaw.problem


def test_everything_that_is_wrong_is_told_at_once() -> None:
    found = flaws.of_profile({"video": {"crf": -1, "ladder": [{"height": 1}]}, "colour": "red"})
    assert {flaw.field for flaw in found} == {
        "colour",
        "name",
        "video.crf",
        "video.ladder[0].height",
        "video.ladder[0].maxrate_kbps",
        "video.ladder[0].bufsize_kbps",
    }


def test_a_height_is_there_once() -> None:
    rung = RIGHT["video"]["ladder"][0]
    (flaw,) = flaws.of_profile(changed("video.ladder", [rung, rung]))
    assert flaw == Flaw("video.ladder[1].height", "is that of video.ladder[0] too")


@pytest.mark.parametrize("text", ["a = ", "[" * 5000, "a = 1\na = 2", "a = " + "1" * 5000])
def test_what_is_no_toml_is_told_so(text: str) -> None:
    fields, (flaw,) = flaws.of_toml(text)
    assert fields is None
    assert flaw.problem.startswith("is no TOML")


def test_no_more_is_told_than_somebody_reads() -> None:
    assert len(flaws.of_profile({f"x{number}": 1 for number in range(1000)})) == flaws.MOST


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [
        "name",
        "segment_s",
        "chunk_s",
        "video",
        "video.crf",
        "video.ladder",
        "video.ladder.0",
        "video.ladder.0.height",
        "audio",
        "audio.codec",
        "description",
        "other",
    ]
)


@given(PATHS, PLAIN)
def test_there_is_a_flaw_exactly_where_the_profile_is_not_taken(path: str, value: object) -> None:
    fields = changed(path, value)
    try:
        profile = msgspec.convert(fields, Profile)
        heights = [rung.height for rung in profile.video.ladder]
        taken = len(set(heights)) == len(heights) and all(
            rung.bufsize_kbps >= rung.maxrate_kbps // 2 for rung in profile.video.ladder
        )
    except msgspec.ValidationError:
        taken = False
    found = flaws.of_profile(fields)
    if taken:
        # `$` in a pattern lets a line feed at the end pass, and no number is within no bounds.
        assert all("\n" in str(value) or value != value for _ in found)
    else:
        assert found
    for flaw in found:
        (flaw.field + flaw.problem).encode()
