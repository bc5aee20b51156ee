"""A function that the world outside calls with plain requests, and that tells the broker of them.

Whoever calls repeats what was not answered with 2xx, and often nothing else until that one is
answered so. So everything is: only a broker that takes no events now is worth a repetition, and a
caller who is not known, all of whose requests fail alike until somebody corrects that.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from eventing import codec
from eventing.contract import Event
from eventing.errors import Unavailable
from eventing.host import HEALTH, Host, Response, trouble
from eventing.publish import Publish, Refused

_log = logging.getLogger(__name__)

Hear = Callable[[codec.Headers, bytes], Iterable[Event]]
"""What a request says, as events. Raises nothing for a request of whatever kind."""
Admit = Callable[[codec.Headers], bool]
"""Whether the sender of these headers may tell us anything."""

_CHALLENGE: Final = 'Bearer, Basic realm="kinora"'


class Listener(Host):
    """Answers posts, whatever their path: 204 heard, 401 by somebody unknown, 503 with Retry-After
    when the broker takes nothing now, 500 a defect."""

    body_limit_bytes = 1024 * 1024
    """Notifications travel in batches: SNS and SQS take 256 KiB, and escaping may double that."""

    def __init__(
        self,
        name: str,
        hear: Hear,
        *,
        admit: Admit,
        publish: Publish | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name, {}, publish=publish, clock=clock)
        self._hear = hear
        self._admit = admit

    def answer(self, method: str, path: str, headers: codec.Headers, body: bytes) -> Response:
        """The answer to any request. RustFS asks for the root before it sends anything."""
        if method in ("GET", "HEAD") and path in ("", "/", *HEALTH):
            return Response(200)
        return super().answer(method, path, headers, body)

    def respond(self, headers: codec.Headers, body: bytes) -> Response:
        """Tell of everything that a request says. Never raises."""
        if not self._admit(headers):
            _log.warning("somebody unknown", extra={"facts": {"bytes": len(body)}})
            return trouble(
                401, "the token is not the right one", **{"www-authenticate": _CHALLENGE}
            )
        if len(body) > self.body_limit_bytes:
            _log.error("too large to be heard", extra={"facts": {"bytes": len(body)}})
            return Response(204)
        started_s = time.monotonic()
        try:
            told = sum(self._tell(event) for event in self._hear(headers, body))
        except Unavailable as error:
            _log.warning("not now", extra={"facts": {"reason": error.reason}})
            return trouble(503, error.reason, **{"retry-after": str(error.retry_after_s)})
        except Exception:
            _log.exception("a defect")
            return trouble(500, "an unexpected error; the log has its traceback")
        ms = round((time.monotonic() - started_s) * 1000)
        _log.info("heard", extra={"facts": {"told": told, "ms": ms}})
        return Response(204)

    def _tell(self, event: Event) -> bool:
        """Publish; False for what the broker will never take, which no repetition would change."""
        try:
            self._drive((event,))
        except (Refused, codec.Malformed):
            _log.exception("an event is refused", extra={"facts": {"job": event.job}})
            return False
        return True
