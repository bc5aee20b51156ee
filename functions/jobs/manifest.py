"""The job manifest, `job.json`: what was accepted, frozen for ever."""

from __future__ import annotations

from dataclasses import dataclass

from eventing.contract import ObjectCreated, digest
from functions.jobs.profile import Options, Profile
from functions.media.encoding.accelerator import CPU, Accelerator
from functions.ports import ObjectInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """One version of one object."""

    bucket: str
    key: str
    """Within the bucket."""
    version: str
    etag: str
    size_bytes: int

    @classmethod
    def of(cls, info: ObjectInfo) -> SourceObject:
        """What a store has there. Only `head` knows the version: a listing does not."""
        bucket, _, key = info.key.partition("/")
        return cls(
            bucket=bucket,
            key=key,
            version=info.version,
            etag=info.etag,
            size_bytes=info.size_bytes,
        )

    @property
    def created(self) -> ObjectCreated:
        """What tells of it: the same event, whoever tells it."""
        return ObjectCreated(
            bucket=self.bucket,
            key=self.key,
            version=self.version,
            etag=self.etag,
            size_bytes=self.size_bytes,
        )

    @property
    def address(self) -> str:
        """The key at the ObjectStore port."""
        return f"{self.bucket}/{self.key}"

    @property
    def digest(self) -> str:
        """Names these bytes: what is derived from them is shared by every job that reads them."""
        return digest("source", self.bucket, self.key, self.version, self.etag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Written once by whoever accepts (or rejects) the source."""

    job: str
    tenant: str
    source: SourceObject
    options: Options
    profile: Profile | None
    """None only in a job that was rejected before a profile was known."""
    accepted_s: float
    """POSIX time; deadlines count from here."""

    tenant_priority: int = 0
    """Of the tenant when the job was accepted: higher goes first, see `ports.Waiting`."""

    @property
    def accelerator(self) -> Accelerator:
        """What shall encode the pictures, if it is there."""
        if self.options.accelerator is not None:
            return self.options.accelerator
        return self.profile.video.accelerator if self.profile else CPU

    @property
    def deadline_s(self) -> float:
        return self.accepted_s + self.options.deadline_s
