"""Requests to an S3 service: signed, over connections that are kept, sent again where that helps.

Everything that stands between us and an answer becomes Unavailable, in bounded time.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import select
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from eventing.errors import Unavailable
from functions.adapters.s3 import timed
from functions.adapters.s3.account import Account
from functions.adapters.s3.body import EMPTY, Body
from functions.adapters.s3.reply import BUSY, NOT_NOW, Reply, trouble
from functions.adapters.s3.signature import percent

_IDLE_S: Final = 8.0
"""Older connections are not used again: servers close idle ones after ten seconds and more."""
_SLOWEST_BYTES_S: Final = 64 * 1024
"""What moves slower than this counts as stuck."""
_PAUSE_S: Final = 0.1
"""Before the second attempt; doubled before each next one, and never all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    bucket: str
    name: str = ""
    """Of the object; "" for the bucket itself."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: Body = EMPTY
    repeatable: bool = True
    """False where an attempt that may have been carried out must not be made again."""
    slow: bool = False
    """The service may think long before it answers."""

    @property
    def what(self) -> str:
        return f"{self.method} {self.bucket}/{self.name}"


def refused(reply: Reply, request: Request) -> Unavailable:
    """What to raise for a reply that says no when nobody expected it."""
    return trouble(reply, request.what, request.bucket)


class Wire:
    """The way to one S3 service. Safe for many threads."""

    def __init__(self, account: Account) -> None:
        """Raises ValueError for an account that cannot be used."""
        if not account.access_key or not account.secret_key:
            raise ValueError(
                "an S3 store needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment,"
                " and AWS_ENDPOINT_URL where it is not that of AWS"
            )
        self._account = account
        self._signer = account.signer
        endpoint = urlsplit(account.url)
        self._scheme = endpoint.scheme
        self._tls: ssl.SSLContext | None = None
        if endpoint.scheme == "https":
            try:
                self._tls = timed.tls_context(account.ca_file)
            except OSError as error:
                raise ValueError(f"AWS_CA_BUNDLE {account.ca_file!r}: {error}") from error
        if not endpoint.hostname:
            raise ValueError(f"no host in the S3 endpoint {account.endpoint!r}")
        self._host = endpoint.hostname
        self._port = endpoint.port or (443 if self._tls else 80)
        self._netloc = endpoint.netloc.rpartition("@")[2]
        self._root = endpoint.path
        self._idle: dict[str, deque[tuple[float, _Connection]]] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    def send(self, request: Request) -> Reply:
        """The service's answer, whatever its status but for those that mean it is unwell.

        Raises Unavailable for none.
        """
        for attempt in range(self._account.attempts):
            if attempt:
                time.sleep(random.uniform(0.5, 1.0) * _PAUSE_S * 2 ** (attempt - 1))
            try:
                reply = self._attempt(request)
            except TimeoutError as error:
                # Whoever is frozen stays so for a while: the broker has the longer breath.
                raise Unavailable(
                    f"{request.what}: the S3 service at {self._netloc} does not answer"
                ) from error
            except (OSError, http.client.HTTPException) as error:
                failure = Unavailable(
                    f"{request.what}: the S3 service at {self._netloc} cannot be reached: "
                    f"{error or repr(error)}"
                )
                failure.__cause__ = error
                if not request.repeatable:
                    raise failure from error
                continue
            if reply.status not in BUSY:
                return reply
            failure = refused(reply, request)
            if reply.status not in NOT_NOW and not request.repeatable:
                raise failure
        raise failure

    def _attempt(self, request: Request) -> Reply:
        """Raises OSError and http.client.HTTPException."""
        host, netloc, path = self._address(request.bucket, request.name)
        query = "&".join(f"{name}={percent(value)}" for name, value in request.query.items())
        target = f"{path}?{query}" if query else path
        # Only what S3 demands is signed: what lies between may change the other headers.
        signed = self._signer.headers(
            request.method,
            f"{self._scheme}://{netloc}{target}",
            {},
            body_sha256=request.body.sha256,
            now_s=time.time(),
        )
        headers = {
            "host": netloc,
            "content-length": str(request.body.size_bytes),
            **request.headers,
            **signed,
        }
        patience = self._patience(request, request.body.size_bytes)
        connection = self._taken(host, patience)
        try:
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            try:
                connection.endheaders()
                for block in request.body.blocks():
                    connection.send(block)
            except (BrokenPipeError, ConnectionResetError):
                # A service that refuses says why before it hangs up: its answer may be here.
                if not connection.is_answered():
                    raise
            response = connection.getresponse()
            connection.wait(self._patience(request, response.length or 0))
            reply = Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=response.read(),
            )
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._give_back(host, connection)
        return reply

    def _address(self, bucket: str, name: str) -> tuple[str, str, str]:
        """Host to connect to, what it is called in the request, and the path, encoded."""
        if self._account.path_style:
            path = percent(f"{self._root}/{bucket}/{name}", slash=True)
            return self._host, self._netloc, path
        path = percent(f"{self._root}/{name}", slash=True)
        return f"{bucket}.{self._host}", f"{bucket}.{self._netloc}", path

    def _patience(self, request: Request, size_bytes: int) -> timed.Patience:
        silence_s = self._account.timeout_s * (6 if request.slow else 1)
        return timed.Patience(
            silence_s, time.monotonic() + silence_s + size_bytes / _SLOWEST_BYTES_S
        )

    def _taken(self, host: str, patience: timed.Patience) -> _Connection:
        oldest_s = time.monotonic() - _IDLE_S
        while True:
            with self._lock:
                idle = self._idle.get(host)
                if not idle:
                    break
                since_s, connection = idle.pop()
            if since_s > oldest_s and not connection.is_answered():
                connection.wait(patience)
                return connection
            connection.close()
        return _Connection(host, self._port, patience=patience, tls=self._tls)

    def _give_back(self, host: str, connection: _Connection) -> None:
        now_s = time.monotonic()
        stale: list[_Connection] = []
        with self._lock:
            idle = self._idle.setdefault(host, deque())
            idle.append((now_s, connection))
            # The last is taken first: what a busy moment left at the other end would stay.
            while idle[0][0] < now_s - _IDLE_S:
                stale.append(idle.popleft()[1])
        for each in stale:
            each.close()


class _Connection(http.client.HTTPConnection):
    def __init__(
        self, host: str, port: int, *, patience: timed.Patience, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port)
        self._patience = patience
        self._tls = tls
        self._timed: timed.Plain | timed.Tls | None = None

    def connect(self) -> None:
        self._timed = timed.connected(self.host, self.port, patience=self._patience, tls=self._tls)
        self.sock = self._timed

    def wait(self, patience: timed.Patience) -> None:
        """From now on, this long."""
        self._patience = patience
        if self._timed is not None:
            self._timed.patience = patience

    def is_answered(self) -> bool:
        """Something can be read: an answer, or that the other side hung up."""
        if self.sock is None:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))


def _close(idle: dict[str, deque[tuple[float, _Connection]]]) -> None:
    for connections in idle.values():
        for _, connection in connections:
            with contextlib.suppress(OSError):
                connection.close()
