"""The activator with functions that end when the test says so; no process, no clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.codec import Message
from knative.autoscaling.concurrency import Concurrency
from knative.local.activator import QUEUE_LIMIT, Activator, Worker
from knative.local.broker.subscriber import Reply, Unreachable

FOREVER = float("inf")


@dataclass
class Function:
    """Holds every request until it is told how to answer."""

    held: list[tuple[bytes, asyncio.Future[Reply]]] = field(default_factory=list)
    most: int = 0

    async def __call__(self, message: Message, *, timeout_s: float) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        entry = (message.body, future)
        self.held.append(entry)
        self.most = max(self.most, len(self.held))
        try:
            return await future
        finally:
            self.held.remove(entry)

    def answer(self, status: int = 204) -> None:
        self.held[0][1].set_result(Reply(status))


@dataclass
class Watch:
    arrivals: int = 0
    idled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def arrived(self) -> None:
        self.arrivals += 1

    def idle(self, worker: Worker) -> None:
        self.idled.append(worker.name)

    def overdue(self, worker: Worker) -> None:
        self.late.append(worker.name)


class Bench:
    def __init__(self, *, limit: int, timeout_s: float = 60.0) -> None:
        self.watch = Watch()
        self.now_ms = 0
        self.concurrency = Concurrency(1_000, keep_ms=60_000, now_ms=0)
        self.activator = Activator(
            limit=limit,
            timeout_s=timeout_s,
            concurrency=self.concurrency,
            watcher=self.watch,
            clock_ms=lambda: self.now_ms,
        )
        self.functions: list[Function] = []

    def add(self) -> Function:
        function = Function()
        self.functions.append(function)
        self.activator.workers.append(Worker(f"w{len(self.functions)}", function))
        self.activator.dispatch()
        return function

    def send(self, body: bytes = b"") -> asyncio.Task[Reply]:
        return asyncio.get_running_loop().create_task(self._send(body))

    async def _send(self, body: bytes) -> Reply:
        return await self.activator(Message({}, body), timeout_s=FOREVER)


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(bounded())


def test_requests_wait_in_order_for_a_process() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        requests = [bench.send(b"%d" % n) for n in range(3)]
        await settle()
        assert bench.activator.waiting == 3
        assert bench.watch.arrivals == 3
        function = bench.add()
        for n in range(3):
            await settle()
            assert [body for body, _ in function.held] == [b"%d" % n]
            function.answer()
        assert [(await request).status for request in requests] == [204, 204, 204]
        assert bench.concurrency.now == 0

    run(scenario)


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_a_process_never_gets_more_than_its_limit(limit: int) -> None:
    async def scenario() -> None:
        bench = Bench(limit=limit)
        functions = [bench.add(), bench.add()]
        requests = [bench.send() for _ in range(40)]
        await settle()
        assert [len(function.held) for function in functions] == [limit, limit]
        while not all(request.done() for request in requests):
            for function in functions:
                if function.held:
                    function.answer()
            await settle()
        assert [function.most for function in functions] == [limit, limit]

    run(scenario)


def test_without_a_limit_everything_goes_on_at_once() -> None:
    async def scenario() -> None:
        bench = Bench(limit=0)
        function = bench.add()
        requests = [bench.send() for _ in range(300)]
        await settle()
        assert len(function.held) == 300
        while function.held:
            function.answer()
            await settle()
        await asyncio.gather(*requests)

    run(scenario)


def test_time_in_the_queue_counts_against_the_timeout() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1, timeout_s=0.01)
        reply = await bench.send()
        assert reply.status == 504
        assert (bench.activator.waiting, bench.concurrency.now) == (0, 0)
        assert bench.watch.late == []

    run(scenario)


def test_a_request_that_takes_too_long_is_answered_504_and_keeps_its_place() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1, timeout_s=0.01)
        function = bench.add()
        assert (await bench.send()).status == 504
        assert bench.watch.late == ["w1"]
        assert (bench.activator.running, bench.concurrency.now) == (1, 1)
        function.answer()
        await settle()
        assert (bench.activator.running, bench.concurrency.now) == (0, 0)
        assert bench.watch.idled == ["w1"]

    run(scenario)


def test_a_sender_that_gives_up_cancels_what_waits_and_nothing_that_runs() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        function = bench.add()
        runs, waits = bench.send(b"runs"), bench.send(b"waits")
        await settle()
        runs.cancel()
        waits.cancel()
        await settle()
        assert [body for body, _ in function.held] == [b"runs"]
        assert (bench.activator.waiting, bench.concurrency.now) == (0, 1)
        function.answer()
        await settle()
        assert bench.concurrency.now == 0
        assert function.held == []

    run(scenario)


def test_a_request_that_nobody_waits_for_is_overdue_all_the_same() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1, timeout_s=0.05)
        function = bench.add()
        request = bench.send()
        await settle()
        request.cancel()
        while bench.watch.late != ["w1"]:
            await asyncio.sleep(0.005)
        function.answer()
        await bench.activator.quiet()

    run(scenario)


@pytest.mark.parametrize("error", [Unreachable("reset"), RuntimeError("odd")])
def test_a_process_that_dies_leaves_its_request_unreachable(error: Exception) -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        function = bench.add()
        request = bench.send()
        await settle()
        function.held[0][1].set_exception(error)
        with pytest.raises(Unreachable):
            await request
        assert bench.concurrency.now == 0

    run(scenario)


def test_a_leaving_process_gets_nothing_more() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        first = bench.add()
        bench.activator.workers[0].leaving = True
        request = bench.send()
        await settle()
        assert first.held == []
        second = bench.add()
        await settle()
        second.answer()
        assert (await request).status == 204

    run(scenario)


def test_the_first_process_with_room_gets_it_so_that_others_can_go() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        functions = [bench.add(), bench.add()]
        for _ in range(3):
            request = bench.send()
            await settle()
            functions[0].answer()
            await request
        assert functions[1].most == 0

    run(scenario)


def test_closed_it_takes_nothing_and_refuses_what_waits() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        function = bench.add()
        runs, waits = bench.send(), bench.send()
        await settle()
        bench.activator.close("going")
        with pytest.raises(Unreachable, match="going"):
            await waits
        with pytest.raises(Unreachable, match="going"):
            await bench.send()
        function.answer()
        assert (await runs).status == 204
        await bench.activator.quiet()

    run(scenario)


def test_more_than_the_queue_holds_is_answered_503() -> None:
    async def scenario() -> None:
        bench = Bench(limit=1)
        requests = [bench.send() for _ in range(QUEUE_LIMIT)]
        await settle()
        assert (await bench.send()).status == 503
        for request in requests:
            request.cancel()
        await asyncio.wait(requests)
        assert (bench.activator.waiting, bench.concurrency.now) == (0, 0)

    run(scenario)


actions = st.lists(
    st.one_of(
        st.just(("send", 0)),
        st.just(("add", 0)),
        st.tuples(st.sampled_from(["answer", "die", "cancel", "leave"]), st.integers(0, 9)),
    ),
    max_size=40,
)


@given(st.integers(1, 3), actions)
def test_whatever_happens_no_request_is_lost_and_no_limit_broken(
    limit: int, happened: list[tuple[str, int]]
) -> None:
    async def scenario() -> None:
        bench = Bench(limit=limit)
        requests: list[asyncio.Task[Reply]] = []
        for action, which in happened:
            workers = bench.activator.workers
            match action:
                case "send":
                    requests.append(bench.send())
                case "add":
                    bench.add()
                case "answer" | "die" if which < len(bench.functions):
                    for _, future in bench.functions[which].held[:1]:
                        if action == "answer":
                            future.set_result(Reply(204))
                        else:
                            future.set_exception(Unreachable("died"))
                case "cancel" if which < len(requests):
                    requests[which].cancel()
                case "leave" if which < len(workers):
                    workers[which].leaving = True
            await settle()
            assert all(len(function.held) <= limit for function in bench.functions)
            held = sum(len(function.held) for function in bench.functions)
            assert bench.concurrency.now == held + bench.activator.waiting
        bench.add()
        await settle()
        while any(function.held for function in bench.functions):
            for function in bench.functions:
                if function.held:
                    function.answer()
            await settle()
        assert all(request.done() for request in requests)
        assert bench.concurrency.now == 0
        await asyncio.gather(*requests, return_exceptions=True)

    run(scenario)
