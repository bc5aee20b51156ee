"""What is told of a job on real servers is what is told of it anywhere."""

from __future__ import annotations

from typing import Any

import pytest

from functions.adapters.connect import state_store
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.gateway.live.outlook import JobLook
from functions.jobs import history, layout, leases, overview, record
from functions.jobs.overview import Overview
from functions.jobs.trail import WHOLE, Trail
from functions.ports import ObjectStore, Waiting
from tests import servers, trails
from tests.s3_buckets import fresh_buckets
from tests.trails import JOB

pytestmark = pytest.mark.servers


@pytest.fixture
def store(minio_server: servers.Minio) -> ObjectStore:
    location = fresh_buckets(minio_server)
    return S3Store(Account.read(minio_server.environment), Buckets.at(location))


def shown(seen: Overview) -> dict[str, Any]:
    return overview.as_json(seen, now_s=0.0)


def test_a_job_in_buckets_is_told_like_one_in_memory(
    store: ObjectStore, redis_server: servers.Redis
) -> None:
    state = state_store(f"{redis_server.url}?prefix=told-from-s3")
    memory = trails.CountedStore()
    records = trails.completed()
    records.insert(3, trails.failure("v00001", 1))
    for key, kept in records[:3]:
        store.create(key, record.dump(kept))
    task = Waiting(job=JOB, generation=1, task="v00001", tenant="acme", accelerator="cpu", order=0)
    state.enqueue([task])
    state.admit("cpu", cause="told", limit=1, ttl_s=60)
    state.acquire(leases.task(JOB, 1, "v00001"), "one/9f86", ttl_s=60)
    look = JobLook(store, state, JOB, shown=shown)
    (running,) = [note.wire for note in look().notes if note.name == "task v00001"]
    assert b'"state":"running","worker":"one"' in running
    for key, kept in records[3:]:
        store.create(key, record.dump(kept))
    trails.put(memory, *records)
    assert look().end is not None
    assert overview.summary(store, JOB) is not None
    ours, theirs = history.read(store, JOB), history.read(memory, JOB)
    assert {fact.id: fact.event for fact in ours} == {fact.id: fact.event for fact in theirs}
    # MinIO's clock counts milliseconds: the order is that in which the records were written.
    assert [fact.time_s for fact in ours] == sorted(fact.time_s for fact in ours)
    assert ours[-1].event == theirs[-1].event


def test_of_many_receipts_the_new_ones_are_found(store: ObjectStore) -> None:
    plan = trails.plan_of(WHOLE + 20)
    for key, kept in (trails.manifest(), trails.plan(plan)):
        store.create(key, record.dump(kept))
    for number in range(WHOLE + 1):
        store.create(layout.receipt(JOB, 1, f"v{number:05d}"), b"")
    trail = Trail(store, JOB)
    assert trail.follow()
    assert not trail.follow()
    for task in (f"v{WHOLE + 15:05d}", "a1"):
        store.create(layout.receipt(JOB, 1, task), b"")
        assert trail.follow()
        assert task in trail.done(1)
