"""`Idempotency-Key`: what is sent twice is done once, whoever dies in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eventing.errors import Unavailable
from functions.gateway.edge.idempotency import KEPT_S, REPLAYED, STALE_S, Remembered
from functions.jobs import layout, record
from tests.gateway import Gateway

JOBS = "/api/v1/jobs"


class Desk:
    def __init__(self) -> None:
        self.gateway = Gateway()
        self.client = self.gateway.client()
        self.object = self.gateway.film()

    def create(self, key: str = "k", **changes: Any) -> Any:
        return self.client.post(
            JOBS, json={"object": self.object, **changes}, headers={"idempotency-key": key}
        )

    def jobs(self) -> int:
        return len(list(self.gateway.store.list(layout.tenant_jobs_prefix("acme"))))

    def records(self) -> list[tuple[str, Remembered]]:
        store = self.gateway.store
        prefix = layout.idempotency("acme", "")
        return [
            (info.key, record.load(store.get(info.key), Remembered)) for info in store.list(prefix)
        ]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_same_request_again_is_answered_the_same_and_done_once(desk: Desk) -> None:
    first, second = desk.create(), desk.create()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert (first.headers.get(REPLAYED), second.headers.get(REPLAYED)) == (None, "true")
    assert desk.jobs() == len(desk.gateway.events) == 1


def test_another_request_under_the_same_key_is_refused(desk: Desk) -> None:
    desk.create()
    other = desk.create(options={"priority": 1})
    assert other.status_code == 422
    assert other.json()["type"].endswith(":key-reused")
    job = desk.gateway.job(state="failed")
    retried = desk.client.post(f"{JOBS}/{job}/retry", headers={"idempotency-key": "k"})
    assert retried.status_code == 422


def test_without_a_key_and_under_another_it_is_another_job(desk: Desk) -> None:
    plain = [desk.client.post(JOBS, json={"object": desk.object}).json()["job"] for _ in range(2)]
    keyed = [desk.create(key).json()["job"] for key in ("a", "b")]
    assert len({*plain, *keyed}) == 4


def test_a_key_is_good_again_after_a_day(desk: Desk) -> None:
    desk.create()
    desk.gateway.clock.advance(KEPT_S)
    again = desk.create(options={"priority": 1})
    assert again.status_code == 201
    assert REPLAYED not in again.headers


def test_what_was_refused_does_not_use_the_key_up(desk: Desk) -> None:
    assert desk.create(options={"profile": "none"}).json()["code"] == "profile_unknown"
    assert desk.create().status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é".encode().decode("latin-1")])
def test_a_key_is_visible_text_of_some_length(desk: Desk, key: str) -> None:
    answer = desk.client.post(
        JOBS,
        json={"object": desk.object},
        headers={b"idempotency-key": key.encode("latin-1")},
    )
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(":invalid")


def test_a_twin_in_flight_is_told_to_wait(desk: Desk) -> None:
    answers: list[Any] = []
    publish = desk.gateway.publish

    def meanwhile(event: Any) -> None:
        publish(event)
        answers.append(desk.create())

    desk.gateway.publish = meanwhile
    assert desk.create().status_code == 201
    (twin,) = answers
    assert twin.status_code == 409
    assert twin.headers["retry-after"] == "1"
    assert desk.jobs() == 1


class Killed(BaseException):
    """The process is gone; nothing of it is cleaned up."""


def dying(desk: Desk, monkeypatch: pytest.MonkeyPatch, *, when: Callable[[str], bool]) -> None:
    """Let a request end in the middle of what it writes, as by SIGKILL."""
    store = desk.gateway.store
    create = store.create

    def write(key: str, body: Any, **options: Any) -> bool:
        if when(key):
            raise Killed
        return create(key, body, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store, "create", write)
        patch.setattr(store, "delete", lambda key: None)
        with pytest.raises(Killed):
            desk.create()


@pytest.mark.parametrize("at", ["work/open/", "work/jobs/", "work/tenants/acme/jobs/"])
def test_who_dies_in_between_leaves_what_the_next_attempt_goes_on_with(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    dying(desk, monkeypatch, when=lambda key: key.startswith(at))
    assert desk.create().status_code == 409
    desk.gateway.clock.advance(STALE_S)
    assert desk.create().status_code == 201
    assert desk.create().headers[REPLAYED] == "true"
    assert desk.jobs() == 1
    assert len({event.job for event in desk.gateway.events}) == 1
    assert len(list(desk.gateway.store.list(layout.OPEN_PREFIX))) == 1


def test_what_fails_for_now_may_be_tried_again_at_once(desk: Desk) -> None:
    store = desk.gateway.store
    create = store.create

    def away(key: str, body: Any, **options: Any) -> bool:
        if key.startswith("work/jobs/"):
            raise Unavailable("the store is away")
        return create(key, body, **options)

    store.create = away  # type: ignore[method-assign]
    assert desk.create().status_code == 503
    store.create = create  # type: ignore[method-assign]
    assert desk.create().status_code == 201


def test_a_secret_that_is_shown_once_is_kept_sealed(desk: Desk) -> None:
    headers = {"idempotency-key": "w"}
    asked = {"url": "https://hook.example/"}
    first = desk.client.post("/api/v1/webhooks", json=asked, headers=headers)
    second = desk.client.post("/api/v1/webhooks", json=asked, headers=headers)
    assert first.json() == second.json()
    assert "whsec_" in first.text
    for info in desk.gateway.store.list(""):
        assert b"whsec_" not in desk.gateway.store.get(info.key), info.key


def test_an_answer_that_no_master_key_opens_is_not_given_and_nothing_is_done(desk: Desk) -> None:
    desk.create()
    ((at, kept),) = desk.records()
    other = desk.gateway.world.seal.__class__((b"o" * 32,))
    sealed = other.seal(b"{}", about=at, nonce=b"n" * 12)
    desk.gateway.store.put(at, record.dump(Remembered(**{**_fields(kept), "sealed": sealed})))
    assert desk.create().status_code == 409
    assert desk.jobs() == 1


def test_old_records_go_as_new_ones_come(desk: Desk) -> None:
    for number in range(12):
        desk.create(f"old {number}".replace(" ", "-"))
    desk.gateway.clock.advance(2 * KEPT_S + 1)
    for number in range(40):
        desk.create(f"new-{number}")
    old = [kept for _, kept in desk.records() if kept.began_s < desk.gateway.clock()]
    assert len(old) < 12


def test_a_lost_reply_to_the_first_write_is_no_twin(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = desk.gateway.store
    create = store.create

    def losing(key: str, body: Any, **options: Any) -> bool:
        made = create(key, body, **options)
        return made and "/idempotency/" not in key

    monkeypatch.setattr(store, "create", losing)
    assert desk.create().status_code == 201
    assert desk.jobs() == 1


def _fields(kept: Remembered) -> dict[str, Any]:
    return {name: getattr(kept, name) for name in Remembered.__dataclass_fields__}
