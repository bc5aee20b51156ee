"""Receipts and failures: the write-once records of how a task ended."""

from __future__ import annotations

from dataclasses import dataclass

from functions.media.streams.segment import Stored, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The task is done, and this is what counts of what its attempts wrote."""

    job: str
    generation: int
    task: str
    tracks: tuple[Track, ...]
    """Empty for a mezzanine and for a file."""
    worker: str
    started_s: float
    finished_s: float
    """POSIX times by the worker's clock, for people and the cost model."""
    cpu_ms: int
    source_bytes_read: int
    """At the ObjectStore port."""
    file: Stored | None = None
    """What the task of a progressive file made; None for all others."""
    lost: int = 0
    """Pictures of a resampled chunk that could not be decoded: those before them stand still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The task was issued a second time: its first attempt takes far longer than estimated."""

    job: str
    generation: int
    task: str
    worker: str
    """Who worked on it."""
    began_s: float
    issued_s: float
    """POSIX times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One attempt that failed on the task's own account."""

    job: str
    generation: int
    task: str
    attempt: int
    code: str
    reason: str
    final: bool
    worker: str
    failed_s: float
    detail: str = ""
    """The last lines of what the program said, for whoever looks deeper."""
