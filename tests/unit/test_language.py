from __future__ import annotations

import pytest

from functions.media.streams.language import tag_of


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("eng", "en"), ("ENG", "en"), ("en", "en"), ("en-GB", "en-GB"), ("ger", "de"),
        ("deu", "de"), ("fre", "fr"), ("chi", "zh"), ("zho-Hant", "zh-Hant"), ("gsw", "gsw"),
        ("und", "und"), ("", "und"), ("English", "und"), ('e"n', "und"), ("en\n", "und"),
        ("qaa", "qaa"), ("```", "und"),
    ],
)  # fmt: skip
def test_what_a_container_says_becomes_a_tag(said: str, tag: str) -> None:
    assert tag_of(said) == tag
