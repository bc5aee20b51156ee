"""The notifier: everybody who waits is told, and only then the job is no longer open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from eventing.contract import Event, JobCompleted, JobFailed, WebhookDue, identity
from functions.jobs import ending, layout, record
from functions.jobs.endpoint import Endpoint
from functions.jobs.owed import Owed
from functions.jobs.verdict import event_of
from functions.notifier.handler import Notifier
from functions.ports import Answer
from tests.fakes import ManualClock, MemoryState, MemoryStore

JOB = "1" * 32
TOLD = JobFailed(job=JOB, tenant="t1", code="deadline", reason="Too late.")


@dataclass
class Endpoints:
    """A Webhook whose endpoints answer what they are told to."""

    answers: dict[str, int] = field(default_factory=dict)
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        self.got.append((url, headers, body))
        return Answer(status=self.answers.get(url, 200))


@dataclass
class Office:
    webhook: Endpoints | None = None
    tenant: str = "t1"
    store: MemoryStore = field(default_factory=MemoryStore)
    state: MemoryState = field(default_factory=MemoryState)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.verdict = ending.decide(
            self.store,
            job=JOB,
            tenant=self.tenant,
            state="failed",
            code="deadline",
            reason="Too late.",
            now_s=1_800_000_000.5,
        )
        self.store.create(layout.open_marker(JOB), b"")

    def endpoint(self, name: str, *events: str) -> str:
        url = f"https://{name}.example/hook"
        key = layout.endpoints_prefix("t1") + name
        self.store.put(key, record.dump(Endpoint(url=url, events=events)))
        return url

    def handle(self, event: Event = TOLD) -> None:
        notifier = Notifier(
            store=self.store, state=self.state, clock=self.clock, webhook=self.webhook
        )
        if isinstance(event, WebhookDue):
            assert list(notifier.webhook_due(event)) == []
        else:
            assert isinstance(event, JobFailed)
            assert list(notifier.verdict(event)) == []

    @property
    def open(self) -> bool:
        return self.store.head(layout.open_marker(JOB)) is not None

    @property
    def owed(self) -> list[str]:
        key = layout.owed("t1", JOB)
        if self.store.head(key) is None:
            return []
        return list(record.load(self.store.get(key), Owed).endpoints)


def test_without_endpoints_the_job_is_closed_and_nothing_is_sent() -> None:
    office = Office(Endpoints())
    office.handle()
    assert not office.open
    assert office.webhook is not None
    assert not office.webhook.got


def test_an_endpoint_gets_the_event_as_a_structured_cloudevent() -> None:
    office = Office(Endpoints())
    url = office.endpoint("one")
    office.handle()
    assert office.webhook is not None
    ((got_url, headers, body),) = office.webhook.got
    assert got_url == url
    assert headers["webhook-id"] == identity(TOLD)
    assert headers["webhook-timestamp"] == str(int(office.clock()))
    assert headers["content-type"] == "application/cloudevents+json"
    event = json.loads(body)
    assert (event["id"], event["type"]) == (identity(TOLD), TOLD.type)
    assert event["data"] == {
        "job": JOB,
        "tenant": "t1",
        "code": "deadline",
        "reason": "Too late.",
    }
    assert not office.open
    assert office.owed == []


def test_the_message_is_the_same_on_every_try() -> None:
    office = Office(Endpoints())
    office.endpoint("one")
    office.handle()
    office.store.create(layout.open_marker(JOB), b"")
    office.clock.advance(100)
    office.handle()
    assert office.webhook is not None
    (_, first, one), (_, second, two) = office.webhook.got
    assert one == two
    assert first["webhook-id"] == second["webhook-id"]


def test_an_endpoint_is_told_only_of_what_it_wants() -> None:
    office = Office(Endpoints())
    wanting = office.endpoint("one", TOLD.type)
    office.endpoint("two", JobCompleted.type)
    office.handle()
    assert office.webhook is not None
    assert [url for url, _, _ in office.webhook.got] == [wanting]


def test_what_an_endpoint_does_not_take_stays_owed() -> None:
    office = Office(Endpoints())
    office.endpoint("one")
    url = office.endpoint("two")
    assert office.webhook is not None
    office.webhook.answers[url] = 500
    office.handle()
    assert office.owed == ["two"]
    assert not office.open
    office.webhook.got.clear()
    office.webhook.answers[url] = 204
    office.handle(WebhookDue(job=JOB, tenant="t1"))
    assert [told for told, _, _ in office.webhook.got] == [url]
    assert office.owed == []


def test_without_a_way_to_deliver_everything_stays_owed() -> None:
    office = Office()
    office.endpoint("one")
    office.handle()
    assert office.owed == ["one"]
    assert not office.open


def test_who_owes_nothing_sends_nothing() -> None:
    office = Office(Endpoints())
    office.endpoint("one")
    office.handle(WebhookDue(job=JOB, tenant="t1"))
    assert office.webhook is not None
    assert not office.webhook.got


def test_a_job_that_is_closed_without_a_result_keeps_no_outputs() -> None:
    office = Office()
    office.store.create(layout.media(JOB, "360p/00000-ab.m4s"), b"late")
    office.handle()
    assert not list(office.store.list("media/"))


def test_a_verdict_that_was_told_is_not_told_again() -> None:
    office = Office(Endpoints())
    office.endpoint("one")
    office.handle()
    office.handle()
    assert office.webhook is not None
    assert len(office.webhook.got) == 1


@pytest.mark.parametrize("tenant", ["", "t2"])
def test_nobody_is_told_of_what_is_not_theirs(tenant: str) -> None:
    office = Office(Endpoints(), tenant=tenant)
    office.endpoint("one")
    office.handle()
    office.handle(WebhookDue(job=JOB, tenant="t1"))
    assert office.webhook is not None
    assert not office.webhook.got
    assert not office.open


def test_the_event_tells_what_the_verdict_says() -> None:
    assert event_of(Office().verdict) == TOLD
