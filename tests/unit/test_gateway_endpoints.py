"""Webhook endpoints by the API: made, changed, tried out, looked into, and sent to again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.testclient import TestClient

from eventing.contract import JobFailed, WebhookDue
from eventing.errors import Unavailable
from eventing.topology import VERDICTS
from functions.gateway.hooks import replay
from functions.gateway.hooks import view as endpointview
from functions.jobs import layout, record
from functions.notifier.handler import Notifier
from functions.ports import Post
from functions.webhooks import endpoint as endpoints
from functions.webhooks import health
from functions.webhooks.endpoint import Endpoint
from tests.fakes import ManualClock
from tests.gateway import Gateway
from tests.mailbox import FAILED, Receivers

URL = "https://app.example/hook"
HOOKS = "/api/v1/webhooks"
FAILED_TYPE = JobFailed.type


class Site:
    """A gateway and a notifier over the same stores."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        # Whoever verifies compares with the time of this machine.
        self.gateway.clock.now_s = datetime.now(UTC).timestamp()
        self.clock: ManualClock = self.gateway.clock
        self.acme = self.gateway.client("acme")
        self.receivers = Receivers(self.clock)
        self.notifier = Notifier(
            store=self.gateway.store,
            state=self.gateway.state,
            clock=self.clock,
            pause=self.clock.advance,
            webhook=self.receivers,
            worker="w",
            seal=self.gateway.world.seal,
        )

    def make(self, client: TestClient | None = None, **fields: Any) -> dict[str, Any]:
        answer = (client or self.acme).post(HOOKS, json={"url": URL, **fields})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def deliver(self) -> None:
        """What the gateway published, by the notifier."""
        events, self.gateway.published[:] = list(self.gateway.events), []
        for event in events:
            if isinstance(event, WebhookDue):
                assert list(self.notifier.webhook_due(event)) == []

    def end(self, **how: Any) -> str:
        """A job that failed, and was told."""
        job = self.gateway.job("acme", state="failed", **how)
        self.gateway.store.create(layout.open_marker(job), b"")
        told = JobFailed(job=job, tenant="acme", code="decode_failed", reason="")
        assert list(self.notifier.verdict(told)) == []
        return job

    @property
    def posts(self) -> list[Post]:
        return [post for _, post in self.receivers.got]


def path(made: dict[str, Any], rest: str = "") -> str:
    return f"{HOOKS}/{made['endpoint']}{rest}"


def verify(secret: str, post: Post) -> None:
    Webhook(secret).verify(post.body, dict(post.headers))


# Made, changed and removed.


def test_an_endpoint_is_made_with_a_secret_that_no_other_answer_shows() -> None:
    site = Site()
    made = site.make(description="Ours", events=[FAILED_TYPE])
    assert made["secret"].startswith("whsec_")
    assert (made["url"], made["description"], made["events"]) == (URL, "Ours", [FAILED_TYPE])
    shown = site.acme.get(path(made))
    listed = site.acme.get(HOOKS)
    assert shown.json() == {name: made[name] for name in made if name != "secret"}
    assert listed.json() == {"endpoints": [shown.json()]}
    stored = b"".join(site.gateway.store.get(info.key) for info in site.gateway.store.list("work/"))
    assert made["secret"].removeprefix("whsec_").encode() not in stored


def test_the_same_idempotency_key_makes_one_endpoint_and_shows_its_secret_again() -> None:
    site = Site()
    headers = {"Idempotency-Key": "once"}
    first, second = (
        site.acme.post(HOOKS, json={"url": URL}, headers=headers).json() for _ in range(2)
    )
    assert first == second
    assert len(site.acme.get(HOOKS).json()["endpoints"]) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example/hook",
        "https://user:word@app.example/",
        "https://127.0.0.1/",
        "https://inside.example/",
        "ftp://app.example/",
    ],
)
def test_a_url_that_nothing_would_be_delivered_to_is_refused_with_a_reason(url: str) -> None:
    site = Site()
    site.gateway.addresses = {"inside.example": ["10.0.0.7"], "127.0.0.1": ["127.0.0.1"]}
    made = site.make()
    for answer in (
        site.acme.post(HOOKS, json={"url": url}),
        site.acme.patch(path(made), json={"url": url}),
    ):
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["field"] == "body.url"
        assert error["problem"].endswith(".")
    assert site.acme.get(path(made)).json()["url"] == URL


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": URL, "events": ["dev.kinora.task.ready.v1"]},
        {"url": URL, "schemes": []},
        {"url": URL, "colour": "blue"},
    ],
)
def test_what_is_no_endpoint_is_refused(body: dict[str, Any]) -> None:
    assert Site().acme.post(HOOKS, json=body).status_code == 422


def test_a_tenant_has_so_many_endpoints_and_no_more() -> None:
    site = Site()
    for _ in range(endpoints.LIMIT):
        site.make()
    answer = site.acme.post(HOOKS, json={"url": URL})
    assert answer.status_code == 409
    assert site.make(site.gateway.client("other"))


