"""Whatever happens to a reader and in whatever order records show up, every fact is told."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import trails
from tests.stream_site import Site, run
from tests.streams import Reader, Told
from tests.trails import Record

RECORDS = [*trails.completed(3)[2:-1], trails.failure("v00001", 1), trails.failure("v00002", 1)]


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(RECORDS), data=st.data())
def test_whoever_breaks_off_and_comes_back_has_seen_every_fact_in_the_end_and_none_too_early(
    order: list[Record], data: st.DataObject
) -> None:
    """Records show up to half a minute after their time, in any order; a reader loses its
    connection anywhere, together with what was under way, and comes back to any process."""

    async def test(site: Site) -> None:
        processes = [site.watches, site.another_process()]
        # Somebody else reads in the other process as well: what it knows was seen at other times.
        bystander = await Reader.of(site.stream(by=processes[1]))
        seen: set[str] = set()
        known: set[str] = set()
        last = ""
        over = False

        def never_too_early(told: Told) -> None:
            nonlocal known
            if told.event == "fact" and told.id not in known:
                known = site.facts()
                assert told.id in known

        site.put(trails.manifest())
        reader = await Reader.of(site.stream(), on_event=never_too_early)
        site.put(trails.plan(trails.plan_of(3)))
        for each in [*order, trails.verdict()]:
            await site.pass_by(data.draw(st.sampled_from([0.0, 0.4, 1.0, 7.0, 40.0]), "then"))
            site.clock.advance(-(late_s := data.draw(st.sampled_from([0.0, 1.0, 25.0]), "late")))
            site.put(each)
            site.clock.advance(late_s)
            if data.draw(st.booleans(), "breaks off"):
                events = reader.told()
                got = data.draw(st.integers(0, len(events)), "after so many events")
                if not reader.ended:
                    await reader.leave()
                for told in events[:got]:
                    if told.event == "fact":
                        seen.add(told.id)
                        last = told.id
                over = any(told.event == "end" for told in events[:got])
                assert not over
                by = data.draw(st.sampled_from(processes), "to")
                reader = await Reader.of(
                    site.stream(last_event_id=last, by=by), on_event=never_too_early
                )
        await site.pass_by(2.0)
        assert reader.ended
        assert bystander.ended
        seen |= {told.id for told in reader.told("fact")}
        assert seen == site.facts()
        assert [told.event for told in reader.told()][-1] == "end"
        assert reader.told("fact")[-1].data["type"] == "dev.kinora.job.completed.v1"
        assert processes[1].watched == 0

    run(test)
