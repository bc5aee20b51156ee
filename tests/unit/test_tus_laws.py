"""However a file is cut into requests, and wherever they break off, it arrives as it was."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.gateway.app import create
from functions.ports import ObjectStore, Uploads
from tests.gateway import Gateway
from tests.rawclient import RawClient
from tests.unit.test_tus import Tus, digest

PART = 16


_request = st.tuples(
    st.lists(st.integers(0, 40), max_size=4),  # lengths of the pieces as they come
    st.sampled_from(["whole", "dropped", "checked", "checked and dropped", "wrong"]),
)


@settings(max_examples=40, deadline=None)
@given(body=st.binary(min_size=1, max_size=150), requests=st.lists(_request, max_size=8))
def test_any_requests_that_break_off_anywhere_give_exactly_the_file(
    body: bytes, requests: list[tuple[list[int], str]]
) -> None:
    tus = Tus(Gateway(part_bytes=PART))
    path = tus.begin(len(body))
    at = 0
    for lengths, kind in requests:
        pieces, end = [], at
        for length in lengths:
            pieces.append(body[end : end + length])
            end += len(pieces[-1])
        sent = body[at:end]
        if kind == "wrong":
            pieces.append(b"")
            told = {"upload_checksum": digest("sha1", b"not " + sent)}
        else:
            told = {"upload_checksum": digest("sha1", sent)} if "checked" in kind else {}
        drop = "dropped" in kind
        answer = tus.patch(path, at, *pieces, drop=drop, **told)
        if kind == "wrong":
            assert answer.status in (460, 409)
        before, at = at, tus.offset(path)
        kept = kind in ("whole", "dropped", "checked")
        assert at == (end if kept else before)
        if at == len(body):
            break
    tus.patch(path, at, body[at:])
    assert tus.stored(path) == body
    assert len({event.job for event in tus.gateway.events}) == 1


class Died(Exception):
    """The process is gone."""


class Mortal:
    """What a process has of a store: dies at a call, before it or after it."""

    def __init__(self, store: object, deaths: list[tuple[int, bool]]) -> None:
        self._store = store
        self._deaths = deaths
        self._calls = 0

    def __getattr__(self, name: str) -> Any:
        there = getattr(self._store, name)
        if not callable(there):
            return there

        def call(*given: Any, **named: Any) -> Any:
            self._calls += 1
            if (self._calls, False) in self._deaths:
                raise Died
            done = there(*given, **named)
            if (self._calls, True) in self._deaths:
                raise Died
            return done

        return call


_deaths = st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=1)


@settings(max_examples=25, deadline=None)
@given(
    body=st.binary(min_size=1, max_size=80),
    lives=st.lists(st.tuples(_deaths, _deaths, st.integers(0, 60)), max_size=6),
)
def test_any_deaths_of_the_gateway_leave_a_file_that_arrives_as_it_was(
    body: bytes, lives: list[tuple[list[tuple[int, bool]], list[tuple[int, bool]], int]]
) -> None:
    tus = Tus(Gateway(part_bytes=PART))
    path = tus.begin(len(body))
    whole = tus.raw
    for store, uploads, length in lives:
        world = replace(
            tus.gateway.world,
            store=cast(ObjectStore, Mortal(tus.gateway.store, store)),
            uploads=cast(Uploads, Mortal(tus.gateway.uploads, uploads)),
        )
        at = tus.offset(path)
        tus.raw = RawClient(create(world), whole.headers)
        with suppress(Died):
            tus.patch(path, at, body[at : at + length])
        tus.raw = whole
    at = tus.offset(path)
    if at < len(body):
        tus.patch(path, at, body[at:])
    assert tus.stored(path) == body
    assert len({event.job for event in tus.gateway.events}) == 1
