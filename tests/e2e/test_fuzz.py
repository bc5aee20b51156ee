"""A hundred variants of films of the corpus, damaged by chance: each gets exactly one verdict, in
time and in bounds, and nothing is left of it.

The same numbers are the same variants, here and in `make campaign`, which does thousands.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus import fuzz, mutator
from tests.corpus.kitchen import Kitchen

VARIANTS = 100


@pytest.fixture(scope="module")
def seeds(kitchen: Kitchen) -> Iterator[fuzz.Seeds]:
    yield fuzz.made(kitchen.bases)


@pytest.mark.parametrize("number", range(VARIANTS))
def test_a_damaged_film_gets_its_verdict(number: int, seeds: fuzz.Seeds, tmp_path: Path) -> None:
    fuzz.run(seeds, number, tmp_path)


def test_the_same_number_is_the_same_damage_and_another_is_another(seeds: fuzz.Seeds) -> None:
    names = len(seeds.names)
    assert seeds.variant(7) == seeds.variant(7)
    assert seeds.variant(7) != seeds.variant(7 + names)
    assert {seeds.variant(number)[0] for number in range(names)} == {*seeds.names}


def test_damage_is_done(seeds: fuzz.Seeds) -> None:
    film = seeds.files["fragmented"]
    variants = [mutator.mutated(film, random.Random(number))[0] for number in range(200)]
    changed = [variant for variant in variants if variant != film]
    assert len({*changed}) > 190
    headers = film[: film.index(b"mdat")]
    assert sum(not variant.startswith(headers) for variant in changed) > 60
