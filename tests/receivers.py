"""Real HTTP servers on a loopback address that answer webhooks, well or badly."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass
class Receiver:
    """A server that keeps what it got."""

    url: str
    port: int
    got: list[Request] = field(default_factory=list)
    reply: Reply = lambda handler: handler.answer(204)
    ending: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One request; `reply` of the receiver answers it."""

    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.got.append(Request(self.path, headers, body))
        with suppress(OSError):  # whoever asked may have gone
            self.receiver.reply(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants to read it."""


def hang(handler: Handler) -> None:
    """Say nothing until the end."""
    handler.receiver.ending.wait()


def drip_head(handler: Handler) -> None:
    """An answer that never gets as far as its body, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not handler.receiver.ending.wait(0.02):
        handler.wfile.write(b"x")


def drip_body(handler: Handler) -> None:
    """An answer whose body never ends, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while not handler.receiver.ending.wait(0.02):
        handler.wfile.write(b"x")


def flood(handler: Handler) -> None:
    """More body than anybody wants to read."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    while not handler.receiver.ending.is_set():
        handler.wfile.write(b"y" * 65536)


def nonsense(handler: Handler) -> None:
    """Something that is no HTTP."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


def close(handler: Handler) -> None:
    """Not a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def free_port(*hosts: str) -> int:
    """One that is free at all of these addresses."""
    for _ in range(100):
        with ExitStack() as stack, suppress(OSError):
            port = 0
            for host in hosts:
                probe = stack.enter_context(socket.socket())
                probe.bind((host, port))
                port = probe.getsockname()[1]
            return port
    raise AssertionError(f"no port is free at {' and '.join(hosts)}")


@contextmanager
def receiver(
    reply: Reply | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Receiver]:
    """A server on a free port, or on `port`; with `tls` it speaks HTTPS."""

    class Bound(Handler):
        pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not like the certificate is no news."""

    server = Server((host, port), Bound)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    port = int(server.server_address[1])
    name = f"[{host}]" if ":" in host else host
    found = Receiver(f"{'https' if tls else 'http'}://{name}:{port}/hook", port)
    if reply is not None:
        found.reply = reply
    Bound.receiver = found
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()
