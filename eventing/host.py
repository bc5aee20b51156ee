"""A handler as a function that brokers deliver to: one event in, an answer and events out.

`target` makes what Functions Framework loads from a `main.py`; `python -m eventing.host MODULE`
serves the same (see `serve.py`). Nothing here knows a server.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from eventing import codec, log, telemetry
from eventing.cloudevent import CloudEvent, timestamp
from eventing.contract import Event
from eventing.envelope import PARTITION_KEY, unwrap, wrap
from eventing.errors import Rejected, Unavailable
from eventing.publish import Publish, Publisher

_log = logging.getLogger(__name__)

ANY: Final = "*"
HEALTH: Final = ("/health/live", "/health/ready", "/health/liveness", "/health/readiness")
"""The manifests ask the first two, `func run` the others."""
REASON_LIMIT_BYTES: Final = 768
"""What a dead letter can hold of an answer, as base64 in 1024 characters. Where an answer is longer
the in-memory channel of Knative Eventing 1.22 panics, and loses all events that it has."""

Handler = Callable[[Any], Iterable[Event | CloudEvent]]
"""Each event is published before the next one is asked for: what stands after a `yield` happens
only once the broker has accepted that event."""


@dataclass(frozen=True, slots=True)
class Response:
    """An empty body for everything that went well: a broker takes any other for a failure."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def trouble(status: int, reason: str, **headers: str) -> Response:
    """An answer that says why in one line."""
    plain = {"content-type": "text/plain; charset=utf-8", **headers}
    cut = reason.encode(errors="replace")[:REASON_LIMIT_BYTES].decode(errors="ignore")
    return Response(status, plain, cut.encode())


class Host:
    """The handlers of one function, by what they take.

    A key is a dataclass of the contract (the handler gets that payload), a CloudEvents type (it
    gets the CloudEvent) or `*` (it gets every event that no other key names).
    """

    body_limit_bytes = codec.BODY_LIMIT_BYTES
    """What is read of a body; one that is larger is answered by its beginning."""

    def __init__(
        self,
        name: str,
        handlers: Mapping[type[Event] | str, Handler],
        *,
        publish: Publish | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._payload_handlers = {
            key.type: handler for key, handler in handlers.items() if not isinstance(key, str)
        }
        self._event_handlers = {
            key: handler for key, handler in handlers.items() if isinstance(key, str)
        }
        self._publish = publish
        self._clock = clock
        self._lock = threading.Lock()
        self._cold = True

    def answer(self, method: str, path: str, headers: codec.Headers, body: bytes) -> Response:
        """The answer to any request. Only POST is an event, whatever its path: a broker would
        redeliver after a 404 what can never arrive."""
        if path in HEALTH and method in ("GET", "HEAD"):
            return Response(200)
        if method == "OPTIONS":
            return Response(204, {"allow": "POST"})
        if method != "POST":
            return trouble(405, "events are posted here", allow="POST")
        return self.respond(headers, body)

    def respond(self, headers: codec.Headers, body: bytes) -> Response:
        """Handle the event of a message: 204 done, 400, 413, 415 no event, 422 will never work,
        503 not now, 500 a defect. Never raises."""
        try:
            event = codec.decode(headers, body)
        except codec.Malformed as error:
            _log.warning("no event", extra={"facts": {"reason": error.reason}})
            return trouble(error.status, error.reason)
        started_s = time.monotonic()
        with log.bound(function=self.name, **_fields(event)):
            response = self._handle(event)
            facts = {
                "type": event.type,
                "status": response.status,
                "ms": round((time.monotonic() - started_s) * 1000),
            }
            _log.info("handled", extra={"facts": facts})
        return response

    def close(self) -> None:
        if isinstance(self._publish, Publisher):
            self._publish.close()

    def _handle(self, event: CloudEvent) -> Response:
        cold, self._cold = self._cold, False
        try:
            with telemetry.handling(event, cold=cold):
                return self._run(event)
        except Rejected as error:
            _log.warning("rejected", extra={"facts": {"code": error.code, "reason": error.reason}})
            return trouble(422, str(error))
        except Unavailable as error:
            _log.warning("not now", extra={"facts": {"reason": error.reason}})
            return trouble(503, error.reason, **{"retry-after": str(error.retry_after_s)})
        except Exception:
            _log.exception("a defect")
            return trouble(500, "an unexpected error; the log has its traceback")

    def _run(self, event: CloudEvent) -> Response:
        handler = self._payload_handlers.get(event.type)
        taken: Event | CloudEvent = event
        if handler is not None:
            try:
                taken = unwrap(event)
            except ValueError as error:
                _log.warning("no event of the contract", extra={"facts": {"reason": str(error)}})
                return trouble(400, str(error))
        else:
            handler = self._event_handlers.get(event.type) or self._event_handlers.get(ANY)
        if handler is None:
            return trouble(422, f"{self.name} handles no events of this type")
        with log.bound(task=getattr(taken, "task", "")):
            self._drive(handler(taken), cause=event.id)
        return Response(204)

    def _drive(self, results: Iterable[Event | CloudEvent], *, cause: str = "") -> None:
        iterator = iter(results)
        try:
            for result in iterator:
                if not isinstance(result, CloudEvent):
                    result = wrap(
                        result,
                        producer=self.name,
                        time=timestamp(self._clock()),
                        cause=cause,
                    )
                self._publisher()(result)
        finally:
            # A generator that is not run to its end releases now what it holds, not some day.
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _publisher(self) -> Publish:
        with self._lock:
            if self._publish is None:
                if "K_SINK" not in os.environ:
                    raise RuntimeError("K_SINK names no broker to publish to")
                self._publish = Publisher(os.environ["K_SINK"])
            return self._publish


class Request(Protocol):
    """What is needed of a Flask request."""

    method: str
    path: str
    headers: Mapping[str, str]
    stream: Any


Target = Callable[[Request], tuple[bytes, int, dict[str, str]]]


def target(
    name: str,
    handlers: Mapping[type[Event] | str, Handler],
    *,
    publish: Publish | None = None,
) -> Target:
    """The function to expose from a `main.py`, for Functions Framework's `http` signature.

    Events go to `publish`, by default a Publisher to K_SINK.
    """
    return exposed(Host(name, handlers, publish=publish))


def exposed(host: Host) -> Target:
    """The function that answers as `host` does."""

    # Functions Framework takes plain functions only.
    def function(request: Request) -> tuple[bytes, int, dict[str, str]]:
        body = request.stream.read(host.body_limit_bytes + 1)
        response = host.answer(request.method, request.path, request.headers, body)
        return response.body, response.status, response.headers

    function.__dict__["host"] = host
    return function


def host_of(function: Target) -> Host:
    """The Host behind what `exposed` made. Raises TypeError for any other function."""
    host = getattr(function, "__dict__", {}).get("host")
    if not isinstance(host, Host):
        raise TypeError("no function that eventing.host.exposed made")
    return host


def _fields(event: CloudEvent) -> dict[str, str]:
    start = telemetry.start_of(event)
    return {
        "job": event.extensions.get(PARTITION_KEY, ""),
        "event": event.id,
        "trace": start[0] if start else "",
    }


if __name__ == "__main__":
    import sys

    from eventing.serve import main

    main(sys.argv[1:])
