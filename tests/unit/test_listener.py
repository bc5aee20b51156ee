"""How a function answers that the world outside calls with plain requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.codec import Headers
from eventing.contract import Event, ObjectCreated, identity
from eventing.errors import Unavailable
from eventing.host import exposed, host_of
from eventing.listener import Listener
from eventing.publish import Refused

CREATED = [
    ObjectCreated(bucket="uploads", key=f"acme/{number}.mp4", etag=str(number))
    for number in range(3)
]


class Broker:
    """Takes events, or raises `error` at the one with this key."""

    def __init__(self, *, at: str = "", error: Exception | None = None) -> None:
        self.taken: list[CloudEvent] = []
        self._at = at
        self._error = error

    def __call__(self, event: CloudEvent) -> None:
        if self._error and event.subject == self._at:
            raise self._error
        self.taken.append(event)


def hear(headers: Headers, body: bytes) -> Iterable[Event]:
    return CREATED


def listener(broker: Broker, *, admitted: bool = True) -> Listener:
    return Listener(
        "source", hear, admit=lambda headers: admitted, publish=broker, clock=lambda: 1.5
    )


def test_what_is_heard_is_told_and_answered_with_an_empty_204() -> None:
    broker = Broker()
    response = listener(broker).answer("POST", "/any/path", {}, b"{}")
    assert (response.status, response.body, response.headers) == (204, b"", {})
    assert [event.id for event in broker.taken] == [identity(each) for each in CREATED]
    assert {event.extensions["producer"] for event in broker.taken} == {"source"}
    assert not any("causationid" in event.extensions for event in broker.taken)


def test_somebody_unknown_is_not_heard_and_told_how_to_be_known() -> None:
    broker = Broker()
    response = listener(broker, admitted=False).respond({}, b"{}")
    assert response.status == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert broker.taken == []


def test_a_broker_that_takes_nothing_now_is_worth_a_repetition() -> None:
    broker = Broker(at=CREATED[1].key, error=Unavailable("later", retry_after_s=7))
    response = listener(broker).respond({}, b"{}")
    assert (response.status, response.headers["retry-after"]) == (503, "7")


@pytest.mark.parametrize("error", [Refused("never"), codec.Malformed(400, "no subject")])
def test_an_event_that_is_never_taken_does_not_keep_the_others_back(error: Exception) -> None:
    broker = Broker(at=CREATED[1].key, error=error)
    assert listener(broker).respond({}, b"{}").status == 204
    assert [event.subject for event in broker.taken] == ["acme/0.mp4", "acme/2.mp4"]


def test_a_defect_is_answered_500_and_keeps_its_secrets() -> None:
    def broken(headers: Headers, body: bytes) -> Iterator[Event]:
        raise RuntimeError("hunter2")
        yield

    response = Listener("x", broken, admit=lambda headers: True).respond({}, b"{}")
    assert response.status == 500
    assert b"hunter2" not in response.body


def test_what_is_too_large_is_dropped_and_not_asked_for_again() -> None:
    broker = Broker()
    body = b" " * (Listener.body_limit_bytes + 1)
    assert listener(broker).respond({}, body).status == 204
    assert broker.taken == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/health/ready", 200),
        ("HEAD", "/health/live", 200),
        ("OPTIONS", "/", 204),
        ("GET", "/notifications", 405),
        ("PUT", "/", 405),
        ("DELETE", "/", 405),
    ],
)
def test_other_requests_are_answered_without_being_heard(
    method: str, path: str, status: int
) -> None:
    broker = Broker()
    assert listener(broker, admitted=False).answer(method, path, {}, b"").status == status
    assert broker.taken == []


def test_it_is_a_host_as_every_other() -> None:
    found = listener(Broker())
    assert host_of(exposed(found)) is found
