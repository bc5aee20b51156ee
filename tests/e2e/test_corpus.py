"""Each file of the corpus ends as it has to: frame for frame, or with a code and a sentence.

What is asserted of each is in `tests/corpus`: its table, and the judge that holds the end against
it. Here are the films; what is damaged or hostile is in `test_corpus_hostile`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus import table
from tests.corpus.case import Case
from tests.corpus.judge import judge
from tests.corpus.kitchen import Kitchen
from tests.corpus.site import Site


@pytest.mark.parametrize("case", table.FILMS, ids=[case.id for case in table.FILMS])
def test_a_film_ends_as_it_has_to(case: Case, kitchen: Kitchen, tmp_path: Path) -> None:
    ended = Site(tmp_path).bring(case.make(kitchen.bases), key=case.key, options=case.options)
    assert [*judge(case, ended, secret=kitchen.secret), *kitchen.asked()] == []


def test_there_are_as_many_files_as_were_promised() -> None:
    ids = [case.id for case in table.CASES]
    assert len({*ids}) == len(ids) >= 150
