"""Spans where somebody wants them, and no trouble where they cannot be had."""

from __future__ import annotations

import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.semconv._incubating.attributes import (
    cloudevents_attributes,
    faas_attributes,
    messaging_attributes,
)

from eventing import codec, semantics, telemetry
from eventing.contract import JobAccepted, JobEncoded, TaskCompleted
from eventing.envelope import wrap
from tests.contract.event_samples import JOB, TIME, event_of
from tests.integration.served import DEADLINE_S, served, until

ENCODED = codec.encode(event_of(JobEncoded(job=JOB, generation=1)))
FIRST = codec.encode(wrap(JobAccepted(job=JOB, tenant="acme"), producer="ingest", time=TIME))

SAMPLE = """
from eventing import telemetry
from eventing.contract import JobAccepted, JobEncoded, TaskCompleted, TaskReady
from eventing.host import target

def accepted(payload):
    with telemetry.span("fetch", ranges=3) as span:
        span.set(bytes=4096)
    yield TaskReady(job=payload.job, generation=1, task="v0000")

def encoded(payload):
    telemetry.link(TaskCompleted(job=payload.job, generation=1, task="v0000"))
    with telemetry.span("put"):
        raise RuntimeError("no")

function = target("sample", {JobAccepted: accepted, JobEncoded: encoded}, publish=None)
"""


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["content-length"]))

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def listening(take: Callable[[Quiet], None]) -> Iterator[str]:
    class Handler(Quiet):
        def do_POST(self) -> None:
            take(self)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def broker(request: Quiet) -> None:
    request.body()
    request.answer(202)


def spans_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def run_sample(tmp_path: Path, *messages: codec.Message, **env: str) -> str:
    """Deliver the messages to a function that is then told to end; returns its log."""
    with listening(broker) as sink, served(tmp_path, SAMPLE, K_SINK=sink, **env) as process:
        for message in messages:
            process.deliver(message)
        process.process.terminate()
        assert process.process.wait(DEADLINE_S) == 0
        return process.log


