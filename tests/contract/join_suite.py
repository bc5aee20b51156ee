"""What every StateStore keeps of receipts that join, and of progress."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports import StateStore
from tests.contract.waiting import admit, names, waiting


class JoinSuite:
    def test_the_join_is_complete_with_its_last_task_and_ever_after(
        self, state: StateStore
    ) -> None:
        assert not state.complete("job", 1, "v0", total=3)
        assert not state.complete("job", 1, "v2", total=3)
        assert state.complete("job", 1, "v1", total=3)
        assert state.complete("job", 1, "v0", total=3)

    def test_a_generation_joins_for_itself(self, state: StateStore) -> None:
        assert not state.complete("job", 1, "v0", total=2)
        assert not state.complete("job", 2, "v0", total=2)
        assert not state.complete("other", 1, "v1", total=2)
        assert state.complete("job", 1, "v1", total=2)
        assert not state.complete("job", 2, "v0", total=2)

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(order=st.lists(st.integers(0, 5), max_size=30), total=st.integers(1, 6))
    def test_the_join_is_a_set_and_never_a_counter(
        self, state: StateStore, order: list[int], total: int
    ) -> None:
        state.forget("job")
        seen = set()
        for number in (number % total for number in order):
            seen.add(number)
            joined = state.complete("job", 1, f"v{number}", total=total)
            assert joined == (len(seen) == total)

    def test_receipts_are_noted_together(self, state: StateStore) -> None:
        assert not state.complete("job", 1, total=4)
        assert not state.complete("job", 1, "v0", "v1", total=4)
        assert not state.complete("job", 1, "v1", "v2", "v1", total=4)
        assert not state.complete("job", 2, "v0", "v1", "v2", total=4)
        assert state.complete("job", 1, "v0", "v3", total=4)
        assert state.complete("job", 1, total=4)

    def test_of_thousands_noted_together_none_waits_or_holds_a_slot_any_more(
        self, state: StateStore
    ) -> None:
        count = 10_000  # more than Lua takes as arguments of one call
        state.enqueue([waiting("job", order) for order in range(count)])
        state.enqueue([waiting("other", order) for order in range(3)])
        assert len(admit(state, "start", limit=4)) == 4
        every = [f"v{order}" for order in range(count)]
        assert not state.complete("job", 1, *every[:-1], total=count)
        assert admit(state, "rest", limit=9) == [f"job/v{count - 1}", "other/v2"]
        assert state.complete("job", 1, every[-1], total=count)
        assert names(state.slots("job")) == []
        assert names(state.slots("other")) == ["other/v0", "other/v1", "other/v2"]

    def test_some_thread_finds_the_join_complete(self, state: StateStore) -> None:
        def run(thread: int) -> bool:
            mine = range(thread, 80, 8)
            return [state.complete("job", 1, f"v{n}", total=80) for n in mine][-1]

        with ThreadPoolExecutor(8) as pool:
            assert any(pool.map(run, range(8)))

    def test_progress_is_the_last_word_of_each_task(self, state: StateStore) -> None:
        assert state.progress("job") == {}
        state.report_progress("job", 1, "v0", 10)
        state.report_progress("job", 1, "v1", 7)
        state.report_progress("job", 1, "v0", 20)
        state.report_progress("other", 1, "v0", 1)
        assert state.progress("job") == {"v0": 20, "v1": 7}

    def test_progress_is_of_all_generations_the_latest_that_has_the_task(
        self, state: StateStore
    ) -> None:
        state.report_progress("job", 1, "a1", 10)
        state.report_progress("job", 2, "v0", 7)
        state.report_progress("job", 10, "v1", 1)
        state.report_progress("job", 1, "v0", 99)
        state.report_progress("job", 1, "a1", 11)
        assert state.progress("job") == {"a1": 11, "v0": 7, "v1": 1}
