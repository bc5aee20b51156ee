"""Spans, where somebody wants them: without a destination every call here does nothing.

OpenTelemetry is loaded by `start`, and only if OTEL_EXPORTER_OTLP_ENDPOINT or KINORA_TRACE_FILE
is set. One trace is one job: the trace id is the job's id. The span that publishes an event has
the first half of the event's id as its own, and whoever handles the event continues from there:
so the tree needs nothing but the events, and a resend is the same span again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from eventing.cloudevent import CloudEvent
from eventing.contract import Event, identity

_log = logging.getLogger(__name__)

SWITCHES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "KINORA_TRACE_FILE")
"""Any of these in the environment turns telemetry on."""

Value = str | int | float | bool


class Span(Protocol):
    def set(self, **attributes: Value) -> None:
        """Add attributes, as `kinora.<name>`."""


class Tracing(Protocol):
    """What a loaded tracer does: `eventing/tracing.py`."""

    def span(self, name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[Span]: ...
    def handling(self, event: CloudEvent, *, cold: bool) -> AbstractContextManager[Span]: ...
    def publishing(self, event: CloudEvent) -> AbstractContextManager[Span]: ...
    def link(self, trace: str, span: str) -> None: ...
    def flush(self, deadline_s: float) -> bool: ...


class _Nothing:
    def set(self, **attributes: Value) -> None:
        pass


_NOTHING = _Nothing()
_tracing: Tracing | None = None


def start(function: str, env: Mapping[str, str]) -> None:
    """Load what `env` asks for. Never raises: a job does not fail for want of telemetry."""
    global _tracing
    endpoint, file = (env.get(switch) for switch in SWITCHES)
    if not endpoint and not file:
        return
    try:
        from eventing import tracing

        _tracing = tracing.load(function, env, otlp=bool(endpoint), file=file or "")
    except Exception:
        _log.exception("telemetry is off: it could not be set up")


def stop(deadline_s: float) -> bool:
    """Export what is still queued, for at most so long; True if nothing is left."""
    global _tracing
    tracing, _tracing = _tracing, None
    return tracing is None or tracing.flush(deadline_s)


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[Span]:
    """A span inside the one that is open in this thread; `attributes` become `kinora.<name>`."""
    if _tracing is None:
        yield _NOTHING
    else:
        with _tracing.span(name, attributes) as opened:
            yield opened


@contextmanager
def handling(event: CloudEvent, *, cold: bool = False) -> Iterator[Span]:
    """The span of a function that handles `event`; `cold` if it is the process's first."""
    if _tracing is None:
        yield _NOTHING
    else:
        with _tracing.handling(event, cold=cold) as opened:
            yield opened


@contextmanager
def publishing(event: CloudEvent) -> Iterator[Span]:
    """The span of sending `event` to the broker."""
    if _tracing is None:
        yield _NOTHING
    else:
        with _tracing.publishing(event) as opened:
            yield opened


def link(target: Event | CloudEvent | str) -> None:
    """Link the open span to where `target` was published; a str is a `traceparent`."""
    if _tracing is None:
        return
    if isinstance(target, str):
        found = parse_trace_parent(target)
    elif isinstance(target, CloudEvent):
        found = published_in(target)
    else:
        found = target.job, span_of(identity(target))
    if found is not None:
        _tracing.link(*found)


def start_of(event: CloudEvent) -> tuple[str, str] | None:
    """Trace and span that the event's `traceparent` names, None where it has no valid one."""
    return parse_trace_parent(event.extensions.get("traceparent", ""))


def published_in(event: CloudEvent) -> tuple[str, str] | None:
    """Trace and span in which `event` was published, None where that cannot be told."""
    start, span_id = start_of(event), span_of(event.id)
    return (start[0], span_id) if start and span_id else None


def parse_trace_parent(text: str) -> tuple[str, str] | None:
    """W3C Trace Context, section 3.2: the trace id and the parent id."""
    fields = text.split("-")
    if len(fields) == 4 and _is_id(fields[1], 32) and _is_id(fields[2], 16):
        return fields[1], fields[2]
    return None


def span_of(event_id: str) -> str:
    """The id of the span that published the event of this id; "" where it is none of ours."""
    return event_id[:16] if _is_id(event_id, 32) and _is_id(event_id[:16], 16) else ""


def _is_id(text: str, digits: int) -> bool:
    return len(text) == digits and set(text) <= set("0123456789abcdef") and set(text) != {"0"}
