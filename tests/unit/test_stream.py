"""What a reader of a job's stream is told: everything, also across breaks and other processes."""

from __future__ import annotations

from functions.gateway.live.stream import LONGEST_S, OVERLAP_S
from functions.gateway.live.watch import BEAT_S, HEARTBEATS
from functions.jobs import layout
from tests import trails
from tests.stream_site import Site, run
from tests.streams import Reader, settle
from tests.trails import JOB, TENANT

GOLDEN = b"""retry: 2000

event: job
data: {"job":"0123456789abcdef0123456789abcdef","tenant":"acme","state":"rejected",\
"code":"source_empty","reason":"The file is empty.","source":"uploads/acme/film.mp4",\
"size_bytes":1234567,"profile":"default","accepted":"2027-01-15T08:00:00.000Z",\
"ended":"2027-01-15T08:01:00.000Z","elapsed_s":60.0,"generation":null,"progress":{"share":0.0,\
"frames_done":0,"frames_total":null,"tasks_done":0,"tasks_total":null,"speed":null,"eta_s":null}}

event: fact
data: {"id":"d8a02af27a696033449738558a49a494","type":"dev.kinora.job.rejected.v1",\
"subject":"0123456789abcdef0123456789abcdef","time":"2027-01-15T08:00:00.000Z",\
"producer":"gateway","cause":null,"data":{"job":"0123456789abcdef0123456789abcdef",\
"tenant":"acme","code":"source_empty","reason":"The file is empty."}}
id: d8a02af27a696033449738558a49a494

event: end
data: {"job":"0123456789abcdef0123456789abcdef","state":"rejected"}

"""


def test_the_wire_is_that_of_server_sent_events() -> None:
    async def test(site: Site) -> None:
        site.put(
            trails.manifest(profile=None),
            trails.verdict("rejected", code="source_empty", reason="The file is empty."),
        )
        stream = site.stream()
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        reader = await Reader.of(stream)
        assert reader.ended
        assert bytes(reader.heard) == GOLDEN

    run(test)


def test_a_job_is_told_live_from_its_acceptance_to_its_verdict() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        reader = await Reader.of(site.stream())
        assert [told.data["state"] for told in reader.told("job")] == ["accepted"]
        for each in trails.completed()[1:]:
            await site.pass_by(1.0)
            site.put(each)
            site.state.report_progress(JOB, 1, "v00001", 50)
        assert not reader.ended
        await site.pass_by(1.0)
        assert reader.ended
        assert reader.told("job")[-1].data["progress"]["share"] == 1.0
        last = {told.data["id"]: told.data for told in reader.told("task")}
        assert {task: shown["state"] for task, shown in last.items()} == dict.fromkeys(
            ("v00000", "v00001", "a1"), "done"
        )
        assert last["v00000"]["worker"] == "worker-of-v00000"
        half = [
            told.data["frames_done"] for told in reader.told("task") if told.data["id"] == "v00001"
        ]
        assert half == [50, 100]
        assert {told.id for told in reader.told("fact")} == site.facts()
        assert [told.event for told in reader.told()][-1] == "end"
        assert reader.told("end")[0].data == {"job": JOB, "state": "completed"}

    run(test)


def test_five_hundred_readers_hear_the_same_and_cost_one_look_out() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        readers = [await Reader.of(site.stream()) for _ in range(500)]
        site.put(*trails.completed()[1:])
        assert site.watches.watched == 1
        await site.pass_by(1.0)
        assert all(reader.ended for reader in readers)
        assert len({bytes(reader.heard) for reader in readers}) == 1

    run(test)


def test_a_reader_that_leaves_stops_the_look_out() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        one, other = await Reader.of(site.stream()), await Reader.of(site.stream())
        await one.leave()
        assert (site.watches.watched, site.watches.streams(TENANT)) == (1, 1)
        await other.leave()

    run(test)


def test_a_reader_that_leaves_while_it_does_not_read_stops_it_too() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        reader = await Reader.of(site.stream())
        reader.takes.clear()
        site.put(trails.plan(trails.plan_of(2)))
        await site.pass_by(1.0)
        await reader.leave()

    run(test)


