"""A hundred variants of the beginnings of the real files; see `test_fuzz`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus import fuzz

pytestmark = [pytest.mark.media]

VARIANTS = 100


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> fuzz.Seeds:
    return fuzz.real(tmp_path_factory.mktemp("beginnings"))


@pytest.mark.parametrize("number", range(VARIANTS))
def test_a_damaged_file_gets_its_verdict(number: int, seeds: fuzz.Seeds, tmp_path: Path) -> None:
    fuzz.run(seeds, number, tmp_path)
