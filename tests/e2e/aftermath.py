"""What has to be true once everything works again, whatever was broken meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import httpx2
from minio.error import MinioException

from eventing import contract
from tests.e2e import remains, services
from tests.e2e.command import until
from tests.e2e.inbox import Receiver
from tests.e2e.judges import Planned, judge
from tests.e2e.persistent import Taken
from tests.e2e.services import Town


def assert_right(town: Town, inboxes: Mapping[str, Receiver], taken: Sequence[Taken]) -> None:
    """Each upload that was acknowledged has one job, which is completed, and of which its tenant
    was told; nothing is left over."""
    jobs = [_ended(town, each) for each in taken]
    for each, job in zip(taken, jobs, strict=True):
        assert job["state"] == "completed", (each, services.dump(town))
        assert job["tenant"] == each.tenant
        assert each.job in ("", job["job"]), (each, job)
        told_of(inboxes[each.tenant], job["job"])
        for other in inboxes.keys() - {each.tenant}:
            assert not inboxes[other].verdicts(job["job"])
    for number, (each, job) in enumerate(zip(taken, jobs, strict=True)):
        out = town.fetch(job["job"])
        # Frame by frame takes a while: of one of them.
        complaints = judge(out, each.source, Planned.read(out), frames_of=not number)
        assert complaints == [], (each, complaints)
    for tenant in inboxes:
        until(f"every job of {tenant} has ended", partial(_all_ended, town, tenant), every_s=0.3)
    _drop_unacknowledged(town)
    remains.nothing(town)


def told_of(inbox: Receiver, job: str) -> str:
    """The id of the message that tells of a completed job, once it has arrived."""
    until(f"somebody is told of {job}", lambda: bool(inbox.verdicts(job)))
    assert not inbox.unverified
    told = inbox.verdicts(job)
    assert {each.event["type"] for each in told} == {contract.JobCompleted.type}
    (id,) = {each.id for each in told}
    return id


def _ended(town: Town, taken: Taken) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def ended() -> bool:
        jobs = town.jobs(taken.tenant)
        found[:] = [job for job in jobs if str(job["source"]).endswith(taken.ending)]
        return bool(found) and all(job["ended"] for job in found)

    try:
        until(f"the job of {taken.ending} ends", ended, every_s=0.3)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{services.dump(town)}") from None
    (job,) = found
    return job


def _all_ended(town: Town, tenant: str) -> bool:
    jobs = town.jobs(tenant)
    return bool(jobs) and all(job["ended"] for job in jobs)


def _drop_unacknowledged(town: Town) -> None:
    """A client whose request to begin was never answered leaves an upload that the sweeper aborts
    after a day. It has its record, so it can be dropped."""

    def dropped() -> bool:
        with suppress(httpx2.TransportError, MinioException):
            begun = list(remains.uploads_begun(town))
            for tenant, upload in begun:
                with town.api_of(tenant) as api:
                    answer = api.delete(f"/uploads/{upload}")
                # Complete, and only its record is still there: so its job was asserted above.
                assert answer.is_success or answer.status_code >= 409, answer.text
            return not begun
        return False

    until("what nobody was told of is dropped", dropped)
