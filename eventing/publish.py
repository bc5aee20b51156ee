"""Sending events to the broker, K_SINK: accepted, or not now, or a defect."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from eventing import codec, telemetry
from eventing.cloudevent import CloudEvent
from eventing.errors import Unavailable

if TYPE_CHECKING:
    import httpx2

_log = logging.getLogger(__name__)

RETRIED: Final = frozenset({404, 408, 409, 429, *range(500, 600)})
"""What may be otherwise next time: the statuses on which a Knative broker itself redelivers."""

Publish = Callable[[CloudEvent], None]


class Refused(RuntimeError):
    """The broker will not take this event, now or later: what we sent is wrong."""


class Publisher:
    """Posts events to one sink over kept connections. Safe to share between threads.

    `deadline_s` bounds one publish with all its attempts, `attempt_timeout_s` each of them.
    Nothing is imported or connected before the first event.
    """

    def __init__(
        self,
        sink_url: str,
        *,
        deadline_s: float = 20.0,
        attempt_timeout_s: float = 10.0,
        backoff_s: float = 0.05,
        backoff_cap_s: float = 2.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._sink_url = sink_url
        self._deadline_s = deadline_s
        self._attempt_timeout_s = attempt_timeout_s
        self._backoff_s = backoff_s
        self._backoff_cap_s = backoff_cap_s
        self._sleep = sleep
        self._clock = clock
        self._uniform = uniform
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None

    def __call__(self, event: CloudEvent) -> None:
        """Returns once the broker has accepted `event` (any 2xx).

        Raises Unavailable when that did not happen within the deadline, Refused when it never
        will, Malformed when the event breaks the specification.
        """
        message = codec.encode(event)
        with telemetry.publishing(event):
            self._send(message)

    def close(self) -> None:
        """Close the kept connections; the next event opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _send(self, message: codec.Message) -> None:
        deadline = self._clock() + self._deadline_s
        attempt = 0
        while True:
            trouble, wait_s = self._attempt(message, max(deadline - self._clock(), 0.001))
            if not trouble:
                return
            # Full jitter: instances that failed together do not come back together.
            limit_s = min(self._backoff_s * 2**attempt, self._backoff_cap_s)
            wait_s = max(wait_s, self._uniform(0.0, limit_s))
            attempt += 1
            if self._clock() + wait_s >= deadline:
                raise Unavailable(f"the broker took no event in {attempt} attempts: {trouble}")
            _log.warning("publishing again", extra={"facts": {"trouble": trouble}})
            self._sleep(wait_s)

    def _attempt(self, message: codec.Message, left_s: float) -> tuple[str, float]:
        """What went wrong, "" if nothing, and how long the broker asks us to wait."""
        import httpx2

        try:
            answer = self._connected().post(
                self._sink_url,
                headers=message.headers,
                content=message.body,
                timeout=min(self._attempt_timeout_s, left_s),
            )
        except httpx2.UnsupportedProtocol as error:
            raise Refused("K_SINK is no http or https URL") from error
        except httpx2.TransportError as error:
            return type(error).__name__, 0.0
        if answer.is_success:
            return "", 0.0
        trouble = f"it answered {answer.status_code}"
        if answer.status_code in RETRIED:
            asked = answer.headers.get("retry-after", "")
            return trouble, float(asked) if asked.isdecimal() else 0.0
        raise Refused(f"the broker refused an event: {trouble}: {answer.text[:200]}")

    def _connected(self) -> httpx2.Client:
        import httpx2

        with self._lock:
            if self._client is None:
                self._client = httpx2.Client(
                    # Proxy settings of the environment are not meant for the broker next door.
                    trust_env=False,
                    # Loading certificates takes longer than a cold start has.
                    verify=self._sink_url.startswith("https:"),
                )
            return self._client
