"""The notifier with real stores and real sockets, verified by whoever receives."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from eventing.contract import JobFailed
from functions.adapters.directory import DirectoryStore
from functions.adapters.reach import Reach
from functions.adapters.sqlite import SqliteState
from functions.adapters.webhook import HttpWebhook
from functions.jobs import ending, layout, record
from functions.notifier.handler import Notifier
from functions.sweeper.due import due
from functions.webhooks.destination import AllowList
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.log import DeliveryLog
from functions.webhooks.outbox import Outbox
from functions.webhooks.retry import Schedule
from functions.webhooks.signature import Key
from tests import receivers
from tests.receivers import Handler, Receiver, Reply, receiver
from tests.webhooks import SEAL, SECRET, put_endpoint

SHOWN = Key(scheme="v1", secret=SECRET).shown


def failing(times: int, status: int = 500) -> Reply:
    """Take nothing so many times."""
    left = iter(range(times))

    def reply(handler: Handler) -> None:
        handler.answer(204 if next(left, None) is None else status)

    return reply


@dataclass
class Office:
    folder: Path
    allow: str = "127.0.0.1/32"
    delays_s: tuple[float, ...] = (0.02, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1)
    timeout_s: float = 20.0
    jobs: int = 0
    store: DirectoryStore = field(init=False)
    notifier: Notifier = field(init=False)

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.folder / "store", durable=False)
        reach = Reach(allow=AllowList.read({"KINORA_WEBHOOK_ALLOW": self.allow}))
        self.notifier = Notifier(
            store=self.store,
            state=SqliteState(self.folder / "state.sqlite"),
            clock=time.time,
            pause=time.sleep,
            webhook=HttpWebhook(reach, timeout_s=self.timeout_s),
            worker="w",
            seal=SEAL,
            schedule=Schedule(delays_s=self.delays_s),
        )

    def endpoint(self, name: str, to: Receiver) -> None:
        made = put_endpoint(self.store, name)
        self.store.put(layout.endpoint("t1", name), record.dump(replace(made, url=to.url)))

    def end(self) -> str:
        """A job ends, and the notifier hears of it."""
        self.jobs += 1
        job = f"{self.jobs:032x}"
        ending.decide(
            self.store, job=job, tenant="t1", state="failed", code="deadline", reason="Late.",
            now_s=time.time(),
        )  # fmt: skip
        self.store.create(layout.open_marker(job), b"{}")
        told = JobFailed(job=job, tenant="t1", code="deadline", reason="Late.")
        assert list(self.notifier.verdict(told)) == []
        return job

    def states(self, job: str) -> dict[str, str]:
        message = Outbox(store=self.store).read("t1", job)
        assert message is not None
        return {each.endpoint: each.state for each in message.deliveries}

    def sweep_until_done(self, job: str) -> dict[str, str]:
        """Ticks, as often as a machine can, until nothing waits."""
        while "waiting" in self.states(job).values():
            for event in due(self.store, now_s=time.time(), limit=100):
                assert list(self.notifier.webhook_due(event)) == []
        return self.states(job)

    def errors(self, name: str) -> list[str]:
        log = DeliveryLog(store=self.store).page("t1", name, limit=100)
        return [entry.error for _, entry in log]


@pytest.mark.parametrize("times", [0, 1, 4])
def test_a_receiver_verifies_what_it_gets_on_whichever_attempt(tmp_path: Path, times: int) -> None:
    office = Office(tmp_path)
    with receiver(failing(times)) as there:
        office.endpoint("one", there)
        job = office.end()
        assert office.sweep_until_done(job) == {"one": "delivered"}
    assert len(there.got) == times + 1
    for got in there.got:
        verified = Webhook(SHOWN).verify(got.body, got.headers)
        assert verified["data"]["job"] == job
    assert len({got.headers["webhook-id"] for got in there.got}) == 1
    assert len({got.body for got in there.got}) == 1


@pytest.mark.parametrize("reply", [receivers.hang, receivers.drip_head, receivers.nonsense])
def test_an_endpoint_that_is_ill_costs_the_others_nothing(tmp_path: Path, reply: Reply) -> None:
    office = Office(tmp_path, delays_s=(60, 600), timeout_s=2)
    with receiver(reply) as ill, receiver() as well:
        office.endpoint("ill", ill)
        office.endpoint("well", well)
        jobs = [office.end() for _ in range(6)]
        assert len(ill.got) == 1, "what failed a moment ago is not waited for"
    assert len(well.got) == 6
    for job in jobs:
        assert office.states(job) == {"ill": "waiting", "well": "delivered"}
        assert office.store.head(layout.open_marker(job)) is None


def test_a_redirect_to_a_private_address_is_a_failure_that_the_log_explains(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path, delays_s=(0.01,))

    def reply(handler: Handler) -> None:
        handler.answer(302, location="http://169.254.169.254/latest/meta-data")

    with receiver(reply) as there:
        office.endpoint("one", there)
        assert office.sweep_until_done(office.end()) == {"one": "given up"}
    assert all("redirects are not followed" in each for each in office.errors("one"))


def test_an_endpoint_whose_address_is_not_allowed_any_more_gets_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path, allow="", delays_s=(0.01,))
    with receiver() as there:
        office.endpoint("one", there)
        assert office.sweep_until_done(office.end()) == {"one": "given up"}
    assert not there.got
    assert all("KINORA_WEBHOOK_ALLOW" in each for each in office.errors("one"))


def test_a_receiver_that_is_gone_is_disabled(tmp_path: Path) -> None:
    office = Office(tmp_path)
    with receiver(failing(99, 410)) as there:
        office.endpoint("one", there)
        office.end()
        assert len(there.got) == 1
    endpoint = record.load(office.store.get(layout.endpoint("t1", "one")), Endpoint)
    assert endpoint.disabled == "gone"


def test_a_receiver_that_is_busy_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    office = Office(tmp_path)

    def reply(handler: Handler) -> None:
        handler.answer(429, retry_after="3600")

    with receiver(reply) as there:
        office.endpoint("one", there)
        job = office.end()
        assert not list(due(office.store, now_s=time.time() + 3500, limit=9))
        assert list(due(office.store, now_s=time.time() + 3700, limit=9))
    assert office.states(job) == {"one": "waiting"}
    assert len(there.got) == 1
