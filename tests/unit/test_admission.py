"""Admission: who may start, and that asking twice gives the same answer."""

from __future__ import annotations

import pytest

from eventing.contract import TaskReady
from functions.jobs import admission
from functions.jobs.acceptance import Acceptance
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Plan
from functions.jobs.profile import Options
from tests.fakes import MemoryState, MemoryStore
from tests.flow.faults import Fault, FaultyState
from tests.flow.media import Film, plan_of
from tests.flow.site import PROFILES

SOURCE = SourceObject(bucket="uploads", key="t1/a.mp4", version="", etag="1", size_bytes=9)


def manifest_of(job: str, tenant: str = "t1") -> Manifest:
    return Manifest(
        job=job, tenant=tenant, source=SOURCE, options=Options(), profile=None, accepted_s=0
    )


def registered(state: MemoryState, job: str, film: Film, tenant: str = "t1") -> Plan:
    manifest = manifest_of(job, tenant)
    plan = plan_of(manifest, film, 1)
    admission.register(state, plan, manifest, set())
    return plan


def due(state: MemoryState, cause: str, limit: int = 3) -> list[TaskReady]:
    return list(admission.due(state, Window(limit=limit, ttl_s=60), ["cpu"], cause=cause))


def test_tasks_are_due_in_the_order_of_the_plan() -> None:
    state = MemoryState()
    plan = registered(state, "1" * 32, Film(chunks=4))
    assert [ready.task for ready in due(state, "a")] == [task.id for task in plan.tasks[:3]]


def test_a_task_is_told_of_with_the_length_that_its_plan_gives_it() -> None:
    state = MemoryState()
    registered(state, "1" * 32, Film(chunks=1, sounds=1, long_sounds=True))
    lengths = {ready.task: ready.length for ready in due(state, "a")}
    assert lengths == {"v0000": "short", "a1": "long"}


def test_the_same_cause_is_told_the_same_again_and_another_nothing() -> None:
    state = MemoryState()
    registered(state, "1" * 32, Film(chunks=4))
    first = due(state, "a")
    assert due(state, "b") == []
    assert due(state, "a") == first


def test_what_has_a_receipt_is_never_due() -> None:
    state = MemoryState()
    manifest = manifest_of("1" * 32)
    plan = plan_of(manifest, Film(chunks=3, sounds=0), 1)
    admission.register(state, plan, manifest, {"v0000", "v0002"})
    assert [ready.task for ready in due(state, "a")] == ["v0001"]
    assert state.complete(plan.job, 1, "v0001", total=3)


def test_receipts_of_any_number_are_noted_in_one_step() -> None:
    fault = Fault()
    manifest = manifest_of("1" * 32)
    plan = plan_of(manifest, Film(chunks=500, sounds=0), 1)
    done = {task.id for task in plan.tasks[:-1]}
    state = MemoryState()
    admission.register(FaultyState(state, fault), plan, manifest, done)
    assert fault.calls == 2
    assert [ready.task for ready in due(state, "a")] == [plan.tasks[-1].id]


def test_registering_again_frees_slots_of_what_is_done_meanwhile() -> None:
    state = MemoryState()
    manifest = manifest_of("1" * 32)
    plan = registered(state, "1" * 32, Film(chunks=5, sounds=0))
    due(state, "a")
    admission.register(state, plan, manifest, {"v0000"})
    assert [ready.task for ready in due(state, "b")] == ["v0003"]


def test_tenants_take_turns() -> None:
    state = MemoryState()
    registered(state, "1" * 32, Film(chunks=9), "t1")
    registered(state, "2" * 32, Film(chunks=9), "t1")
    registered(state, "3" * 32, Film(chunks=9), "t2")
    jobs = [ready.job[0] for ready in due(state, "a", limit=4)]
    assert sorted(jobs) == ["1", "2", "3", "3"]


def test_what_somebody_asked_for_decides_who_goes_first() -> None:
    """From the settings, an object's metadata and a sidecar to the tasks that are told of."""
    store, state = MemoryStore(), MemoryState()
    acceptance = Acceptance(store=store, profiles=PROFILES, priorities={"first": 3, "last": -3})
    films = {
        "1": ("last/urgent.mp4", {"kinora-priority": "9"}, b""),
        "2": ("usual/plain.mp4", {}, b""),
        "3": ("usual/sidecar.mp4", {}, b'{"priority": 2}'),
        "4": ("usual/metadata.mp4", {"kinora-priority": "5"}, b'{"priority": 2}'),
        "5": ("first/plain.mp4", {}, b""),
    }
    for number, (key, metadata, sidecar) in films.items():
        store.put(f"uploads/{key}", Film(name=number).content())
        store.annotate(f"uploads/{key}", metadata)
        if sidecar:
            store.put(f"uploads/{key}.json", sidecar)
        info = store.head(f"uploads/{key}")
        assert info is not None
        source = SourceObject(
            bucket="uploads", key=key, version="", etag=info.etag, size_bytes=info.size_bytes
        )
        options, profile = acceptance.judge(source)
        manifest = acceptance.freeze(number * 32, source, options=options, profile=profile, now_s=0)
        plan = plan_of(manifest, Film(chunks=1, sounds=0), 1)
        admission.register(state, plan, manifest, set())
    assert "".join(ready.job[0] for ready in due(state, "a", limit=9)) == "54321"


@pytest.mark.parametrize(
    ("env", "limit"),
    [
        ({}, 3),
        ({"KINORA_ENCODERS": "8"}, 10),
        ({"KINORA_ENCODERS": "8", "KINORA_ENCODER_SLOTS": "5"}, 5),
    ],
)
def test_there_are_two_slots_more_than_encoders_unless_said_otherwise(
    env: dict[str, str], limit: int
) -> None:
    assert Window.read(env).limit == limit


def test_a_window_without_slots_is_refused() -> None:
    with pytest.raises(ValueError, match="KINORA_ENCODER_SLOTS"):
        Window.read({"KINORA_ENCODER_SLOTS": "-1"})


@pytest.mark.parametrize("encoders", range(1, 65))
def test_a_queued_task_ends_before_the_broker_gives_up(encoders: int) -> None:
    """Tasks in flight stand at most so deep before each encoder, and one takes at most 120 s."""
    deep = -(-Window.read({"KINORA_ENCODERS": str(encoders)}).limit // encoders)
    assert (deep + 1) * 120 < 11 * 60 < Window(limit=1).ttl_s
