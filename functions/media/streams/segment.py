"""What an encoder leaves: an init segment and media segments, as facts a manifest needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One immutable object: its key carries its content's hash."""

    key: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One CMAF fragment that starts with a sync sample."""

    number: int
    """Counted from 0 over the whole rendition."""
    stored: Stored
    start_ticks: int
    """`tfdt` base media decode time, in the rendition's timescale."""
    duration_ticks: int
    frames: int
    """Samples: pictures, or audio frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What one task made of one rendition."""

    rendition: str
    codecs: str
    """RFC 6381, read from the init segment: `avc1.64001f`, `mp4a.40.2`."""
    timescale: int
    init: Stored
    segments: tuple[Segment, ...]

    @property
    def frames(self) -> int:
        return sum(segment.frames for segment in self.segments)
