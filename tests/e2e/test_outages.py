"""Whatever breaks around it: nothing is lost, each job ends once, and tenants stay apart."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.e2e import place as places
from tests.e2e.outages import SCENARIOS
from tests.e2e.place import Place

pytestmark = [pytest.mark.servers, pytest.mark.slow]

FROZEN_S = 12.0
"""Longer than the broker tries, shortened as it is."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with places.place(tmp_path_factory.mktemp("outages"), frozen_s=FROZEN_S) as found:
        yield found


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_was_taken_is_streams_in_the_end(place: Place, name: str) -> None:
    SCENARIOS[name](place, random.Random(0))
