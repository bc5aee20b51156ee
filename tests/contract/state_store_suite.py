"""What every StateStore keeps of the port's promises. An adapter's test inherits these classes.

`StateStoreSuite` wants the fixtures `clock`, which the tests advance, and `state`, which lives by
it; `SharedStateStoreSuite` also `location`, an address at which other processes find it.
"""

from __future__ import annotations

import itertools

from functions.ports import StateStore
from tests.contract.admission_suite import AdmissionSuite
from tests.contract.join_suite import JoinSuite
from tests.contract.lease_suite import LeaseSuite
from tests.contract.racer import race
from tests.contract.waiting import waiting


class StateStoreSuite(LeaseSuite, JoinSuite, AdmissionSuite):
    """All of them."""


class SharedStateStoreSuite(StateStoreSuite):
    def test_processes_together_never_exceed_the_limit(
        self, state: StateStore, location: str
    ) -> None:
        state.enqueue([waiting("job", order) for order in range(500)])
        granted = race("admit", location, names="ABCD", count=50)
        tasks = list(itertools.chain(*granted.values()))
        assert len(tasks) == len(set(tasks)) == 50

    def test_some_process_finds_the_join_complete(self, state: StateStore, location: str) -> None:
        completed = race("complete", location, names="ABCD", count=50)
        assert any(completed.values())
        assert state.complete("job", 1, "A0", total=200)
