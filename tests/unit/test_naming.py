"""Names: which keys are sources, and whose."""

from __future__ import annotations

import pytest

from functions.jobs import naming


@pytest.mark.parametrize(
    "key",
    ["t1/film.mp4", "t1/a/b/film.MOV", "t1/no suffix", "t1/ünïcode ✓.mkv", "film.mp4", "t1/a~b.ts"],
)
def test_a_plain_name_is_a_source(key: str) -> None:
    assert naming.is_source(key)


@pytest.mark.parametrize("key", ["t1/../t2/film.mp4", "t1/./film.mp4", "t1//film.mp4"])
def test_a_name_that_nothing_can_be_called_is_no_hidden_one(key: str) -> None:
    assert naming.is_source(key)
    assert not naming.is_addressable(f"uploads/{key}")


@pytest.mark.parametrize(
    "key",
    [
        "t1/film.mp4.json",
        "t1/film.JSON",
        "t1/.film.mp4",
        "t1/.trash/film.mp4",
        ".hidden/film.mp4",
        "t1/film.mp4.part",
        "t1/film.mp4.crdownload",
        "t1/film.mp4.tmp",
        "t1/film.mp4~",
        "t1/",
        "t1/..",
        "..",
        "",
    ],
)
def test_sidecars_and_hidden_and_unfinished_files_are_no_sources(key: str) -> None:
    assert not naming.is_source(key)


@pytest.mark.parametrize(
    ("key", "tenant"),
    [
        ("acme/film.mp4", "acme"),
        ("a-1/b/film.mp4", "a-1"),
        ("film.mp4", ""),
        ("Acme/film.mp4", ""),
        ("-a/film.mp4", ""),
        ("a" * 64 + "/film.mp4", ""),
        ("acme\n/film.mp4", ""),
        ("/film.mp4", ""),
    ],
)
def test_the_first_segment_is_the_tenant_if_it_looks_like_one(key: str, tenant: str) -> None:
    assert naming.tenant_of("uploads", key, {}) == tenant


def test_a_bucket_may_belong_to_one_tenant() -> None:
    assert naming.tenant_of("acme-in", "film.mp4", {"acme-in": "acme"}) == "acme"
    assert naming.tenant_of("uploads", "beta/film.mp4", {"acme-in": "acme"}) == "beta"


@pytest.mark.parametrize(
    "address", ["u/a//b", "u/../b", "u/./b", "u/a\0b", "u/", ".u/a", "u/\udc80", "u/" + "ü" * 510]
)
def test_what_no_store_can_name_is_not_addressable(address: str) -> None:
    assert not naming.is_addressable(address)


def test_other_addresses_are_addressable() -> None:
    assert naming.is_addressable("uploads/t1/a film, 100 %.mp4")
