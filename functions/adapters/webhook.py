"""Deliveries over HTTP, to where they may go and nowhere else.

Every name is looked up once an attempt, and what is connected to is what was judged. No
redirects, no proxies, no cookies, no kept connections, and an end to everything.
"""

from __future__ import annotations

import queue
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from functions.adapters.reach import Reach, Reached
from functions.ports import Answer, Post
from functions.webhooks.destination import Forbidden
from functions.webhooks.log import EXCERPT_BYTES

BODY_LIMIT_BYTES: Final = 64 * 1024
_BODY_S: Final = 2.0
"""For the body of an answer, once its status is known: it only stands in the log."""
_GRACE_S: Final = 1.0
_USER_AGENT: Final = "Kinora-Webhooks/1"


class HttpWebhook:
    """See `functions.ports.Webhook`. Safe to share between threads."""

    def __init__(
        self, reach: Reach, *, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` is what certificates are verified with; by default the usual authorities."""
        self._reach = reach
        self._timeout_s = timeout_s
        self._tls = tls
        self._lock = threading.Lock()

    def __call__(self, posts: Sequence[Post]) -> Iterator[tuple[int, Answer]]:
        answers: queue.SimpleQueue[tuple[int, Answer]] = queue.SimpleQueue()

        def attempt(place: int, post: Post) -> None:
            answers.put((place, self._attempt(post)))

        # Not a pool: whoever waits in the resolver cannot be interrupted, and is left behind.
        for each in enumerate(posts):
            threading.Thread(target=attempt, args=each, daemon=True, name="webhook").start()
        left = set(range(len(posts)))
        until_s = time.monotonic() + self._timeout_s + _GRACE_S
        with suppress(queue.Empty):
            while left:
                place, answer = answers.get(timeout=max(0.0, until_s - time.monotonic()))
                left.remove(place)
                yield place, answer
        for place in sorted(left):
            yield place, self._nothing()

    def _attempt(self, post: Post) -> Answer:
        started_s = time.monotonic()
        try:
            reached = self._reach(post.url)
            return self._send(post, reached, started_s)
        except Forbidden as error:
            return Answer(status=0, error=str(error), ms=_ms_since(started_s))

    def _send(self, post: Post, reached: Reached, started_s: float) -> Answer:
        import httpcore2

        from functions.adapters.pinned import Deadline, PinnedBackend

        to = reached.destination
        deadline = Deadline(self._timeout_s - (time.monotonic() - started_s))
        pool = httpcore2.ConnectionPool(
            ssl_context=self._verification() if to.scheme == "https" else None,
            network_backend=PinnedBackend(reached.addresses, deadline),
        )
        url = httpcore2.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
        headers: list[tuple[bytes | str, bytes | str]] = [
            ("host", to.authority),
            ("user-agent", _USER_AGENT),
            ("accept-encoding", "identity"),
            ("connection", "close"),
            *post.headers.items(),
        ]
        try:
            with pool, pool.stream("POST", url, headers=headers, content=post.body) as response:
                head = {name.lower(): value for name, value in response.headers}
                deadline.within(_BODY_S)
                excerpt = _read(response.iter_stream())
                return Answer(
                    status=response.status,
                    error=_trouble(response.status),
                    retry_after=head.get(b"retry-after", b"").decode("latin-1"),
                    excerpt=excerpt,
                    ms=_ms_since(started_s),
                )
        except httpcore2.TimeoutException:
            return self._nothing(ms=_ms_since(started_s))
        except httpcore2.NetworkError as error:
            return Answer(
                status=0, error=f"No connection could be made: {error}", ms=_ms_since(started_s)
            )
        except (httpcore2.ProtocolError, ssl.SSLError) as error:
            return Answer(
                status=0, error=f"The answer is no HTTP: {error}", ms=_ms_since(started_s)
            )

    def _nothing(self, *, ms: int | None = None) -> Answer:
        return Answer(
            status=0,
            error=f"There was no answer within {self._timeout_s:g} seconds.",
            ms=round(self._timeout_s * 1000) if ms is None else ms,
            hung=True,
        )

    def _verification(self) -> ssl.SSLContext:
        """Loading the authorities takes a while: once, and not before it is needed."""
        from httpx2 import create_ssl_context

        with self._lock:
            if self._tls is None:
                self._tls = create_ssl_context()
            return self._tls


def _read(body: Iterator[bytes]) -> str:
    """How the body begins. However it ends, the status is the answer."""
    import httpcore2

    start = b""
    seen_bytes = 0
    try:
        for piece in body:
            start += piece[: EXCERPT_BYTES - len(start)]
            seen_bytes += len(piece)
            if seen_bytes >= BODY_LIMIT_BYTES:
                break
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError):
        pass
    return start.decode(errors="replace")


def _trouble(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed, give the address itself."
    return f"It answered {status}."


def _ms_since(started_s: float) -> int:
    return round((time.monotonic() - started_s) * 1000)
