"""Uploads that pass through one process: as many as there is room for, and some of everybody."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from functions.gateway.edge.problem import Problem
from functions.gateway.uploading.places import Places


def test_no_tenant_keeps_all_others_out() -> None:
    places = Places(16)
    with ExitStack() as taken:
        for _ in range(12):
            taken.enter_context(places.one("slow"))
        with pytest.raises(Problem, match="pass through it"):
            taken.enter_context(places.one("slow"))
        for tenant in ("a", "b", "c", "d"):
            taken.enter_context(places.one(tenant))
        with pytest.raises(Problem):
            taken.enter_context(places.one("e"))
    with places.one("slow"):
        pass


def test_a_wide_one_takes_as_much_room_as_there_is_for_a_tenant_and_gives_it_back() -> None:
    places = Places(4)
    for _ in range(2):
        with places.one("acme") as widen:
            widen(1000)
            with pytest.raises(Problem), places.one("acme"):
                pass
            with places.one("other"):
                pass


def test_what_cannot_be_made_wider_stays_as_it_was() -> None:
    places = Places(4)
    with places.one("a"), places.one("b") as widen:
        widen(2)
        with pytest.raises(Problem):
            widen(3)
        with places.one("c"):
            pass


def test_a_single_place_is_for_anybody() -> None:
    places = Places(1)
    with places.one("acme") as widen:
        widen(5)
        with pytest.raises(Problem), places.one("other"):
            pass
