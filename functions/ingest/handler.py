"""Admission of a source: an object becomes an accepted job, or a verdict that says why not.

Whatever this writes, it writes once, and in this order: the open marker (so that a sweep finds
the rest undone), the verdict where the source is refused, the manifest. Then it publishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from eventing.contract import Event, JobAccepted, ObjectCreated
from eventing.errors import Rejected
from functions.ingest import options
from functions.jobs import ending, layout, naming, record
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.profile import Options, Profile
from functions.jobs.refusal import refuse
from functions.jobs.source import container_of
from functions.media import sniff
from functions.ports import Absent, ByteRange, Clock, ObjectInfo, ObjectStore, StateStore

MAX_SOURCE_BYTES: Final = 256 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Handles `ObjectCreated`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    profiles: Mapping[str, Profile]
    tenants: Mapping[str, str] = field(default_factory=dict)
    """By bucket; in other buckets the key's first segment is the tenant."""
    max_source_bytes: int = MAX_SOURCE_BYTES

    def object_created(self, event: ObjectCreated) -> Iterator[Event]:
        if not naming.is_source(event.key):
            return
        if self.store.head(layout.manifest(event.job)) is None:
            self._admit(event)
        verdict = ending.read(self.store, event.job)
        if verdict is not None:
            yield from ending.conclude(self.store, self.state, verdict)
            return
        manifest = record.load(self.store.get(layout.manifest(event.job)), Manifest)
        yield JobAccepted(job=manifest.job, tenant=manifest.tenant)

    def _admit(self, event: ObjectCreated) -> None:
        """Write what is decided about the source; afterwards its manifest exists."""
        record.create(self.store, layout.open_marker(event.job), event)
        now_s = self.clock()
        tenant = naming.tenant_of(event.bucket, event.key, self.tenants)
        chosen, profile = Options(), None
        try:
            chosen, profile = self._judge(event, tenant)
        except Rejected as rejected:
            # First the verdict: once the manifest is there, nobody judges the source again.
            ending.decide(
                self.store,
                job=event.job,
                tenant=tenant,
                state="rejected",
                code=rejected.code,
                reason=rejected.reason,
                now_s=now_s,
            )
        manifest = Manifest(
            job=event.job,
            tenant=tenant,
            source=SourceObject(
                bucket=event.bucket,
                key=event.key,
                version=event.version,
                etag=event.etag,
                size_bytes=event.size_bytes,
            ),
            options=chosen,
            profile=profile,
            accepted_s=now_s,
        )
        record.create(self.store, layout.manifest(event.job), manifest)

    def _judge(self, event: ObjectCreated, tenant: str) -> tuple[Options, Profile]:
        """What is asked for. Raises Rejected when the source cannot be taken."""
        if not tenant:
            raise refuse("tenant_unknown", key=event.key)
        if not naming.is_addressable(f"{event.bucket}/{event.key}"):
            raise refuse("name_invalid", key=event.key)
        info = self._source(event)
        if info.size_bytes == 0:
            raise refuse("source_empty")
        if info.size_bytes > self.max_source_bytes:
            raise refuse(
                "source_too_large",
                size=_in_units(info.size_bytes),
                limit=_in_units(self.max_source_bytes),
            )
        chosen = options.parse(
            info.metadata,
            self._sidecar(info.key),
            sidecar_name=naming.sidecar(event.key.rsplit("/", 1)[-1]),
        )
        profile = self.profiles.get(chosen.profile)
        if profile is None:
            known = ", ".join(sorted(self.profiles))
            raise refuse("profile_unknown", profile=chosen.profile, known=known)
        self._sniff(info)
        return chosen, profile

    def _source(self, event: ObjectCreated) -> ObjectInfo:
        """The object as it is, if it is still the one that the event tells of."""
        info = self.store.head(f"{event.bucket}/{event.key}")
        if info is None or info.etag != event.etag:
            raise refuse("source_gone")
        if info.version and event.version and info.version != event.version:
            raise refuse("source_gone")
        return info

    def _sidecar(self, address: str) -> bytes | None:
        key = naming.sidecar(address)
        info = self.store.head(key)
        if info is None:
            return None
        try:
            # One byte more than is allowed shows that it is too large, and no more is read.
            stop = min(info.size_bytes, options.SIDECAR_LIMIT_BYTES + 1)
            return b"".join(self.store.read(key, [ByteRange(0, stop)])) if stop else b""
        except Absent:
            return None

    def _sniff(self, info: ObjectInfo) -> None:
        """Raises Rejected for what is no supported container."""
        first = ByteRange(0, min(info.size_bytes, sniff.SNIFF_BYTES))
        try:
            head = b"".join(self.store.read(info.key, [first], etag=info.etag))
        except Absent:
            raise refuse("source_gone") from None
        container_of(head)


def _in_units(size_bytes: int) -> str:
    """`1.5 GiB`: for people."""
    unit = max(0, min(4, (size_bytes.bit_length() - 1) // 10))
    return f"{size_bytes / 1024**unit:.4g} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[unit]}"
