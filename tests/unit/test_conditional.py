"""Ranges and versions that a request asks for, as RFC 9110 reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.gateway.playback.conditional import Unsatisfiable, is_known, wanted
from functions.media.source.byterange import ByteRange

TAG = '"abc"'


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 10),
        ("bytes=9-", 9, 10),
        ("bytes=2-5", 2, 6),
        ("bytes=2-999", 2, 10),
        ("bytes=-3", 7, 10),
        ("bytes=-999", 0, 10),
    ],
)
def test_a_range_is_what_it_says(text: str, start: int, stop: int) -> None:
    assert wanted({"range": text}, TAG, 10) == ByteRange(start, stop)


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_bytes_that_are_not_there_cannot_be_had(text: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted({"range": text}, TAG, 10)


@pytest.mark.parametrize(
    "text", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"]
)
def test_what_is_no_single_range_is_not_asked_for(text: str) -> None:
    assert wanted({"range": text}, TAG, 10) is None


def test_a_range_of_another_version_is_the_whole() -> None:
    assert wanted({"range": "bytes=0-1", "if-range": TAG}, TAG, 10) == ByteRange(0, 2)
    for other in ('"other"', f"W/{TAG}", "Sat, 01 Jan 2000 00:00:00 GMT"):
        assert wanted({"range": "bytes=0-1", "if-range": other}, TAG, 10) is None


@given(size=st.integers(1, 50), first=st.integers(0, 60), last=st.integers(0, 60))
def test_every_range_is_that_of_a_slice(size: int, first: int, last: int) -> None:
    body = bytes(range(size))
    try:
        found = wanted({"range": f"bytes={first}-{last}"}, TAG, size)
    except Unsatisfiable:
        assert first <= last
        assert not body[first : last + 1]
        return
    if first > last:
        assert found is None
    else:
        assert found is not None
        assert body[found.start : found.stop] == body[first : last + 1]


def test_versions_that_the_client_has_are_known() -> None:
    for text in (TAG, f"W/{TAG}", f'"x", {TAG}', "*"):
        assert is_known({"if-none-match": text}, TAG)
    for text in ("", '"x"', "abc", '"abc'):
        assert not is_known({"if-none-match": text}, TAG)
