"""A board tells each reader what is new since it read last, and keeps nothing for it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.gateway.live import board
from functions.gateway.live.board import PORTION, Board, Note


def test_a_note_is_an_event_on_the_wire() -> None:
    assert board.note("job", "a", '{"a":1}').wire == b'event: job\ndata: {"a":1}\n\n'
    fact = board.fact("f1", "{}", time_s=5.0)
    assert fact.wire == b"event: fact\ndata: {}\nid: f1\n\n"
    assert (fact.name, fact.time_s) == (board.fact_name("f1"), 5.0)


def test_what_says_nothing_new_is_no_change() -> None:
    shown = Board()
    assert shown.put([board.note("job", "a", "1"), board.note("task", "a", "1")])
    assert not shown.put([board.note("job", "a", "1")])
    assert shown.latest == 2
    assert shown.put([board.note("job", "a", "2")])
    assert [note.wire for _, note in shown.after(0)] == [
        board.note("task", "a", "1").wire,
        board.note("job", "a", "2").wire,
    ]
    assert shown.find("job a") == board.note("job", "a", "2")
    assert shown.find("job b") is None


def test_much_is_taken_in_portions_the_oldest_first() -> None:
    shown = Board()
    shown.put(board.note("task", str(number), "1") for number in range(2 * PORTION + 1))
    sizes, number = [], 0
    while changes := shown.after(number):
        assert [at for at, _ in changes] == list(range(number + 1, number + 1 + len(changes)))
        sizes.append(len(changes))
        number = changes[-1][0]
    assert sizes == [PORTION, PORTION, 1]


@given(
    puts=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3))),
    reads=st.sets(st.integers(0, 100)),
)
def test_whenever_a_reader_comes_by_it_ends_up_knowing_the_newest_of_everything(
    puts: list[tuple[str, int]], reads: set[int]
) -> None:
    shown, known, number = Board(), dict[str, Note](), 0

    def read() -> None:
        nonlocal number
        for at, note in shown.after(number):
            assert at > number
            known[note.name] = note
            number = at

    for step, (name, value) in enumerate(puts):
        shown.put([board.note("job", name, str(value))])
        if step in reads:
            read()
    read()
    assert known == {
        f"job {name}": board.note("job", name, str(value)) for name, value in dict(puts).items()
    }
