"""The HLS authoring list, as far as a folder of playlists and segments can show it (`rules.py`).

Reads the files by itself: nothing here is the product's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.authoring import streams, text
from tests.authoring.playlist import (
    Entry,
    Playlist,
    attributes,
    groups,
    media_playlists,
    named,
    variants,
)
from tests.authoring.rules import RULES, Finding
from tests.authoring.streams import average_bps, peak_bps

__all__ = [
    "RULES",
    "Entry",
    "Playlist",
    "attributes",
    "average_bps",
    "complaints",
    "groups",
    "growth_complaints",
    "media_playlists",
    "peak_bps",
    "variants",
]


def complaints(master: Path, *, complete: bool = True) -> list[str]:
    """Every rule that the multivariant playlist, or one that it names, breaks, by its number.

    `complete`: nothing will be added any more.
    """
    multivariant = Playlist.read(master)
    found = _told(master.name, text.any_playlist(multivariant))
    found += _told(master.name, text.multivariant(multivariant, complete=complete))
    for uri in named(multivariant):
        if not (master.parent / uri).is_file():
            found += _told(master.name, [(17, f"{uri} does not exist")])
    media = {} if found else media_playlists(multivariant)
    for uri, playlist in media.items():
        said = _told(uri, text.any_playlist(playlist))
        said += _told(uri, text.media(playlist, complete=complete))
        found += said or _told(uri, streams.segments(playlist))
    if not found and complete:
        found += _told(master.name, streams.measured(multivariant, media))
    return found


def growth_complaints(before: Path, after: Path) -> list[str]:
    """What is wrong between two readings of an EVENT playlist."""
    return _told(after.name, text.grown(Playlist.read(before), Playlist.read(after)))


def _told(where: str, findings: Iterable[Finding]) -> list[str]:
    return [f"{where}: {said} (rule {rule}: {RULES[rule][0]})" for rule, said in findings]