def test_what_a_change_does_not_name_stays_as_it_is() -> None:
    site = Site()
    made = site.make(description="Ours", events=[FAILED_TYPE])
    changed = site.acme.patch(path(made), json={"paused": True}).json()
    assert changed["paused"]
    assert (changed["description"], changed["events"]) == ("Ours", [FAILED_TYPE])
    changed = site.acme.patch(path(made), json={"events": [], "paused": False}).json()
    assert (changed["paused"], changed["events"]) == (False, [])


def test_an_endpoint_that_is_disabled_is_enabled_again() -> None:
    site = Site()
    made = site.make()
    key = layout.endpoint("acme", made["endpoint"])
    there = record.load(site.gateway.store.get(key), Endpoint)
    site.gateway.store.put(key, record.dump(health.gone(there)))
    assert site.acme.get(path(made)).json()["disabled"] == "gone"
    assert site.acme.post(path(made, "/test")).status_code == 409
    assert site.acme.patch(path(made), json={"disabled": False}).json()["disabled"] is None
    assert site.acme.post(path(made, "/test")).status_code == 202


def test_an_endpoint_that_was_removed_is_gone_with_its_log() -> None:
    site = Site()
    made = site.make()
    site.end()
    assert site.acme.delete(path(made)).status_code == 204
    assert site.acme.get(path(made)).status_code == 404
    assert site.acme.delete(path(made)).status_code == 404
    assert not list(site.gateway.store.list(layout.attempts_prefix("acme", made["endpoint"])))


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"paused": True}),
        ("DELETE", "", None),
        ("POST", "/rotate", {}),
        ("POST", "/test", None),
        ("GET", "/deliveries", None),
        ("POST", "/replay", {"message": "1" * 32}),
    ],
)
def test_another_tenants_endpoint_is_not_there(method: str, rest: str, body: Any) -> None:
    site = Site()
    made = site.make()
    other = site.gateway.client("other")
    assert other.request(method, path(made, rest), json=body).status_code == 404
    assert other.get(HOOKS).json() == {"endpoints": []}


def test_the_types_are_those_of_the_contract() -> None:
    assert set(get_args(endpointview.EventType)) == {kind.type for kind in VERDICTS}


# Secrets.


def test_after_a_rotation_deliveries_carry_both_signatures_until_the_old_one_ends() -> None:
    site = Site()
    made = site.make()
    rotated = site.acme.post(path(made, "/rotate"), json={"overlap_s": 100}).json()
    assert rotated["secret"] != made["secret"]
    new, old = rotated["signatures"]
    assert (new["expires"], old["expires"] is None) == (None, False)
    site.end()
    (post,) = site.posts
    verify(made["secret"], post)
    verify(rotated["secret"], post)
    site.clock.advance(101)
    site.end()
    verify(rotated["secret"], site.posts[1])
    with pytest.raises(WebhookVerificationError):
        verify(made["secret"], site.posts[1])
    assert len(site.acme.get(path(made)).json()["signatures"]) == 1


def test_a_rotation_without_overlap_ends_the_old_secret_at_once() -> None:
    site = Site()
    made = site.make()
    site.acme.post(path(made, "/rotate"), json={"overlap_s": 0})
    site.end()
    with pytest.raises(WebhookVerificationError):
        verify(made["secret"], site.posts[0])


def test_however_often_it_is_rotated_signatures_stay_few() -> None:
    site = Site()
    made = site.make()
    for _ in range(12):
        rotated = site.acme.post(path(made, "/rotate")).json()
    assert len(rotated["signatures"]) == 6
    site.end()
    verify(rotated["secret"], site.posts[0])


def test_an_endpoint_may_have_a_public_key_instead_of_a_secret_or_beside_it() -> None:
    site = Site()
    public = site.make(schemes=["v1a"])
    assert public["secret"].startswith("whpk_")
    assert public["signatures"][0]["public_key"] == public["secret"]
    both = site.make(schemes=["v1a", "v1"])
    assert both["secret"].startswith("whsec_")
    assert [each["scheme"] for each in both["signatures"]] == ["v1a", "v1"]


# Tries.


def test_a_test_reaches_the_endpoint_and_its_log() -> None:
    site = Site()
    made = site.make(events=[FAILED_TYPE])
    answer = site.acme.post(path(made, "/test"))
    assert answer.status_code == 202
    message = answer.json()["message"]
    site.deliver()
    (post,) = site.posts
    verify(made["secret"], post)
    (entry,) = site.acme.get(path(made, "/deliveries")).json()["deliveries"]
    assert (entry["message"], entry["type"]) == (message, "dev.kinora.webhook.test.v1")
    assert (entry["status"], entry["number"], entry["kind"]) == (204, 1, "attempt")


def test_a_test_of_a_paused_endpoint_is_refused() -> None:
    site = Site()
    made = site.make()
    site.acme.patch(path(made), json={"paused": True})
    assert site.acme.post(path(made, "/test")).status_code == 409


