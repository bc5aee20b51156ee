"""File names of clients become one segment of a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.errors import Rejected
from functions import key as keys
from functions.gateway.uploading import filename
from functions.jobs import naming


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("film.mp4", "film.mp4"),
        ("my film (1).mov", "my film (1).mov"),
        ("/home/me/film.mp4", "film.mp4"),
        ("C:\\Videos\\film.mp4", "film.mp4"),
        ("..", "upload"),
        ("../../etc/passwd", "passwd"),
        (".hidden.mp4", "hidden.mp4"),
        ("a\x00b\nc.mp4", "abc.mp4"),
        ("u\u0308ber.mp4", "über.mp4"),
        ("\ud800.mp4", "mp4"),
        ("", "upload"),
        ("   ", "upload"),
        ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
        ("é" * 300, "é" * 100),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_one(given: str, kept: str) -> None:
    assert filename.safe(given) == kept


@pytest.mark.parametrize("name", ["film.json", "film.mp4.part", "film.tmp", "film~"])
def test_names_of_what_is_no_source_are_refused(name: str) -> None:
    with pytest.raises(Rejected) as refused:
        filename.safe(name)
    assert refused.value.code == "name_invalid"


@given(st.text(max_size=400))
def test_every_name_is_a_source_in_one_segment_or_refused(name: str) -> None:
    try:
        kept = filename.safe(name)
    except Rejected:
        return
    assert keys.segments(kept) == (kept,)
    assert naming.is_source(kept)
    assert len(naming.sidecar(kept).encode()) < 255
    assert filename.safe(kept) == kept
