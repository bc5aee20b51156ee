"""Admission of a source: an object becomes an accepted job, or a verdict that says why not.

Whatever this writes, it writes once, and in this order: the open marker (so that a sweep finds
the rest undone), the verdict where the source is refused, the manifest. Then it publishes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eventing.contract import Event, JobAccepted, ObjectCreated
from eventing.errors import Rejected
from functions.jobs import ending, layout, naming, record
from functions.jobs.acceptance import Acceptance
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.profile import Options, Profile
from functions.ports import Clock, ObjectStore, StateStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Handles `ObjectCreated`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    acceptance: Acceptance

    def object_created(self, event: ObjectCreated) -> Iterator[Event]:
        if not naming.is_source(event.key):
            return
        if self.store.head(layout.manifest(event.job)) is None:
            self._admit(event)
        manifest = record.load(self.store.get(layout.manifest(event.job)), Manifest)
        self.acceptance.enlist(manifest)
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        yield JobAccepted(job=manifest.job, tenant=manifest.tenant)

    def _admit(self, event: ObjectCreated) -> None:
        """Write what is decided about the source; afterwards its manifest exists."""
        record.create(self.store, layout.open_marker(event.job), event)
        now_s = self.clock()
        source = SourceObject(
            bucket=event.bucket,
            key=event.key,
            version=event.version,
            etag=event.etag,
            size_bytes=event.size_bytes,
        )
        chosen: Options = Options()
        profile: Profile | None = None
        try:
            chosen, profile = self.acceptance.judge(source)
        except Rejected as rejected:
            # First the verdict: once the manifest is there, nobody judges the source again.
            ending.decide(
                self.store,
                job=event.job,
                tenant=self.acceptance.tenant_of(source),
                state="rejected",
                code=rejected.code,
                reason=rejected.reason,
                now_s=now_s,
            )
        self.acceptance.freeze(event.job, source, options=chosen, profile=profile, now_s=now_s)
