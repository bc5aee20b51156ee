"""What breaks around a runtime: each outage has a beginning and an end."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.command import until
from tests.e2e.services import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    what: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None

    def strike(self, for_s: float) -> str:
        """Let it happen for so long; says what happened."""
        self.begin()
        try:
            time.sleep(for_s)
        finally:
            self.end()
        return f"{self.what} for {for_s:.1f} s"


def storage_killed(town: Town) -> Outage:
    """SIGKILL, and the same server again over the same disk."""
    return Outage(what="MinIO killed", begin=town.minio.kill, end=town.minio.start)


def storage_refusing(town: Town) -> Outage:
    """503 to whatever is asked, as from a proxy that has nobody behind it."""
    instead = ExitStack()

    def begin() -> None:
        town.minio.kill()
        server = _Server(("127.0.0.1", town.minio.port), _Refusing)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        instead.callback(thread.join)
        instead.callback(server.server_close)
        instead.callback(server.shutdown)

    def end() -> None:
        instead.close()
        town.minio.start()

    return Outage(what="MinIO answers 503", begin=begin, end=end)


def state_killed(town: Town) -> Outage:
    return Outage(what="Redis killed", begin=town.redis.kill, end=town.redis.start)


def state_flushed(town: Town) -> Outage:
    def flush() -> None:
        with town.redis.asked() as client:
            client.flushall()

    return Outage(what="Redis flushed", begin=flush)


def state_frozen(town: Town) -> Outage:
    return Outage(
        what="Redis frozen",
        begin=lambda: town.redis.signal(signal.SIGSTOP),
        end=lambda: town.redis.signal(signal.SIGCONT),
    )


def broker_killed(town: Town) -> Outage:
    """The runtime: broker, activators and all function processes with it."""

    def start_again() -> None:
        # It ends at once where a store is not there; whoever supervises it tries again.
        until("the runtime is up again", lambda: _starts(town))

    return Outage(what="broker killed", begin=town.kill, end=start_again)


def _starts(town: Town) -> bool:
    try:
        town.start()
    except AssertionError:
        town.kill()
        return False
    return True


def after(outage: Outage, *, wait_s: float, for_s: float) -> str:
    """The same some time from now."""
    time.sleep(wait_s)
    return outage.strike(for_s)


def in_some_order(choose: random.Random, *outages: Outage) -> list[Outage]:
    return choose.sample(outages, len(outages))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"no backend\n"
        self.close_connection = True  # what a client still sends is not read
        self.send_response(503)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
