"""Jobs by request: judged at once, so that what cannot be taken is refused and no job.

Written in the order of the ingest: the open marker, the manifest, the tenant's list; then it is
published. A process that dies after the manifest has made a job: the sweeper finds and carries
it on. One that dies before has made none, and the marker is cleared away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from eventing.cloudevent import timestamp
from eventing.contract import Event, JobAccepted, digest
from eventing.envelope import wrap
from eventing.errors import Unavailable
from functions.gateway.world import World
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest, SourceObject

_log = logging.getLogger(__name__)

PRODUCER = "gateway"


def job_of(source: SourceObject, tenant: str, name: str) -> str:
    """The id of the job that a request of this name makes of the source."""
    return digest("rest", tenant, source.address, source.version or source.etag, name)


def submit(
    world: World, tenant: str, source: SourceObject, *, asked: Mapping[str, Any], name: str
) -> str:
    """Make the job, once for the same `name`; returns its id.

    Raises Rejected for a source that cannot be taken, Problem (too-many).
    """
    job = job_of(source, tenant, name)
    manifest = record.read(world.store, layout.manifest(job), Manifest)
    if manifest is None:
        options, profile = world.acceptance.judge(source, asked=asked)
        world.quotas.job(tenant)
        world.store.create(layout.open_marker(job), b"")
        manifest = world.acceptance.freeze(
            job, source, options=options, profile=profile, now_s=world.clock()
        )
    world.acceptance.enlist(manifest)
    tell(world, [JobAccepted(job=job, tenant=tenant)])
    return job


def tell(world: World, events: Iterable[Event]) -> None:
    """Publish what follows from what was written. What cannot be told now the sweeper tells."""
    try:
        for event in events:
            world.publish(wrap(event, producer=PRODUCER, time=timestamp(world.clock())))
    except Unavailable as error:
        _log.warning("told later, by the sweeper", extra={"facts": {"reason": error.reason}})
