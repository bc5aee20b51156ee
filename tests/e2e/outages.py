"""Seeded outages of the services around a runtime; afterwards nothing is lost, and nothing is left.

Two tenants upload files in three ways at once; something breaks in the middle of an upload, and
breaks again in the middle of the jobs. What breaks for how long, and when, is by the seed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from eventing.cloudevent import timestamp
from tests.e2e import bad_endpoints, breakage
from tests.e2e.aftermath import told_of
from tests.e2e.breakage import Outage
from tests.e2e.command import until
from tests.e2e.place import NEIGHBOUR, Place
from tests.e2e.services import TENANT, Town

SHORT_S: Final = (0.2, 3.0)
ANY_S: Final = (0.2, 8.0)
LONG_S: Final = (8.0, 10.0)
"""Longer than the broker tries, shortened as it is, and tries to bury what it could not deliver."""

Scenario = Callable[[Place, random.Random], str]


def _twice(outage: Callable[[Town], Outage], span_s: tuple[float, float]) -> Scenario:
    """In the middle of an upload, and of the jobs."""

    def run(place: Place, choose: random.Random) -> str:
        broken = outage(place.town)
        for_s = choose.uniform(*span_s)
        taken = place.uploaded(choose, broken, for_s=for_s)
        told = place.struck(taken, choose, broken, for_s=choose.uniform(*span_s))
        place.assert_right(taken)
        return f"{broken.what} for {for_s:.1f} s in mid-upload; {told}"

    return run


def state_lost(place: Place, choose: random.Random) -> str:
    """Redis killed, flushed and frozen, in some order, the first of them in mid-upload."""
    town = place.town
    spans = {
        "Redis killed": choose.uniform(*ANY_S),
        "Redis flushed": 0.0,
        "Redis frozen": place.frozen_s,
    }
    outages = [breakage.state_killed(town), breakage.state_flushed(town)]
    first, *others = choose.sample([*outages, breakage.state_frozen(town)], 3)
    taken = place.uploaded(choose, first, for_s=spans[first.what])
    told = [place.struck(taken, choose, each, for_s=spans[each.what]) for each in others]
    place.assert_right(taken)
    return "; ".join([f"{first.what} in mid-upload", *told])


def everything(place: Place, choose: random.Random) -> str:
    """Storage, state and broker, each at a time of its own, and so at the same time as well."""
    town = place.town
    storage = choose.choice([breakage.storage_killed, breakage.storage_refusing])(town)
    state = choose.choice([breakage.state_killed, breakage.state_flushed, breakage.state_frozen])(
        town
    )
    broker = breakage.broker_killed(town)
    first, *others = choose.sample([storage, state, broker], 3)
    taken = place.uploaded(choose, first, for_s=choose.uniform(*SHORT_S))
    with ThreadPoolExecutor(2) as pool:
        struck = [
            pool.submit(
                breakage.after,
                each,
                wait_s=choose.uniform(0.0, 3.0),
                for_s=choose.uniform(*SHORT_S),
            )
            for each in others
        ]
        told = [each.result() for each in struck]
    place.assert_right(taken)
    return "; ".join([f"{first.what} in mid-upload", *told])


def endpoints_ill(place: Place, choose: random.Random) -> str:
    """One endpoint of each illness beside the one that is well, which waits for none of them."""
    town, well = place.town, place.inboxes[TENANT]
    since = timestamp(time.time())
    client = place.client(TENANT, choose)
    with bad_endpoints.ward(town, TENANT, choose, place.names) as ward:
        names = [f"{next(place.numbers)}.mp4" for _ in range(3)]
        taken = [client.put(place.clip, name) for name in names[:2]]
        taken.append(place.client(NEIGHBOUR, choose).put(place.clip, names[0]))
        jobs = [town.job_of(each.ending)["job"] for each in taken[:2]]
        ids = [told_of(well, job) for job in jobs]
        gone = ward.patients["410"]
        until("410 is believed", lambda: gone.disabled == "gone", every_s=0.2)
        for patient in ward.patients.values():
            until(f"{patient.kind} is written down", patient.is_refused, every_s=0.2)
            assert not patient.taken
        taken.append(client.put(place.clip, names[2]))
        jobs.append(town.job_of(taken[-1].ending)["job"])
        ids.append(told_of(well, jobs[-1]))
        assert ids[-1] not in {got.headers["webhook-id"] for got in gone.there.got}
        ward.rebind(bad_endpoints.HERE, bad_endpoints.ELSEWHERE)
        healed = choose.sample(sorted(ward.patients), len(ward.patients))
        for kind in healed:
            time.sleep(choose.uniform(0.0, 0.3))
            ward.patients[kind].heal()
        gone.enable_and_replay(since)
        ward.rebind(bad_endpoints.HERE)
        for patient in ward.patients.values():
            patient.assert_well(set(ids), set(jobs))
        ward.assert_nothing_elsewhere()
        place.assert_right(taken)
    return f"endpoints well again in the order {', '.join(healed)}"


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "storage-killed": _twice(breakage.storage_killed, SHORT_S),
    "storage-refusing": _twice(breakage.storage_refusing, LONG_S),
    "state-lost": state_lost,
    "broker-killed": _twice(breakage.broker_killed, ANY_S),
    "everything": everything,
    "endpoints-ill": endpoints_ill,
}
