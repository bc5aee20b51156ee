"""What is known of a source before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.jobs.manifest import SourceObject
from functions.media.source.probe import Table
from functions.media.source.stream import Media
from functions.planning.scan import Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a plan is drawn from."""

    source: SourceObject
    format: str
    """The demuxer to force."""
    media: Media
    tables: Mapping[int, Table]
    """By stream; empty where the source has to be remuxed first."""
    index: str
    """Key of the index object, "" where there is none."""
    seen: Mapping[int, Seen] = field(default_factory=dict)
    """What a look at the pictures found, by stream; only of the film that is looked at."""
    counted: bool = False
    """True where the pictures have no times: the table counts them, in ticks of one picture."""
    torn: bool = False
    """True where the file stops within a packet: something is missing behind its end."""
    notes: tuple[str, ...] = ()
    """What is odd about the file itself."""
    prepared: bool
    """False where it has to be remuxed before chunks can be planned."""
