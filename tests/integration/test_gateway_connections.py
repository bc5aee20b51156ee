"""Connections to the gateway that ask for nothing whole, or read nothing, over real sockets."""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from functions.gateway.edge.connection import Connection
from tests.gateway_process import gateway
from tests.integration.served import until

GENEROUS_S = 30.0
SOON_S = 0.2
LIMIT = 8
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Impatient(Connection):
    head_s = SOON_S
    reading_s = SOON_S


class App:
    """`/` is answered at once, whatever comes; `/much` without end, until nobody takes it."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = StreamingResponse(self._much()) if scope["path"] == "/much" else Response("ok")
        await answer(scope, receive, send)

    async def _much(self) -> AsyncIterator[bytes]:
        try:
            while True:
                await asyncio.sleep(0)  # uvicorn says at once that it took what nobody takes
                yield b"x" * 2**20
        finally:
            self.gone.set()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before `client`: heads may take their time, on a busy machine too."""
    monkeypatch.setattr(Impatient, "head_s", GENEROUS_S)


@pytest.fixture
def client(app: App) -> Iterator[socket.socket]:
    """A connection to it."""
    config = uvicorn.Config(
        app,
        http=Impatient,
        ws="none",
        lifespan="off",
        log_config=None,
        limit_concurrency=LIMIT,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with socket.create_connection(listening.getsockname(), GENEROUS_S) as connection:
                yield connection
        finally:
            server.should_exit = True
            thread.join()


def answered(connection: socket.socket) -> bool:
    """True once an answer has come whole."""
    seen = b""
    while not seen.endswith(b"ok"):
        seen += (piece := connection.recv(1000))
        assert piece, seen
    return seen.startswith(b"HTTP/1.1 200")


def is_closed(connection: socket.socket) -> bool:
    """True once the other side has gone. Fails where it stays."""
    with suppress(ConnectionError):
        while connection.recv(2**16):
            pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHo"], ids=["nothing", "half a head"])
def test_who_does_not_ask_is_not_waited_for(client: socket.socket, sent: bytes) -> None:
    client.sendall(sent)
    assert is_closed(client)


def test_requests_follow_one_another_on_a_connection(
    patient: None, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        client.sendall(GET[:9])
        client.sendall(GET[9:])
        assert answered(client)
    monkeypatch.setattr(Impatient, "head_s", SOON_S)
    client.sendall(GET + GET[:9])
    assert answered(client)
    assert is_closed(client)


def test_a_body_that_was_answered_before_its_end_is_not_read_for_ever(
    patient: None, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Impatient, "head_s", SOON_S)
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nx")
    assert answered(client)
    assert is_closed(client)


def test_who_does_not_read_is_broken_off(client: socket.socket, app: App) -> None:
    client.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
    assert app.gone.wait(GENEROUS_S)


def test_a_connection_too_many_takes_no_room(
    patient: None, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.gateway.edge.connection.SPARE", 0)
    client.sendall(GET)
    assert answered(client)
    others = [socket.create_connection(client.getpeername(), GENEROUS_S) for _ in range(LIMIT)]
    assert is_closed(others[-1])
    for each in others:
        each.close()


def test_without_room_for_connections_the_process_lives_and_says_so_once(tmp_path: Path) -> None:
    with gateway(tmp_path, store=str(tmp_path / "store")) as running:
        address = ("127.0.0.1", int(running.url.rpartition(":")[2]))
        _, hard = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (32, hard))
        with ExitStack() as open_:
            for _ in range(64):
                connection = open_.enter_context(socket.create_connection(address, GENEROUS_S))
                connection.sendall(GET[:-2])
            until(lambda: "cannot be taken" in running.log.read_text(), "it says so")
        until(
            lambda: httpx2.get(f"{running.url}/ready", timeout=GENEROUS_S).status_code == 200,
            "it is well",
        )
        assert running.log.read_text().count("cannot be taken") == 1
        assert "Traceback" not in running.log.read_text()


def test_who_reads_slowly_is_waited_for_and_who_stops_is_not() -> None:
    timers: list[Callable[[], None]] = []

    class Loop:
        def call_later(self, seconds: float, call: Callable[[int], None], left: int) -> None:
            timers.append(lambda: call(left))

    class Transport:
        left_bytes = 100
        aborted = False

        def get_write_buffer_size(self) -> int:
            return self.left_bytes

        def abort(self) -> None:
            self.aborted = True

    config = uvicorn.Config(App(), http=Connection, lifespan="off", log_config=None)
    loop: Any = Loop()
    transport: Any = Transport()
    connection = Connection(config, uvicorn.server.ServerState(), {}, loop)
    connection.transport = transport
    connection._watch_reading(100)
    for left_bytes, timers_in_all, aborted in ((99, 2, False), (98, 3, False), (98, 3, True)):
        transport.left_bytes = left_bytes
        timers[-1]()
        assert (len(timers), transport.aborted) == (timers_in_all, aborted)