def test_for_a_slow_reader_nothing_piles_up() -> None:
    async def test(site: Site) -> None:
        plan = trails.plan_of(50)
        site.put(trails.manifest(), trails.plan(plan))
        slow, quick = await Reader.of(site.stream()), await Reader.of(site.stream())
        slow.takes.clear()
        for step in range(50):
            site.put(trails.receipt(f"v{step:05d}"))
            await site.pass_by(1.0)
        before = slow.sends
        slow.takes.set()
        await settle()
        # What waited to be sent, and then the newest of everything in one go.
        assert slow.sends - before <= 2
        assert len(slow.told("job")) <= 3
        assert len(quick.told("job")) >= 50
        assert {told.id for told in slow.told("fact")} == site.facts()
        for name in ("job", "task"):
            newest = [
                {told.data.get("id", ""): told.data for told in each.told(name)}
                for each in (slow, quick)
            ]
            assert newest[0] == newest[1]
        await slow.leave()
        await quick.leave()

    run(test)


def test_silence_is_broken_now_and_then() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        reader = await Reader.of(site.stream())
        heard = len(reader.heard)
        await site.pass_by(HEARTBEATS * BEAT_S)
        assert bytes(reader.heard[heard:]) == b": ping\n\n"
        await reader.leave()

    run(test)


def test_a_stream_ends_in_time_and_with_its_process_without_saying_that_all_is_over() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        reader = await Reader.of(site.stream())
        await site.pass_by(LONGEST_S - 1)
        assert not reader.ended
        await site.pass_by(HEARTBEATS * BEAT_S)
        assert reader.ended
        another = await Reader.of(site.stream())
        site.ending.set()
        await site.pass_by(BEAT_S)
        assert another.ended
        assert reader.told("end") == another.told("end") == []

    run(test)


def test_a_job_that_cannot_be_looked_at_ends_its_streams() -> None:
    async def test(site: Site) -> None:
        site.store.create(layout.manifest(JOB), b"no record")
        reader = await Reader.of(site.stream())
        assert reader.ended
        assert reader.told() == []

    run(test)


def test_who_comes_back_is_told_what_came_later_and_a_little_of_what_was_before() -> None:
    async def test(site: Site) -> None:
        site.put(trails.manifest())
        reader = await Reader.of(site.stream())
        site.put(trails.plan(trails.plan_of(3)))
        await site.pass_by(2 * OVERLAP_S)
        for task in ("v00000", "v00001"):
            site.put(trails.receipt(task))
            await site.pass_by(2.0)
        *_, before_last, last = reader.told("fact")
        await reader.leave()
        site.put(trails.receipt("v00002"))
        for by in (site.watches, site.another_process()):
            again = await Reader.of(site.stream(last_event_id=last.id, by=by))
            subjects = [told.data["subject"] for told in again.told("fact")]
            assert subjects == ["v00000", "v00001", "v00002"]
            assert again.told("fact")[0].id == before_last.id
            assert len(again.told("task")) == 4
            await again.leave()
        from_start = await Reader.of(site.stream(last_event_id="no id of ours"))
        assert {told.id for told in from_start.told("fact")} == site.facts()
        await from_start.leave()

    run(test)


def test_a_tenant_is_told_of_its_jobs_until_each_has_ended() -> None:
    async def test(site: Site) -> None:
        other = "f" * 32
        for job, at_s in ((JOB, 1.0), (other, 2.0)):
            site.store.create(layout.tenant_job(TENANT, at_s, job), b"")
            site.put(trails.manifest(job=job))
        site.store.create(layout.tenant_job("ben", 3.0, "e" * 32), b"")
        site.put(trails.verdict(job=other))
        reader = await Reader.of(site.tenants())
        assert [(told.data["job"], told.data["state"]) for told in reader.told("job")] == [
            (other, "completed"),
            (JOB, "accepted"),
        ]
        site.put(*trails.completed()[1:-1])
        site.state.report_progress(JOB, 1, "v00000", 10)
        await site.pass_by(1.0)
        site.put(trails.verdict("failed"))
        await site.pass_by(1.0)
        await site.pass_by(60.0)
        assert [told.data["state"] for told in reader.told("job")[2:]] == ["assembling", "failed"]
        assert {told.event for told in reader.told()} == {"job"}
        await reader.leave()

    run(test)


def test_without_the_state_store_the_records_are_told() -> None:
    async def test(site: Site) -> None:
        site.put(*trails.completed()[:3])
        site.state.flush()
        reader = await Reader.of(site.stream())
        assert reader.told("job")[-1].data["progress"]["tasks_done"] == 1
        await reader.leave()

    run(test)
