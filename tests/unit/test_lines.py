"""An endpoint that is slow, hangs or fails holds up no delivery to another."""

from __future__ import annotations

from dataclasses import replace

from functions.jobs import leases
from functions.notifier import lines
from functions.notifier.lines import Lines
from functions.notifier.round import LOOK_S
from tests.mailbox import HUNG, JOB, TOOK_IT, Mailbox


def test_an_endpoint_that_failed_a_moment_ago_is_not_tried_at_a_verdict() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG, TOOK_IT])
    box.endpoint("two")
    box.handle()
    box.handle(box.end("2" * 32))
    assert box.receivers.names.count("one") == 1
    assert box.states("2" * 32) == {"one": "waiting", "two": "delivered"}
    assert not box.pauses
    box.tick()
    assert box.states("2" * 32) == {"one": "delivered", "two": "delivered"}


def crowd(box: Mailbox, name: str, count: int, *, for_s: float = 60) -> int:
    """So many others deliver to an endpoint for so long; how many of them may."""
    endpoint = box.read_endpoint(name)
    lined = [
        Lines(state=box.state, holder=f"other-{number}", lease_s=for_s).take(endpoint, broken=False)
        for number in range(count)
    ]
    return sum(line is not None for line in lined)


def test_only_so_many_deliveries_go_to_an_endpoint_at_a_time() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle(box.end("2" * 32))
    assert crowd(box, "one", 20) == lines.MOST
    box.handle()
    assert len(box.receivers.got) == 1
    assert box.states() == {"one": "waiting"}
    box.tick(60)
    assert box.states() == {"one": "delivered"}


def test_few_deliveries_go_to_an_endpoint_that_took_nothing_lately() -> None:
    box = Mailbox()
    box.endpoint("new")
    box.endpoint("old")
    box.handle()
    box.clock.advance(lines.PROVEN_S)
    assert crowd(box, "old", 20) == crowd(box, "new", 20) == lines.FEW


def test_an_endpoint_where_nothing_moves_is_not_waited_for() -> None:
    box = Mailbox()
    box.endpoint("one")
    crowd(box, "one", lines.FEW)
    box.clock.advance(lines.MOVING_S)
    box.handle()
    assert not box.pauses
    assert box.states() == {"one": "waiting"}


def test_nobody_waits_for_the_line_of_another() -> None:
    box = Mailbox()
    box.endpoint("crowded")
    box.endpoint("well")
    crowd(box, "crowded", lines.FEW)
    waited: list[float] = []
    box.receivers.meanwhile = lambda: waited.append(sum(box.pauses))
    box.handle()
    assert box.states() == {"crowded": "waiting", "well": "delivered"}
    assert waited == [0.0]


def test_nobody_waits_for_a_line_after_an_endpoint_of_the_message_hung() -> None:
    box = Mailbox()
    box.endpoint("crowded")
    box.endpoint("bad", answers=[HUNG])
    crowd(box, "crowded", lines.FEW)
    box.handle()
    assert not box.pauses
    assert box.states() == {"crowded": "waiting", "bad": "waiting"}


def test_nobody_waits_for_a_line_after_an_endpoint_of_the_message_was_slow() -> None:
    box = Mailbox()
    box.endpoint("crowded")
    box.endpoint("slow", answers=[replace(TOOK_IT, ms=14_000)])
    crowd(box, "crowded", lines.FEW)

    def move() -> None:
        box.state.acquire(leases.moving("t1", "crowded"), "lines", ttl_s=60)

    box.receivers.before_the_next = move
    box.handle()
    assert LOOK_S not in box.pauses
    assert box.states() == {"crowded": "waiting", "slow": "delivered"}


def test_an_endpoint_that_fails_is_tried_by_one_delivery_at_a_time() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG])
    box.handle()
    box.state.acquire(leases.line("t1", "one", 0), "others", ttl_s=600)
    box.tick(10)
    assert len(box.receivers.got) == 1
    box.state.release_all("others")
    box.tick(50)
    assert len(box.receivers.got) == 2


def test_whoever_answers_is_done_with_while_another_hangs() -> None:
    box = Mailbox()
    box.endpoint("good")
    box.endpoint("bad", answers=[HUNG])
    seen: list[bool] = []

    def look() -> None:
        assert box.states() == {"good": "delivered", "bad": "waiting"}
        seen.extend(box.state.held(leases.line("t1", name, 0)) for name in ("good", "bad"))

    box.receivers.before_the_next = look
    box.handle()
    assert seen == [False, True]


def test_a_line_to_an_endpoint_that_is_well_is_waited_for_a_moment() -> None:
    box = Mailbox()
    box.endpoint("one")
    crowd(box, "one", lines.FEW, for_s=0.3)
    box.handle()
    assert box.states() == {"one": "delivered"}
    assert 0.2 < sum(box.pauses) < 0.5


def test_a_message_is_handled_by_one_at_a_time() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.receivers.meanwhile = lambda: box.handle() if len(box.receivers.got) < 3 else None
    box.handle()
    assert len(box.receivers.got) == 1
    assert box.states() == {"one": "delivered"}


def test_no_lease_is_left() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle()
    assert not box.state.held(leases.message("t1", JOB))
    assert not box.state.held(leases.line("t1", "one", 0))
