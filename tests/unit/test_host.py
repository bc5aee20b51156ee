"""What a broker hears from a function, and when a function's events go out."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from eventing import codec, log
from eventing.cloudevent import CloudEvent
from eventing.contract import Event, JobAccepted, TaskCompleted, TaskReady
from eventing.envelope import unwrap
from eventing.errors import Rejected, Unavailable
from eventing.host import REASON_LIMIT_BYTES, Handler, Host, host_of, target
from tests.contract.event_samples import JOB, event_of

ACCEPTED = JobAccepted(job=JOB, tenant="acme")
TASKS = [TaskReady(job=JOB, generation=1, task=f"v000{number}") for number in range(3)]


class Broker:
    """Takes events, or raises what it was told to raise at one of them."""

    def __init__(self, *, fails_at: int = -1, error: Exception | None = None) -> None:
        self.taken: list[CloudEvent] = []
        self._fails_at = fails_at
        self._error = error

    def __call__(self, event: CloudEvent) -> None:
        if len(self.taken) == self._fails_at and self._error:
            raise self._error
        self.taken.append(event)


def host(handler: Handler, broker: Broker | None = None, key: Any = JobAccepted) -> Host:
    return Host("chunker", {key: handler}, publish=broker or Broker(), clock=lambda: 1.5)


def deliver(host: Host, payload: Event = ACCEPTED) -> tuple[int, bytes, dict[str, str]]:
    message = codec.encode(event_of(payload))
    response = host.respond(message.headers, message.body)
    return response.status, response.body, response.headers


def raising(error: Exception) -> Handler:
    def handle(payload: JobAccepted) -> Iterator[Event]:
        yield TASKS[0]
        raise error

    return handle


def test_a_handled_event_is_answered_204_and_nothing_else() -> None:
    seen: list[JobAccepted] = []

    def handle(payload: JobAccepted) -> Iterator[Event]:
        seen.append(payload)
        yield from ()

    assert deliver(host(handle)) == (204, b"", {})
    assert seen == [ACCEPTED]


def test_events_go_out_as_the_contract_says_caused_by_the_one_that_is_handled() -> None:
    broker = Broker()
    deliver(host(lambda payload: TASKS, broker))
    assert [unwrap(event) for event in broker.taken] == TASKS
    first = broker.taken[0]
    assert first.extensions["producer"] == "chunker"
    assert first.extensions["causationid"] == event_of(ACCEPTED).id
    assert first.time == "1970-01-01T00:00:01.500Z"


def test_an_event_is_published_before_the_next_one_is_asked_for() -> None:
    broker = Broker()
    taken_at_each_step: list[int] = []

    def handle(payload: JobAccepted) -> Iterator[Event]:
        for task in TASKS:
            taken_at_each_step.append(len(broker.taken))
            yield task
        taken_at_each_step.append(len(broker.taken))

    deliver(host(handle, broker))
    assert taken_at_each_step == [0, 1, 2, 3]


def test_a_broker_that_takes_nothing_stops_the_handler_before_what_follows() -> None:
    steps: list[str] = []

    def handle(payload: JobAccepted) -> Iterator[Event]:
        try:
            yield TASKS[0]
            steps.append("after the first")
            yield TASKS[1]
            steps.append("after the second")
        finally:
            steps.append("closed")

    broker = Broker(fails_at=1, error=Unavailable("no broker", retry_after_s=7))
    status, body, headers = deliver(host(handle, broker))
    assert (status, headers["retry-after"]) == (503, "7")
    assert body == b"no broker"
    assert steps == ["after the first", "closed"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Rejected("source_empty", "The file is empty."), 422),
        (Unavailable("the store is away"), 503),
        (RuntimeError("hunter2"), 500),
        (KeyError("hunter2"), 500),
    ],
)
def test_a_handler_that_fails_is_answered_by_what_it_raised(error: Exception, status: int) -> None:
    answered, body, _ = deliver(host(raising(error)))
    assert answered == status
    assert body and b"hunter2" not in body


def test_a_defect_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    deliver(host(raising(RuntimeError("hunter2"))))
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"{}", 400),
        ({"content-type": "application/cloudevents-batch+json"}, b"[]", 415),
        ({}, b"x" * 65_537, 413),
    ],
)
def test_what_is_no_event_is_answered_as_the_codec_says(
    headers: dict[str, str], body: bytes, status: int
) -> None:
    response = host(lambda payload: ()).respond(headers, body)
    assert response.status == status
    assert response.body and b"\n" not in response.body


def test_an_event_whose_data_is_not_of_the_contract_is_answered_400() -> None:
    message = codec.encode(event_of(ACCEPTED))
    response = host(lambda payload: ()).respond(message.headers, b'{"job":"hunter2"}')
    assert response.status == 400
    assert b"$.job" in response.body and b"hunter2" not in response.body


def test_an_event_that_no_handler_takes_is_not_asked_for_again() -> None:
    status, _, _ = deliver(host(lambda payload: ()), TASKS[0])
    assert status == 422


def test_a_handler_by_type_gets_the_event_itself() -> None:
    seen: list[CloudEvent] = []

    def handle(event: CloudEvent) -> Iterator[CloudEvent]:
        seen.append(event)
        yield event

    broker = Broker()
    deliver(host(handle, broker, ACCEPTED.type))
    assert seen == broker.taken == [event_of(ACCEPTED)]


def test_a_handler_of_everything_gets_what_no_other_takes() -> None:
    seen: list[str] = []

    def noting(name: str) -> Handler:
        def handle(event: object) -> Iterator[Event]:
            seen.append(name)
            yield from ()

        return handle

    both = Host("x", {JobAccepted: noting("one"), "*": noting("any")}, publish=Broker())
    deliver(both)
    deliver(both, TASKS[0])
    assert seen == ["one", "any"]


def test_without_k_sink_a_function_that_publishes_nothing_works() -> None:
    assert deliver(Host("x", {JobAccepted: lambda payload: ()}))[0] == 204


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_answered(method: str, path: str) -> None:
    response = host(lambda payload: ()).answer(method, path, {}, b"")
    assert (response.status, response.body) == (200, b"")


def test_options_tells_the_one_method() -> None:
    assert host(lambda payload: ()).answer("OPTIONS", "/", {}, b"").headers == {"allow": "POST"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("PUT", "/"), ("DELETE", "/health/live"), ("GET", "/x"), ("HEAD", "/")],
)
def test_any_other_method_is_answered_405(method: str, path: str) -> None:
    response = host(lambda payload: ()).answer(method, path, {}, b"")
    assert (response.status, response.headers["allow"]) == (405, "POST")


def test_an_event_to_any_path_is_an_event() -> None:
    message = codec.encode(event_of(ACCEPTED))
    response = host(lambda payload: ()).answer("POST", "/x", message.headers, message.body)
    assert response.status == 204


def test_every_line_that_a_handler_logs_says_which_job_task_and_event_it_is_about() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(log.JsonFormatter())
    logger = logging.getLogger("tests.host")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    payload = TaskCompleted(job=JOB, generation=1, task="v0000")

    def handle(payload: TaskCompleted) -> Iterator[Event]:
        logger.info("hello")
        yield from ()

    try:
        deliver(host(handle, key=TaskCompleted), payload)
    finally:
        logger.removeHandler(handler)
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "message": "hello",
        "function": "chunker",
        "job": JOB,
        "task": "v0000",
        "event": event_of(payload).id,
        "trace": JOB,
    }


class FlaskLike:
    def __init__(self, message: codec.Message) -> None:
        self.method = "POST"
        self.path = "/"
        self.headers: Mapping[str, str] = message.headers
        self.stream = io.BytesIO(message.body)


def test_a_target_is_a_plain_function_that_answers_as_a_tuple() -> None:
    function = target("x", {JobAccepted: lambda payload: ()})
    assert type(function).__name__ == "function"
    assert function(FlaskLike(codec.encode(event_of(ACCEPTED)))) == (b"", 204, {})
    assert host_of(function).name == "x"


def test_a_target_reads_no_more_of_a_body_than_it_must() -> None:
    function = target("x", {JobAccepted: lambda payload: ()})
    request = FlaskLike(codec.Message({}, b"x" * 1_000_000))
    assert function(request)[1] == 413
    assert request.stream.tell() == 65_537


def test_any_other_function_has_no_host() -> None:
    with pytest.raises(TypeError):
        host_of(lambda request: (b"", 204, {}))


@pytest.mark.parametrize("error", [Unavailable("nö" * 1_000), Rejected("odd", "nö" * 1_000)])
def test_a_long_reason_is_cut_to_what_a_dead_letter_can_hold(error: Exception) -> None:
    _, body, _ = deliver(host(raising(error)))
    assert REASON_LIMIT_BYTES - 1 <= len(body) <= REASON_LIMIT_BYTES
    assert str(error).startswith(body.decode())
