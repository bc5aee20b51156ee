"""Publishing to a broker that answers this and that, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import JobAccepted
from eventing.errors import Unavailable
from eventing.publish import Publisher, Refused
from tests.contract.event_samples import JOB, event_of

EVENT = event_of(JobAccepted(job=JOB, tenant="acme"))


class Sink:
    """Answers with one status after the other, the last one for ever; 0 drops the connection."""

    def __init__(self, *statuses: int, **headers: str) -> None:
        self.statuses = list(statuses)
        self.headers = headers
        self.taken: list[CloudEvent] = []
        self.connections: set[object] = set()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        self.taken.append(codec.decode(dict(request.headers.items()), body))
        self.connections.add(request.client_address)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            request.close_connection = True
            return
        request.send_response(status)
        for name, value in self.headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("content-length", "0")
        request.end_headers()


@contextmanager
def serving(sink: Sink) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sink.handle(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Time:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept_s: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


@contextmanager
def publishing(sink_url: str, time: Time) -> Iterator[Publisher]:
    publisher = Publisher(
        sink_url,
        deadline_s=20.0,
        sleep=time.sleep,
        clock=lambda: time.now_s,
        uniform=lambda low, high: high,
    )
    try:
        yield publisher
    finally:
        publisher.close()


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_accepted(status: int) -> None:
    sink, time = Sink(status), Time()
    with serving(sink) as url, publishing(url, time) as publish:
        publish(EVENT)
    assert sink.taken == [EVENT]
    assert time.slept_s == []


def test_one_connection_serves_many_events() -> None:
    sink = Sink(202)
    with serving(sink) as url, publishing(url, Time()) as publish:
        for _ in range(3):
            publish(EVENT)
    assert len(sink.connections) == 1


@pytest.mark.parametrize("status", [0, 404, 408, 409, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    sink, time = Sink(status, status, 202), Time()
    with serving(sink) as url, publishing(url, time) as publish:
        publish(EVENT)
    assert sink.taken == [EVENT] * 3
    assert time.slept_s == [0.05, 0.1]


def test_waits_double_up_to_a_cap_and_end_before_the_deadline() -> None:
    sink, time = Sink(503), Time()
    with (
        serving(sink) as url,
        publishing(url, time) as publish,
        pytest.raises(Unavailable, match="it answered 503"),
    ):
        publish(EVENT)
    assert time.slept_s[:7] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    assert set(time.slept_s[6:]) == {2.0}
    assert sum(time.slept_s) < 20.0
    assert len(sink.taken) == len(time.slept_s) + 1


def test_a_wait_that_the_broker_asks_for_is_kept() -> None:
    sink, time = Sink(429, 202, retry_after="3"), Time()
    with serving(sink) as url, publishing(url, time) as publish:
        publish(EVENT)
    assert time.slept_s == [3.0]


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    sink, time = Sink(503, retry_after="3600"), Time()
    with serving(sink) as url, publishing(url, time) as publish, pytest.raises(Unavailable):
        publish(EVENT)
    assert time.slept_s == []


@pytest.mark.parametrize("status", [301, 400, 401, 403, 405, 413, 415, 422])
def test_any_other_answer_is_a_defect_and_not_repeated(status: int) -> None:
    sink, time = Sink(status), Time()
    with serving(sink) as url, publishing(url, time) as publish, pytest.raises(Refused):
        publish(EVENT)
    assert sink.taken == [EVENT]


def test_nobody_listening_is_tried_again_and_then_unavailable() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url, time = f"http://127.0.0.1:{bound.getsockname()[1]}/", Time()
        with publishing(url, time) as publish, pytest.raises(Unavailable, match="ConnectError"):
            publish(EVENT)
    assert len(time.slept_s) > 5


def test_a_sink_that_is_no_url_is_a_defect() -> None:
    with publishing("kinora-broker", Time()) as publish, pytest.raises(Refused):
        publish(EVENT)


def test_a_closed_publisher_opens_again() -> None:
    sink = Sink(202)
    with serving(sink) as url, publishing(url, Time()) as publish:
        publish(EVENT)
        publish.close()
        publish(EVENT)
    assert len(sink.taken) == 2


def test_threads_share_a_publisher() -> None:
    sink = Sink(202)
    with serving(sink) as url, publishing(url, Time()) as publish:
        threads = [threading.Thread(target=publish, args=[EVENT]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sink.taken == [EVENT] * 8
