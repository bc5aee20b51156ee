"""Lookups for requests: a few at a time, so that no name keeps every thread."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eventing.errors import Unavailable
from functions.adapters.reach import FewAtATime, Reach
from functions.webhooks.destination import Forbidden

URL = "https://app.example/hook"


def test_beyond_so_many_lookups_at_once_the_next_has_to_come_again() -> None:
    seen: list[int] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        seen.append(port)
        if len(seen) <= 2:
            few(URL)  # while this one is being looked up
        return ["93.184.215.14"]

    few = FewAtATime(Reach(resolve=resolve), limit=2)
    with pytest.raises(Unavailable) as told:
        few(URL)
    assert (len(seen), told.value.retry_after_s) == (2, 5)
    assert few(URL).addresses == ("93.184.215.14",)


def test_a_place_is_free_again_also_after_what_is_refused() -> None:
    few = FewAtATime(Reach(resolve=lambda host, port: ["127.0.0.1"]), limit=1)
    for _ in range(2):
        with pytest.raises(Forbidden):
            few(URL)
