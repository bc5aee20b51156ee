"""The OpenTelemetry SDK behind `telemetry.py`. Imported only when there is somewhere to send to.

Exporting happens in a background thread from a bounded queue that drops when it is full; nothing
here waits for a collector but `flush`, which has its own deadline.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from eventing import semantics as s
from eventing.cloudevent import CloudEvent
from eventing.contract import TICK
from eventing.envelope import CAUSATION_ID, PARTITION_KEY
from eventing.telemetry import Span, Value, published_in, start_of
from eventing.topology import BROKER

EXPORT_TIMEOUT_S: Final = 5.0
EXPORT_DELAY_MS: Final = 500
QUEUE_SPANS: Final = 2048


def load(function: str, env: Mapping[str, str], *, otlp: bool, file: str) -> OpenTelemetry:
    """A tracer for `function` that exports to the OTLP endpoint of the environment, to a file."""
    instance = env.get("KINORA_WORKER") or f"{function}-{os.getpid()}"
    ids = _Ids()
    provider = TracerProvider(
        resource=Resource.create(
            {
                s.SERVICE_NAME: function,
                s.SERVICE_NAMESPACE: "kinora",
                s.SERVICE_INSTANCE_ID: instance,
                s.FAAS_NAME: env.get("K_SERVICE") or function,
                s.FAAS_VERSION: env.get("K_REVISION", ""),
                s.FAAS_INSTANCE: instance,
            }
        ),
        id_generator=ids,
        # The SDK's own exit handler waits for a dead collector for as long as a minute.
        shutdown_on_exit=False,
    )
    exporters: list[SpanExporter] = []
    if otlp:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporters.append(OTLPSpanExporter(timeout=EXPORT_TIMEOUT_S))
    if file:
        exporters.append(FileExporter(file))
    for exporter in exporters:
        provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=QUEUE_SPANS,
                max_export_batch_size=QUEUE_SPANS // 4,
                schedule_delay_millis=EXPORT_DELAY_MS,
            )
        )
    return OpenTelemetry(provider, ids)


class OpenTelemetry:
    """Implements `telemetry.Tracing`."""

    def __init__(self, provider: TracerProvider, ids: _Ids) -> None:
        self._provider = provider
        self._ids = ids
        self._tracer = provider.get_tracer("kinora")

    def span(self, name: str, attributes: Mapping[str, Value]) -> AbstractContextManager[Span]:
        return self._open(name, trace.SpanKind.INTERNAL, _ours(attributes))

    def handling(self, event: CloudEvent, *, cold: bool) -> AbstractContextManager[Span]:
        attributes: dict[str, Value] = {
            **_event(event),
            s.MESSAGING_OPERATION_NAME: "process",
            s.MESSAGING_OPERATION_TYPE: "process",
            s.FAAS_TRIGGER: "timer" if event.type == TICK else "pubsub",
            s.FAAS_INVOCATION_ID: event.id,
            s.FAAS_COLDSTART: cold,
        }
        name, kind = f"process {event.type}", trace.SpanKind.CONSUMER
        start, published = start_of(event), published_in(event)
        if start is None:
            return self._open(name, kind, attributes, context=Context())
        if published is not None and event.extensions.get(CAUSATION_ID):
            return self._open(name, kind, attributes, context=_remote(*published))
        # Nobody traced what caused the first event of a job: the job's trace starts here, with
        # the span that every `traceparent` of the job names.
        self._ids.next(trace_id=start[0], span_id=start[1])
        return self._open(name, kind, attributes, context=Context())

    def publishing(self, event: CloudEvent) -> AbstractContextManager[Span]:
        attributes: dict[str, Value] = {
            **_event(event),
            s.MESSAGING_OPERATION_NAME: "publish",
            s.MESSAGING_OPERATION_TYPE: "send",
        }
        current = trace.get_current_span().get_span_context()
        start, published = start_of(event), published_in(event)
        context, links = None, []
        if start is not None and start[0] != f"{current.trace_id:032x}":
            # Sent while handling something of no job or of another one (a tick, a freed slot).
            context = _remote(*start)
            links = [trace.Link(current)] if current.is_valid else []
        if published is not None:
            self._ids.next(span_id=published[1])
        return self._open(
            "publish", trace.SpanKind.PRODUCER, attributes, context=context, links=links
        )

    def link(self, trace_id: str, span_id: str) -> None:
        trace.get_current_span().add_link(_span_context(trace_id, span_id))

    def flush(self, deadline_s: float) -> bool:
        # `force_flush` takes a timeout and does not keep it.
        done = threading.Event()

        def run() -> None:
            self._provider.force_flush()
            done.set()

        threading.Thread(target=run, name="telemetry-flush", daemon=True).start()
        return done.wait(deadline_s)

    @contextmanager
    def _open(
        self,
        name: str,
        kind: trace.SpanKind,
        attributes: Mapping[str, Value],
        *,
        context: Context | None = None,
        links: Sequence[trace.Link] = (),
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name, context=context, kind=kind, attributes=attributes, links=links
        ) as opened:
            yield _Span(opened)


class _Span:
    def __init__(self, opened: trace.Span) -> None:
        self._opened = opened

    def set(self, **attributes: Value) -> None:
        self._opened.set_attributes(_ours(attributes))


class _Ids(RandomIdGenerator):
    """Random ids, but for the next span of this thread where they are told."""

    def __init__(self) -> None:
        self._local = threading.local()

    def next(self, *, span_id: str, trace_id: str = "") -> None:
        self._local.span, self._local.trace = span_id, trace_id

    def generate_span_id(self) -> int:
        told, self._local.span = getattr(self._local, "span", ""), ""
        return int(told, 16) if told else super().generate_span_id()

    def generate_trace_id(self) -> int:
        told, self._local.trace = getattr(self._local, "trace", ""), ""
        return int(told, 16) if told else super().generate_trace_id()


class FileExporter(SpanExporter):
    """One JSON object a span, one span a line, appended: many processes share the file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = "".join(json.dumps(_record(span)) + "\n" for span in spans).encode()
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(file, lines)
            finally:
                os.close(file)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS if written == len(lines) else SpanExportResult.FAILURE


