"""The way to an S3 service keeps no connection that it would not use again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.adapters.s3 import wire
from functions.adapters.s3.account import Account
from functions.adapters.s3.wire import Request, Wire

AT_ONCE = 4


class Service:
    """Answers as soon as so many ask at once, and sees which connections are over."""

    def __init__(self) -> None:
        self.asked = threading.Barrier(AT_ONCE)
        self.over = threading.Semaphore(0)

    @contextmanager
    def served(self) -> Iterator[str]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                service.asked.wait(10)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def finish(self) -> None:
                super().finish()
                service.over.release()

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


def test_connections_that_a_busy_moment_left_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_IDLE_S", 0.0)
    service = Service()
    with service.served() as url:
        account = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": url}
        way = Wire(Account.read(account))
        with ThreadPoolExecutor(AT_ONCE) as threads:
            requests = [Request(method="HEAD", bucket="work", name="a")] * AT_ONCE
            assert [reply.status for reply in threads.map(way.send, requests)] == [200] * AT_ONCE
        for _ in range(AT_ONCE - 1):
            assert service.over.acquire(timeout=60)
        assert not service.over.acquire(blocking=False)
        del way  # closes what is left, which the server waits for
