"""The notifier: everybody who waits is told, and only then the job is no longer open."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from eventing.contract import JobCompleted, JobFailed, WebhookDue, identity
from functions.jobs import layout
from functions.notifier.settings import Settings
from functions.webhooks import health, notice, signature
from functions.webhooks.outbox import Outbox
from functions.webhooks.retry import DELAYS_S
from tests.mailbox import FAILED, HUNG, JOB, TOLD, TOOK_IT, Mailbox


def test_without_endpoints_the_job_is_closed_and_nothing_is_kept_or_sent() -> None:
    box = Mailbox()
    box.handle()
    assert not box.open
    assert not box.receivers.got
    assert box.message() is None
    assert not box.reminders


def test_an_endpoint_gets_the_event_as_a_structured_cloudevent_that_is_signed() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle()
    ((name, post),) = box.receivers.got
    assert (name, post.url) == ("one", "https://one.example/hook")
    assert post.headers["content-type"] == "application/cloudevents+json"
    expected = signature.headers(box.keys(), id=identity(TOLD), body=post.body, now_s=box.clock())
    assert post.headers.items() >= expected.items()
    event = json.loads(post.body)
    assert (event["id"], event["type"]) == (identity(TOLD), TOLD.type)
    assert event["data"] == {
        "job": JOB,
        "tenant": "t1",
        "code": "deadline",
        "reason": "Too late.",
    }
    assert not box.open
    assert box.states() == {"one": "delivered"}


def test_an_endpoint_is_told_only_of_what_it_wants_and_only_while_it_is_enabled() -> None:
    box = Mailbox()
    box.endpoint("one", TOLD.type)
    box.endpoint("two", JobCompleted.type)
    box.endpoint("three")
    box.change("three", health.gone)
    box.handle()
    assert box.receivers.names == ["one"]
    assert box.states() == {"one": "delivered"}


def test_a_verdict_that_was_told_is_not_told_again() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle()
    box.handle()
    box.store.create(layout.open_marker(JOB), b"")
    box.handle()
    assert len(box.receivers.got) == 1
    assert not box.open


def test_a_verdict_that_is_not_written_is_not_told() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle(replace(TOLD, job="2" * 32))
    assert not box.receivers.got


def test_a_job_that_is_closed_without_a_result_keeps_no_outputs() -> None:
    box = Mailbox()
    box.store.create(layout.media(JOB, "360p/00000-ab.m4s"), b"late")
    box.handle()
    assert not list(box.store.list("media/"))


@pytest.mark.parametrize("tenant", ["", "t2"])
def test_nobody_is_told_of_what_is_not_theirs(tenant: str) -> None:
    box = Mailbox(tenant=tenant)
    box.endpoint("one")
    box.handle()
    box.handle(WebhookDue(message=JOB, tenant="t1", due_ms=1))
    assert not box.receivers.got
    assert not box.open


def test_the_message_is_durable_before_anything_is_sent() -> None:
    box = Mailbox()
    box.endpoint("one")

    def look() -> None:
        assert box.states() == {"one": "waiting"}
        assert box.reminders
        assert box.open

    box.receivers.meanwhile = look
    box.handle()
    assert len(box.receivers.got) == 1


def test_an_endpoint_that_cannot_be_read_does_not_hold_up_the_others() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.store.put(layout.endpoint("t1", "broken"), b"{")
    box.handle()
    assert box.receivers.names == ["one"]


def test_a_message_that_tries_an_endpoint_out_is_delivered_when_it_is_due() -> None:
    box = Mailbox()
    box.endpoint("one", JobCompleted.type)
    message = notice.trial("t1", "one", nonce="x", now_s=box.clock())
    Outbox(store=box.store).create(message)
    box.handle(message.reminder)
    ((_, post),) = box.receivers.got
    assert json.loads(post.body)["type"] == notice.TRIAL
    assert post.headers["webhook-id"] == message.id


def test_a_replay_while_it_is_being_delivered_loses_nothing() -> None:
    box = Mailbox()
    box.endpoint("one", answers=[HUNG, FAILED, TOOK_IT])
    box.handle()

    def replay() -> None:
        box.receivers.meanwhile = lambda: None
        Outbox(store=box.store).change("t1", JOB, lambda found: found.replayed("one", 0.0))

    box.receivers.meanwhile = replay
    for _ in range(10):
        box.tick()
    assert box.states() == {"one": "delivered"}


def test_settings_are_read_from_the_environment() -> None:
    env = {"KINORA_STORE": "s", "KINORA_STATE": "t"}
    settings = Settings.read(env)
    assert settings.seal is None
    assert settings.schedule.delays_s == DELAYS_S
    assert settings.timeout_s == 15
    settings = Settings.read(
        env | {"KINORA_WEBHOOK_RETRIES_S": "0.1,2", "KINORA_WEBHOOK_TIMEOUT_S": "3"}
    )
    assert settings.schedule.delays_s == (0.1, 2)
    assert settings.timeout_s == 3
    with pytest.raises(ValueError, match="KINORA_WEBHOOK_TIMEOUT_S"):
        Settings.read(env | {"KINORA_WEBHOOK_TIMEOUT_S": "21"})


def test_the_event_of_the_message_is_that_of_the_verdict() -> None:
    box = Mailbox()
    box.endpoint("one")
    box.handle()
    message = box.message()
    assert message is not None
    assert isinstance(TOLD, JobFailed)
    assert (message.event, message.type) == (identity(TOLD), TOLD.type)
