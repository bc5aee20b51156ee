"""What every StateStore keeps of leases."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

from functions.ports import StateStore
from tests.fakes import ManualClock


class LeaseSuite:
    def test_a_lease_has_one_holder(self, state: StateStore) -> None:
        assert not state.held("task")
        assert state.acquire("task", "anna", ttl_s=10)
        assert state.held("task")
        assert not state.acquire("task", "ben", ttl_s=10)
        assert state.acquire("other", "ben", ttl_s=10)

    def test_the_holders_of_leases_are_known_while_they_have_them(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.acquire("a", "anna", ttl_s=10)
        state.acquire("b", "ben", ttl_s=20)
        assert state.holders(["a", "b", "free"]) == {"a": "anna", "b": "ben"}
        assert state.holders([]) == {}
        assert state.holders([f"free{number}" for number in range(2000)] + ["a"]) == {"a": "anna"}
        clock.advance(10)
        assert state.holders(["a", "b"]) == {"b": "ben"}
        state.release("b", "ben")
        assert state.holders(["a", "b"]) == {}

    def test_a_lease_can_be_acquired_again_by_its_holder(self, state: StateStore) -> None:
        assert state.acquire("task", "anna", ttl_s=10)
        assert state.acquire("task", "anna", ttl_s=10)

    def test_a_lease_ends_when_its_time_is_over(
        self, state: StateStore, clock: ManualClock
    ) -> None:
        state.acquire("task", "anna", ttl_s=10)
        clock.advance(9)
        assert state.held("task")
        assert not state.acquire("task", "ben", ttl_s=10)
        clock.advance(1)
        assert not state.held("task")
        assert not state.renew("task", "anna", ttl_s=10)
        assert state.acquire("task", "ben", ttl_s=10)
        assert not state.renew("task", "anna", ttl_s=10)

    def test_a_renewed_lease_lives_on(self, state: StateStore, clock: ManualClock) -> None:
        state.acquire("task", "anna", ttl_s=10)
        for _ in range(5):
            clock.advance(8)
            assert state.renew("task", "anna", ttl_s=10)
        assert not state.renew("task", "ben", ttl_s=10)
        assert not state.renew("none", "anna", ttl_s=10)
        assert state.held("task")

    def test_only_the_holder_can_give_a_lease_back(self, state: StateStore) -> None:
        state.acquire("task", "anna", ttl_s=10)
        state.release("task", "ben")
        assert state.held("task")
        state.release("task", "anna")
        state.release("task", "anna")
        assert not state.held("task")
        assert state.acquire("task", "ben", ttl_s=10)

    def test_the_leases_of_one_that_died_are_given_back(self, state: StateStore) -> None:
        for lease, holder in (("a", "anna"), ("b", "anna"), ("c", "ben")):
            state.acquire(lease, holder, ttl_s=10)
        state.release_all("anna")
        assert [state.held(lease) for lease in "abc"] == [False, False, True]
        state.acquire("a", "anna", ttl_s=10)
        state.release_all("")
        assert not any(state.held(lease) for lease in "abc")

    def test_of_many_threads_one_acquires(self, state: StateStore) -> None:
        start = threading.Barrier(8)

        def run(holder: int) -> list[int]:
            start.wait()
            return [n for n in range(20) if state.acquire(f"{n}", f"{holder}", ttl_s=10)]

        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(run, range(8)))
        assert sorted(itertools.chain(*won)) == list(range(20))