def test_a_file_gets_a_span_a_line_with_the_job_as_the_trace(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    run_sample(tmp_path, FIRST, KINORA_TRACE_FILE=str(file))
    spans = {span["name"]: span for span in spans_in(file)}
    assert set(spans) == {"process dev.kinora.job.accepted.v1", "fetch", "publish"}
    assert {span["trace"] for span in spans.values()} == {JOB}
    assert {span["function"] for span in spans.values()} == {"sample"}
    root = spans["process dev.kinora.job.accepted.v1"]
    # Nothing caused this event: its span is the one that the job's `traceparent` names.
    assert (root["parent"], root["span"]) == ("", event_trace_parent(FIRST)[1])
    assert spans["fetch"]["parent"] == spans["publish"]["parent"] == root["span"]
    assert spans["fetch"]["attributes"] == {"kinora.ranges": 3, "kinora.bytes": 4096}
    assert all(span["start_ns"] <= span["end_ns"] for span in spans.values())


def event_trace_parent(message: codec.Message) -> tuple[str, str]:
    found = telemetry.start_of(codec.decode(message.headers, message.body))
    assert found is not None
    return found


def test_whoever_handles_an_event_continues_from_the_span_that_published_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "spans.jsonl"
    run_sample(tmp_path, FIRST, ENCODED, KINORA_TRACE_FILE=str(file))
    spans = spans_in(file)
    (published,) = [span for span in spans if span["name"] == "publish"]
    assert published["span"] == published["attributes"][semantics.EVENT_ID][:16]
    (handled,) = [span for span in spans if span["name"] == "process dev.kinora.job.encoded.v1"]
    assert handled["parent"] == handled["attributes"][semantics.EVENT_ID][:16]
    assert handled["trace"] == JOB


def test_a_span_links_the_tasks_it_waited_for_and_tells_of_failure(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    run_sample(tmp_path, ENCODED, KINORA_TRACE_FILE=str(file))
    spans = {span["name"]: span for span in spans_in(file)}
    completed = event_of(TaskCompleted(job=JOB, generation=1, task="v0000"))
    assert spans["process dev.kinora.job.encoded.v1"]["links"] == [
        {"trace": JOB, "span": completed.id[:16]}
    ]
    assert spans["put"]["status"] == "error"


def test_spans_say_what_the_conventions_ask_for(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    run_sample(tmp_path, FIRST, FIRST, KINORA_TRACE_FILE=str(file))
    spans = spans_in(file)
    first, second = (span for span in spans if span["kind"] == "consumer")
    event = codec.decode(FIRST.headers, FIRST.body)
    assert first["attributes"] == {
        cloudevents_attributes.CLOUDEVENTS_EVENT_ID: event.id,
        cloudevents_attributes.CLOUDEVENTS_EVENT_SOURCE: event.source,
        cloudevents_attributes.CLOUDEVENTS_EVENT_SPEC_VERSION: "1.0",
        cloudevents_attributes.CLOUDEVENTS_EVENT_TYPE: event.type,
        cloudevents_attributes.CLOUDEVENTS_EVENT_SUBJECT: event.subject,
        messaging_attributes.MESSAGING_SYSTEM: "knative",
        messaging_attributes.MESSAGING_OPERATION_NAME: "process",
        messaging_attributes.MESSAGING_OPERATION_TYPE: "process",
        messaging_attributes.MESSAGING_DESTINATION_NAME: "kinora",
        messaging_attributes.MESSAGING_MESSAGE_ID: event.id,
        messaging_attributes.MESSAGING_MESSAGE_CONVERSATION_ID: JOB,
        faas_attributes.FAAS_TRIGGER: "pubsub",
        faas_attributes.FAAS_INVOCATION_ID: event.id,
        faas_attributes.FAAS_COLDSTART: True,
    }
    assert second["attributes"][faas_attributes.FAAS_COLDSTART] is False
    assert {span["kind"] for span in spans} == {"consumer", "producer", "internal"}


def test_a_collector_gets_the_spans_by_otlp(tmp_path: Path) -> None:
    requests: list[ExportTraceServiceRequest] = []

    def collector(request: Quiet) -> None:
        assert request.path == "/v1/traces"
        requests.append(ExportTraceServiceRequest.FromString(request.body()))
        request.answer(200)

    with listening(collector) as endpoint:
        run_sample(tmp_path, FIRST, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, K_REVISION="sample-7")
    resources = [resource for request in requests for resource in request.resource_spans]
    attributes = {
        attribute.key: attribute.value.string_value
        for attribute in resources[0].resource.attributes
    }
    assert attributes[semantics.SERVICE_NAME] == attributes[semantics.FAAS_NAME] == "sample"
    assert attributes[semantics.FAAS_VERSION] == "sample-7"
    spans = [
        span
        for resource in resources
        for scope in resource.scope_spans
        for span in scope.spans
    ]  # fmt: skip
    assert {span.trace_id.hex() for span in spans} == {JOB}
    assert {span.name for span in spans} >= {"fetch", "publish"}


def test_a_dead_collector_costs_no_event_and_no_exit(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with (
            listening(broker) as sink,
            served(tmp_path, SAMPLE, K_SINK=sink, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as process,
        ):
            assert process.deliver(FIRST) == (204, b"")
            process.process.terminate()
            # The SDK's own way out takes as long as its retries: about a minute.
            assert process.process.wait(DEADLINE_S) == 0


def test_a_collector_that_never_answers_costs_no_event_and_no_exit(tmp_path: Path) -> None:
    over = threading.Event()

    def silent(request: Quiet) -> None:
        over.wait(DEADLINE_S)
        request.close_connection = True

    with (
        listening(silent) as endpoint,
        listening(broker) as sink,
        served(tmp_path, SAMPLE, K_SINK=sink, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as process,
    ):
        try:
            assert process.deliver(FIRST) == (204, b"")
            process.process.terminate()
            assert process.process.wait(DEADLINE_S) == 0
        finally:
            over.set()


def test_a_trace_file_that_cannot_be_written_costs_no_event(tmp_path: Path) -> None:
    file = str(tmp_path / "no" / "such" / "folder")
    with (
        listening(broker) as sink,
        served(tmp_path, SAMPLE, K_SINK=sink, KINORA_TRACE_FILE=file) as process,
    ):
        assert process.deliver(FIRST) == (204, b"")


def test_many_processes_share_one_trace_file(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    run_sample(one, FIRST, KINORA_TRACE_FILE=str(file))
    run_sample(other, FIRST, KINORA_TRACE_FILE=str(file))
    assert len(spans_in(file)) == 6


def test_an_event_without_a_valid_traceparent_gets_a_trace_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    event = event_of(JobAccepted(job=JOB, tenant="acme"))
    bad = [
        codec.encode(event.with_extensions(traceparent=text))
        for text in ("", "x", f"00-{JOB}", "00-xyz-xyz-01", f"00-{'0' * 32}-{'0' * 16}-01")
    ]
    run_sample(tmp_path, *bad, KINORA_TRACE_FILE=str(file))
    handled = [span for span in spans_in(file) if span["kind"] == "consumer"]
    assert len({span["trace"] for span in handled}) == 5
    # What they published belongs to the job again.
    published = [span for span in spans_in(file) if span["kind"] == "producer"]
    assert {span["trace"] for span in published} == {JOB}
    assert all(len(span["links"]) == 1 for span in published)


OFF = """
import sys
from eventing import telemetry
from eventing.contract import JobAccepted
import eventing.host, eventing.publish, eventing.server
telemetry.start("x", {})
with telemetry.span("fetch", bytes=1) as span:
    span.set(more=2)
telemetry.link("00-xyz")
assert telemetry.stop(0)
print([name for name in sys.modules if name.startswith(("opentelemetry", "eventing.tracing"))])
"""


def test_without_a_destination_nothing_of_opentelemetry_is_loaded() -> None:
    ran = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_set_up_that_fails_turns_telemetry_off_and_nothing_else(tmp_path: Path) -> None:
    env = {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many", "KINORA_TRACE_FILE": str(tmp_path / "spans")}
    with (
        listening(broker) as sink,
        served(tmp_path, SAMPLE, K_SINK=sink, **env) as process,
    ):
        assert process.deliver(FIRST) == (204, b"")
        until(lambda: "telemetry is off" in process.log, "the log says so")


def test_the_queue_drops_when_it_is_full_instead_of_waiting(tmp_path: Path) -> None:
    held = threading.Event()

    def slow(request: Quiet) -> None:
        held.wait(DEADLINE_S)
        request.answer(200)

    with listening(slow) as endpoint:
        try:
            ran = subprocess.run(
                [sys.executable, "-c", FLOOD],
                env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=True,
            )
        finally:
            held.set()
    assert ran.stdout == "False\n"


FLOOD = """
import os
from eventing import telemetry
telemetry.start("x", os.environ)
for _ in range(10_000):
    with telemetry.span("fetch"):
        pass
print(telemetry.stop(0.1))
"""


def test_events_of_the_contract_are_linked_without_being_looked_up() -> None:
    payload = TaskCompleted(job=JOB, generation=1, task="v0000")
    assert telemetry.published_in(event_of(payload)) == (JOB, event_of(payload).id[:16])
