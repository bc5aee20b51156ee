"""Playlists as they lie on disk, read line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s][^,]*)(?:,|$)')


@dataclass(frozen=True)
class Entry:
    """A segment: URI and seconds."""

    uri: str
    duration_s: Fraction


@dataclass(frozen=True)
class Playlist:
    path: Path
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Playlist:
        return cls(path, tuple(path.read_bytes().decode().split("\n")))

    def values(self, tag: str) -> list[str]:
        return [line[len(tag) + 2 :] for line in self.lines if line.startswith(f"#{tag}:")]

    def entries(self) -> list[Entry]:
        durations = map(Fraction, (value.rstrip(",") for value in self.values("EXTINF")))
        return [Entry(uri, duration) for uri, duration in zip(self.uris(), durations, strict=True)]

    def uris(self) -> list[str]:
        return [line for line in self.lines if line and not line.startswith("#")]

    def map(self) -> Path:
        (value,) = self.values("EXT-X-MAP")
        return self.path.parent / attributes(value)["URI"]

    def files(self) -> list[Path]:
        return [self.path.parent / uri for uri in self.uris()]


@dataclass(frozen=True)
class Variant:
    """A line of EXT-X-STREAM-INF with its URI."""

    uri: str
    facts: dict[str, str]


def attributes(text: str) -> dict[str, str]:
    """[4.2] An attribute list: every character of it belongs to one, none is twice."""
    found: dict[str, str] = {}
    at = 0
    for match in _ATTRIBUTE.finditer(text):
        assert match.start() == at, f"no attribute list: {text!r}"
        assert match[1] not in found, f"{match[1]} twice in {text!r}"
        found[match[1]] = match[2].strip('"')
        at = match.end()
    assert at == len(text), f"no attribute list: {text!r}"
    return found


def variants(master: Playlist) -> list[Variant]:
    facts = map(attributes, master.values("EXT-X-STREAM-INF"))
    return [Variant(uri, each) for uri, each in zip(master.uris(), facts, strict=True)]


def groups(master: Playlist) -> dict[str, list[dict[str, str]]]:
    """The members of each group of sounds."""
    found: dict[str, list[dict[str, str]]] = {}
    for each in map(attributes, master.values("EXT-X-MEDIA")):
        found.setdefault(each.get("GROUP-ID", ""), []).append(each)
    return found


def named(master: Playlist) -> list[str]:
    """URIs of the variants, then of the alternative sounds."""
    media = map(attributes, master.values("EXT-X-MEDIA"))
    return list(dict.fromkeys([*master.uris(), *(each["URI"] for each in media if "URI" in each)]))


def media_playlists(master: Playlist) -> dict[str, Playlist]:
    """By URI: of the variants, then of the alternative sounds."""
    return {uri: Playlist.read(master.path.parent / uri) for uri in named(master)}
