"""Whether a source is taken, and with which options: the one way into the system.

Whoever accepts a job (a notification's ingest, a request's gateway) judges here and freezes what
was decided in the job's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from functions import environment
from functions.jobs import catalogue, layout, naming, options, record
from functions.jobs.catalogue import BUILT_IN
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.profile import Options, Profile
from functions.jobs.refusal import in_units, refuse
from functions.jobs.source import container_of
from functions.media.source import sniff
from functions.ports import Absent, ByteRange, ObjectInfo, ObjectStore

MAX_SOURCE_BYTES: Final = 256 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What whoever accepts jobs reads from its environment."""

    profiles: tuple[Path, ...]
    """KINORA_PROFILES: a folder of profile files that join the built-in ones, or replace those of
    the same name."""
    tenants: Mapping[str, str]
    """KINORA_TENANTS: `{"<bucket>": "<tenant>"}`, for buckets that belong to one tenant; the
    sweeper looks into them as well."""
    priorities: Mapping[str, int]
    """KINORA_PRIORITIES: `{"<tenant>": 5}`: whose tasks go first while encoders are short, -9 to
    9. Default: 0 for everybody."""
    max_source_bytes: int
    """KINORA_MAX_SOURCE_BYTES: larger files are rejected. Default: 256 GiB."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        own = env.get("KINORA_PROFILES", "")
        return cls(
            profiles=(BUILT_IN, Path(own)) if own else (BUILT_IN,),
            tenants=environment.tenants(env),
            priorities=environment.priorities(env),
            max_source_bytes=environment.count(env, "KINORA_MAX_SOURCE_BYTES", MAX_SOURCE_BYTES),
        )

    def over(self, store: ObjectStore) -> Acceptance:
        """With the profiles read. Raises ValueError for one that is wrong."""
        return Acceptance(
            store=store,
            profiles=catalogue.read(self.profiles),
            tenants=self.tenants,
            priorities=self.priorities,
            max_source_bytes=self.max_source_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What a source has to be like."""

    store: ObjectStore
    profiles: Mapping[str, Profile]
    tenants: Mapping[str, str] = field(default_factory=dict)
    """By bucket; in other buckets the key's first segment is the tenant."""
    priorities: Mapping[str, int] = field(default_factory=dict)
    """By tenant; 0 where none is named."""
    max_source_bytes: int = MAX_SOURCE_BYTES

    def tenant_of(self, source: SourceObject) -> str:
        """Who owns the source, "" for nobody."""
        return naming.tenant_of(source.bucket, source.key, self.tenants)

    def judge(
        self, source: SourceObject, *, asked: Mapping[str, Any] | None = None
    ) -> tuple[Options, Profile]:
        """What is to be done with the source, by its metadata, its sidecar and `asked`, which
        counts first. Raises Rejected when it cannot be taken."""
        if not self.tenant_of(source):
            raise refuse("tenant_unknown", key=source.key)
        if not naming.is_addressable(source.address):
            raise refuse("name_invalid", key=source.key)
        info = self._object(source)
        if info.size_bytes == 0:
            raise refuse("source_empty")
        if info.size_bytes > self.max_source_bytes:
            raise refuse(
                "source_too_large",
                size=in_units(info.size_bytes),
                limit=in_units(self.max_source_bytes),
            )
        chosen = options.parse(
            info.metadata,
            self._sidecar(info.key),
            sidecar_name=naming.sidecar(source.key.rsplit("/", 1)[-1]),
            asked=asked or {},
        )
        profile = self.profiles.get(chosen.profile)
        if profile is None:
            known = ", ".join(sorted(self.profiles))
            raise refuse("profile_unknown", profile=chosen.profile, known=known)
        self._sniff(info)
        return chosen, profile

    def freeze(
        self,
        job: str,
        source: SourceObject,
        *,
        options: Options,
        profile: Profile | None,
        now_s: float,
    ) -> Manifest:
        """Write the manifest, or return the one that is there: what counts for ever."""
        tenant = self.tenant_of(source)
        manifest = Manifest(
            job=job,
            tenant=tenant,
            source=source,
            options=options,
            profile=profile,
            accepted_s=now_s,
            tenant_priority=self.priorities.get(tenant, 0),
        )
        return record.settle(self.store, layout.manifest(job), manifest)

    def enlist(self, manifest: Manifest) -> None:
        """Let the job be found among its tenant's. Again is harmless, and needed after a crash."""
        if manifest.tenant:
            at = layout.tenant_job(manifest.tenant, manifest.accepted_s, manifest.job)
            self.store.create(at, b"")

    def _object(self, source: SourceObject) -> ObjectInfo:
        """The object as it is, if it is still the one that was named."""
        info = self.store.head(source.address)
        if info is None or info.etag != source.etag:
            raise refuse("source_gone")
        if info.version and source.version and info.version != source.version:
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
