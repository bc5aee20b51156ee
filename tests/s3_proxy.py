"""Something that stands between a store and its MinIO, and misbehaves as a test wants it."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from tests import servers

CONDITIONS = frozenset({"if-match", "if-none-match"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came. `path` has the query; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one request."""

    status: int = 0
    """Answered with this, and not forwarded."""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    reset: Literal["", "before", "after"] = ""
    """The connection is reset before the request is forwarded, or after, without the reply."""
    cut_bytes: int = -1
    """The connection is closed after so many bytes of the reply's body."""


@dataclass(slots=True)
class Proxy:
    """`environment` leads to `server` through it."""

    server: servers.Minio
    endpoint: str
    stripped: frozenset[str] = frozenset()
    """Headers that are not forwarded."""
    fault: Callable[[Asked], Fault | None] = lambda _: None
    asked: list[Asked] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**self.server.environment, "AWS_ENDPOINT_URL": self.endpoint}

    def spoil(self, fault: Fault, *, method: str, part: str = "", times: int = 1) -> None:
        """Let the next requests of this method, with `part` in their path, have it."""
        left = threading.Semaphore(times)

        def chosen(asked: Asked) -> Fault | None:
            fits = method == asked.method and part in asked.path
            return fault if fits and left.acquire(blocking=False) else None

        self.fault = chosen

    def count(self, method: str, part: str = "") -> int:
        """The requests of this method, with `part` in their path, until now."""
        return sum(asked.method == method and part in asked.path for asked in self.asked)


@contextmanager
def proxy_before(server: servers.Minio, *, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Runs until the end."""
    with _Listening(("127.0.0.1", 0), _Handler) as listening:
        if tls is not None:
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        scheme = "https" if tls else "http"
        proxy = Proxy(server, f"{scheme}://127.0.0.1:{listening.server_port}")
        listening.proxy = proxy
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            listening.shutdown()
            thread.join()


class _Listening(ThreadingHTTPServer):
    proxy: Proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listening
    _there: http.client.HTTPConnection | None = None

    def do_GET(self) -> None:
        proxy = self.server.proxy
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        asked = Asked(self.command, self.path, headers)
        proxy.asked.append(asked)
        fault = proxy.fault(asked) or Fault()
        if fault.reset == "before":
            self._reset()
        elif fault.status:
            self._answer(fault.status, fault.headers, fault.body, cut_bytes=-1)
        else:
            status, reply, data = self._forwarded(asked, body)
            if fault.reset == "after":
                self._reset()
            else:
                self._answer(status, reply, data, cut_bytes=fault.cut_bytes)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def finish(self) -> None:
        if self._there is not None:
            self._there.close()
        with suppress(OSError):
            super().finish()

    def _forwarded(self, asked: Asked, body: bytes) -> tuple[int, dict[str, str], bytes]:
        proxy = self.server.proxy
        if self._there is None:
            self._there = http.client.HTTPConnection("127.0.0.1", proxy.server.port)
        self._there.putrequest(asked.method, asked.path, skip_host=True, skip_accept_encoding=True)
        for name, value in asked.headers.items():
            if name not in proxy.stripped:
                self._there.putheader(name, value)
        # Who refuses a body may do so before all of it was sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._there.endheaders(body)
        response = self._there.getresponse()
        reply = response.status, dict(response.getheaders()), response.read()
        if response.will_close:
            self._there.close()
        return reply

    def _answer(self, status: int, headers: dict[str, str], body: bytes, *, cut_bytes: int) -> None:
        self.send_response_only(status)
        length = {} if self.command == "HEAD" else {"Content-Length": str(len(body))}
        for name, value in {**headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body if cut_bytes < 0 else body[:cut_bytes])
        self.close_connection = self.close_connection or cut_bytes >= 0

    def _reset(self) -> None:
        """RST: the other side loses also what is on the way to it."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True