def _record(span: ReadableSpan) -> dict[str, object]:
    context = span.get_span_context()
    return {
        "trace": f"{context.trace_id:032x}" if context else "",
        "span": f"{context.span_id:016x}" if context else "",
        "parent": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "kind": span.kind.name.lower(),
        "function": span.resource.attributes.get(s.SERVICE_NAME),
        "instance": span.resource.attributes.get(s.SERVICE_INSTANCE_ID),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "status": span.status.status_code.name.lower(),
        "attributes": dict(span.attributes or {}),
        "links": [
            {"trace": f"{link.context.trace_id:032x}", "span": f"{link.context.span_id:016x}"}
            for link in span.links
        ],
    }


def _event(event: CloudEvent) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        s.EVENT_ID: event.id,
        s.EVENT_SOURCE: event.source,
        s.EVENT_SPEC_VERSION: event.specversion,
        s.EVENT_TYPE: event.type,
        s.MESSAGING_SYSTEM: "knative",
        s.MESSAGING_DESTINATION_NAME: BROKER,
        s.MESSAGING_MESSAGE_ID: event.id,
    }
    if event.subject is not None:
        attributes[s.EVENT_SUBJECT] = event.subject
    if PARTITION_KEY in event.extensions:
        attributes[s.MESSAGING_CONVERSATION_ID] = event.extensions[PARTITION_KEY]
    return attributes


def _ours(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {f"kinora.{name}": value for name, value in attributes.items()}


def _span_context(trace_id: str, span_id: str) -> trace.SpanContext:
    return trace.SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
    )


def _remote(trace_id: str, span_id: str) -> Context:
    return trace.set_span_in_context(
        trace.NonRecordingSpan(_span_context(trace_id, span_id)), Context()
    )
