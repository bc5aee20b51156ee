"""The job manifest, `job.json`: what was accepted, frozen for ever."""

from __future__ import annotations

from dataclasses import dataclass

from eventing.contract import digest
from functions.jobs.profile import Options, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """One version of one object."""

    bucket: str
    key: str
    """Within the bucket."""
    version: str
    etag: str
    size_bytes: int

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

    @property
    def deadline_s(self) -> float:
        return self.accepted_s + self.options.deadline_s
