"""What the gateway tells of a job: its tasks, its events, and its streams."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from functions.gateway.live.watch import Seen
from functions.jobs import layout, leases, record
from functions.jobs.receipt import Failure
from functions.ports import Waiting
from tests import trails
from tests.gateway import NO_LIMITS, Gateway
from tests.streams import parse


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


def encoding(gateway: Gateway, chunks: int = 3) -> str:
    """A job with a plan, one task done and one at work."""
    job = gateway.job()
    plan = trails.plan_of(chunks, job=job)
    trails.put(gateway.store, trails.plan(plan), trails.receipt("v00000", job=job))
    task = Waiting(job=job, generation=1, task="v00001", tenant="acme", accelerator="cpu", order=0)
    gateway.state.enqueue([task])
    gateway.state.admit("cpu", cause="test", limit=1, ttl_s=60)
    gateway.state.acquire(leases.task(job, 1, "v00001"), "one/9f86", ttl_s=30)
    gateway.state.report_progress(job, 1, "v00001", 40)
    return job


def test_the_tasks_of_a_job_say_where_each_is(gateway: Gateway) -> None:
    job = encoding(gateway)
    shown = gateway.client().get(f"/api/v1/jobs/{job}/tasks").json()
    assert shown["generation"] == 1
    assert [
        (task["id"], task["kind"], task["state"], task["worker"], task["frames_done"])
        for task in shown["tasks"]
    ] == [
        ("v00000", "video", "done", "worker-of-v00000", 100),
        ("v00001", "video", "running", "one", 40),
        ("v00002", "video", "waiting", None, 0),
        ("a1", "audio", "waiting", None, 0),
    ]
    assert shown["tasks"][0]["size_bytes"] == 200


def test_a_job_without_a_plan_has_no_tasks(gateway: Gateway) -> None:
    job = gateway.job()
    shown = gateway.client().get(f"/api/v1/jobs/{job}/tasks").json()
    assert (shown["generation"], shown["frames"], shown["tasks"]) == (None, None, [])


def test_the_events_of_a_job_come_page_by_page(gateway: Gateway) -> None:
    job = encoding(gateway)
    client = gateway.client()
    path = f"/api/v1/jobs/{job}/events"
    whole = client.get(path).json()
    assert [event["type"] for event in whole["events"]] == [
        "dev.kinora.job.accepted.v1",
        "dev.kinora.task.ready.v1",
        "dev.kinora.task.completed.v1",
    ]
    assert whole["next"] is None
    first = client.get(path, params={"limit": 2}).json()
    second = client.get(path, params={"limit": 2, "after": first["next"]}).json()
    assert first["events"] + second["events"] == whole["events"]
    assert second["next"] is None


def test_events_outlive_the_state_store(gateway: Gateway) -> None:
    job = encoding(gateway)
    path = f"/api/v1/jobs/{job}/events"
    before = gateway.client().get(path).json()
    gateway.state.flush()
    assert gateway.client().get(path).json() == before


@pytest.mark.parametrize("what", ["tasks", "events", "progress"])
def test_nothing_is_told_of_a_job_of_another_tenant(gateway: Gateway, what: str) -> None:
    job = gateway.job("acme", state="completed")
    assert gateway.client("acme").get(f"/api/v1/jobs/{job}/{what}").status_code == 200
    for client, asked in ((gateway.client("ben"), job), (gateway.client("acme"), "0" * 32)):
        answer = client.get(f"/api/v1/jobs/{asked}/{what}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "urn:kinora:problem:not-found"


def test_a_stream_of_an_ended_job_tells_all_and_ends(gateway: Gateway) -> None:
    job = gateway.job(state="failed")
    client = gateway.client()
    path = f"/api/v1/jobs/{job}/progress"
    answer = client.get(path)
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = list(parse(answer.content))
    assert [each.event for each in told] == ["job", "fact", "fact", "end"]
    assert told[0].data == client.get(f"/api/v1/jobs/{job}").json()
    assert [each.data for each in told[1:3]] == client.get(f"/api/v1/jobs/{job}/events").json()[
        "events"
    ]
    assert told[-1].data == {"job": job, "state": "failed"}


def test_who_was_told_the_verdict_need_not_come_back(gateway: Gateway) -> None:
    job = gateway.job(state="failed")
    client = gateway.client()
    path = f"/api/v1/jobs/{job}/progress"
    *_, accepted, failed, _ = parse(client.get(path).content)
    assert client.get(path, headers={"last-event-id": failed.id}).status_code == 204
    assert client.get(path, params={"after": failed.id}).status_code == 204
    assert client.get(path, headers={"last-event-id": accepted.id}).status_code == 200


def test_a_tenant_may_have_so_many_streams_open() -> None:
    gateway = Gateway(limits=replace(NO_LIMITS, open_streams=2))
    mine, theirs = gateway.job(state="completed"), gateway.job("ben", state="completed")
    acme, ben = gateway.client("acme"), gateway.client("ben")

    async def test() -> None:
        open_streams = gateway.app.state.watches.open
        with open_streams("one", lambda: lambda: Seen(notes=[]), tenant="acme"):
            assert acme.get(f"/api/v1/jobs/{mine}/progress").status_code == 200
            with open_streams("two", lambda: lambda: Seen(notes=[]), tenant="acme"):
                for refused in (f"/api/v1/jobs/{mine}/progress", "/api/v1/progress"):
                    answer = acme.get(refused)
                    assert answer.status_code == 429
                    assert int(answer.headers["retry-after"]) > 0
                assert ben.get(f"/api/v1/jobs/{theirs}/progress").status_code == 200

    asyncio.run(test())


def test_a_failed_attempt_shows_in_the_events_with_its_reason(gateway: Gateway) -> None:
    job = encoding(gateway)
    failed = trails.failure("v00001", 1)[1]
    assert isinstance(failed, Failure)
    gateway.store.create(layout.failure(job, 1, "v00001", 1), record.dump(replace(failed, job=job)))
    events = gateway.client().get(f"/api/v1/jobs/{job}/events").json()["events"]
    (told,) = [event for event in events if event["type"] == "dev.kinora.task.failed.v1"]
    assert told["subject"] == "v00001/1"
    assert told["data"]["reason"] == "Attempt 1 at v00001 failed."
    assert told["producer"] == "encoder"