def test_the_log_comes_page_by_page_the_newest_first() -> None:
    site = Site()
    made = site.make()
    messages = []
    for _ in range(5):
        messages.append(site.acme.post(path(made, "/test")).json()["message"])
        site.deliver()
        site.clock.advance(1)
    seen: list[str] = []
    cursor = ""
    while True:
        page = site.acme.get(path(made, "/deliveries"), params={"limit": 2, "cursor": cursor})
        seen += [each["message"] for each in page.json()["deliveries"]]
        if (following := page.json()["next"]) is None:
            break
        cursor = following
    assert seen == messages[::-1]


# Replays.


def test_how_a_job_ended_is_sent_again_with_the_same_id() -> None:
    site = Site()
    made = site.make()
    job = site.end()
    answer = site.acme.post(path(made, "/replay"), json={"message": job})
    assert (answer.status_code, answer.json()) == (202, {"messages": 1, "next": None})
    site.deliver()
    first, second = site.posts
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_new_endpoint_may_ask_for_what_was_before_it() -> None:
    site = Site()
    job = site.end()
    made = site.make()
    site.acme.post(path(made, "/replay"), json={"message": job})
    site.deliver()
    (post,) = site.posts
    verify(made["secret"], post)


def test_what_is_not_there_or_not_over_is_not_sent_again() -> None:
    site = Site()
    made = site.make()

    def asked(message: str) -> int:
        return site.acme.post(path(made, "/replay"), json={"message": message}).status_code

    assert asked("1" * 32) == 404
    assert asked(site.gateway.job("acme")) == 404
    assert asked(site.gateway.job("other", state="failed")) == 404
    ended = site.gateway.job("acme", state="failed")
    site.gateway.store.create(layout.open_marker(ended), b"")
    assert asked(ended) == 409, "the notifier is about to tell everybody of it"


def test_everything_since_a_time_is_sent_again_of_what_the_endpoint_wants() -> None:
    site = Site()
    site.end()
    site.clock.advance(3600)
    since = datetime.fromtimestamp(site.clock(), UTC)
    site.clock.advance(60)
    wanted = {site.end(), site.end()}
    site.gateway.job("acme", state="completed")
    site.gateway.job("acme")
    site.gateway.job("other", state="failed")
    made = site.make(events=[FAILED_TYPE])
    answer = site.acme.post(path(made, "/replay"), json={"since": since.isoformat()})
    assert (answer.status_code, answer.json()) == (202, {"messages": 2, "next": None})
    site.deliver()
    log = site.acme.get(path(made, "/deliveries")).json()["deliveries"]
    assert {each["message"] for each in log} == wanted


def test_a_long_replay_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MOST_EXAMINED", 2)
    site = Site()
    jobs = {site.end() for _ in range(5)}
    made = site.make()
    cursor, counts = "", []
    while cursor is not None:
        asked = {"since": "1970-01-01T00:00:00Z", "cursor": cursor}
        answer = site.acme.post(path(made, "/replay"), json=asked).json()
        counts.append(answer["messages"])
        cursor = answer["next"]
    assert sum(counts) == 5
    assert max(counts) == 2
    site.deliver()
    log = site.acme.get(path(made, "/deliveries")).json()["deliveries"]
    assert {each["message"] for each in log} == jobs


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_any_time_may_be_asked_for(since: str) -> None:
    site = Site()
    site.end()
    made = site.make()
    answer = site.acme.post(path(made, "/replay"), json={"since": since})
    assert answer.status_code == 202
    assert answer.json()["messages"] == (1 if since < "1" else 0)


def test_what_was_given_up_is_tried_again_with_all_its_attempts() -> None:
    site = Site()
    made = site.make()
    site.receivers.answers["app"] = [FAILED]
    job = site.end()
    site.clock.advance(timedelta(days=1).total_seconds())
    site.acme.post(path(made, "/replay"), json={"message": job})
    site.receivers.answers.clear()
    site.deliver()
    newest = site.acme.get(path(made, "/deliveries")).json()["deliveries"][0]
    assert (newest["number"], newest["status"]) == (1, 204)


def test_without_a_broker_what_was_asked_for_waits_for_the_sweeper() -> None:
    site = Site()
    made = site.make()

    def refuse(event: object) -> None:
        raise Unavailable("no broker")

    site.gateway.publish = refuse
    assert site.acme.post(path(made, "/test")).status_code == 202
    assert list(site.gateway.store.list(layout.DUE_PREFIX))


def test_an_endpoint_record_is_changed_by_compare_and_swap() -> None:
    site = Site()
    made = site.make()
    key = layout.endpoint("acme", made["endpoint"])
    there = record.load(site.gateway.store.get(key), Endpoint)
    site.gateway.store.put(key, record.dump(replace(there, failing_since_s=5.0)))
    changed = site.acme.patch(path(made), json={"description": "New"}).json()
    assert changed["failing_since"] is not None
