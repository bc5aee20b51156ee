"""A webhook endpoint that verifies what it gets, and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Delivered:
    """A webhook that was verified."""

    id: str
    headers: Mapping[str, str]
    event: dict[str, Any]


@dataclass(slots=True)
class Receiver:
    """An endpoint that answers as it is told, and verifies what it gets."""

    secret: str = ""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next deliveries; afterwards 204."""
    got: list[Delivered] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    url: str = ""

    def take(self, headers: Mapping[str, str], body: bytes) -> int:
        if self.answers and (status := self.answers.pop(0)) != 204:
            return status
        try:
            event = Webhook(self.secret).verify(body, dict(headers))
        except Exception as error:
            self.unverified.append(repr(error))
            return 401
        self.got.append(Delivered(headers["webhook-id"], headers, event))
        return 204

    def verdicts(self, job: str) -> list[Delivered]:
        return [each for each in self.got if each.event["data"].get("job") == job]


@contextmanager
def receiver(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Listening on a free port of that address."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.take(headers, body))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://{host}:{server.server_address[1]}/hook"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
