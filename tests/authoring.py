"""The HLS authoring must-list, as far as a folder of playlists and segments can show it.

From RFC 8216bis (sections in brackets) and Apple's "HLS Authoring Specification" (A). Reads the
files by itself: nothing here is the product's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path

from tests import mp4

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


def media_playlists(master: Playlist) -> dict[str, Playlist]:
    """By URI: of the variants, then of the alternative sounds."""
    return {uri: Playlist.read(master.path.parent / uri) for uri in _named(master)}


def _named(master: Playlist) -> list[str]:
    media = map(attributes, master.values("EXT-X-MEDIA"))
    return list(dict.fromkeys([*master.uris(), *(each["URI"] for each in media if "URI" in each)]))


def complaints(master: Path, *, complete: bool = True) -> list[str]:
    """Every rule that the multivariant playlist, or one that it names, breaks.

    `complete`: nothing will be added any more.
    """
    multivariant = Playlist.read(master)
    found = [f"{master.name}: {text}" for text in _any(multivariant)]
    found += [f"{master.name}: {text}" for text in _multivariant(multivariant, complete=complete)]
    for uri in _named(multivariant):
        if not (master.parent / uri).is_file():
            found.append(f"{uri} does not exist")
    media = {} if found else media_playlists(multivariant)
    for uri, playlist in media.items():
        found += [f"{uri}: {text}" for text in _any(playlist)]
        found += [f"{uri}: {text}" for text in _media(playlist, complete=complete)]
    if not found and complete:
        found += [f"{master.name}: {text}" for text in _rates(multivariant, media)]
        found += [f"{master.name}: {text}" for text in _alignment(multivariant, media)]
    return found


def _any(playlist: Playlist) -> Iterator[str]:
    """[4, 4.4.1]"""
    if playlist.lines[0] != "#EXTM3U":
        yield "the first line is not EXTM3U"
    if playlist.lines[-1] != "":
        yield "the last line has no end"
    if any(re.search(r"[\x00-\x1f\x7f-\x9f\ufeff]", line) for line in playlist.lines):
        yield "there is a control character or a byte order mark"
    if len(playlist.values("EXT-X-VERSION")) != 1:
        yield "there is not exactly one EXT-X-VERSION"
    elif int(playlist.values("EXT-X-VERSION")[0]) < 6:
        yield "EXT-X-MAP in a playlist of segments needs version 6"
    if any(":" in uri.split("/")[0] or uri.startswith("/") for uri in playlist.uris()):
        yield "a URI is not relative"


def _media(playlist: Playlist, *, complete: bool) -> Iterator[str]:
    for tag in ("EXT-X-TARGETDURATION", "EXT-X-PLAYLIST-TYPE", "EXT-X-MAP"):
        if len(playlist.values(tag)) != 1:
            yield f"there is not exactly one {tag}"
            return
    if any(line.startswith("#EXT-X-STREAM-INF") for line in playlist.lines):
        yield "tags of a multivariant playlist in a media playlist [4.1]"
    if playlist.values("EXT-X-PLAYLIST-TYPE")[0] not in ("EVENT", "VOD"):
        yield "PLAYLIST-TYPE is neither EVENT nor VOD [4.4.3.5]"
    ends = [number for number, line in enumerate(playlist.lines) if line == "#EXT-X-ENDLIST"]
    if complete and len(ends) != 1:
        yield "there is not exactly one EXT-X-ENDLIST [4.4.3.4]"
    previous = ""
    seen_map = False
    for line in playlist.lines:
        seen_map |= line.startswith("#EXT-X-MAP:")
        if line and not line.startswith("#"):
            if not previous.startswith("#EXTINF:"):
                yield f"no EXTINF before {line} [4.4.4.1]"
            if not seen_map:
                yield f"no EXT-X-MAP before {line} [4.4.4.5]"
        previous = line
    if len(playlist.values("EXTINF")) != len(playlist.uris()):
        yield "an EXTINF without a segment [4.4.4.1]"
        return
    if not playlist.uris():
        yield "there is no segment"
    target = int(playlist.values("EXT-X-TARGETDURATION")[0])
    for entry in playlist.entries():
        if int(entry.duration_s + Fraction(1, 2)) > target:
            yield f"{entry.uri} is longer than the target duration [4.4.3.1]"
        if entry.duration_s <= 0:
            yield f"{entry.uri} takes no time"
    missing = [path.name for path in (playlist.map(), *playlist.files()) if not path.is_file()]
    for name in missing:
        yield f"{name} does not exist"
    if not missing:
        yield from _times(playlist)


def _times(playlist: Playlist) -> Iterator[str]:
    """[4.4.4.1] EXTINF is accurate; segments follow each other and start with a key frame."""
    init = playlist.map().read_bytes()
    ticks_a_second = mp4.timescale(init)
    expected = 0
    for entry, path in zip(playlist.entries(), playlist.files(), strict=True):
        fragments = mp4.fragments(init, path.read_bytes())
        if not fragments or not fragments[0].samples[0].sync:
            yield f"{entry.uri} does not start with a sync sample [EXT-X-INDEPENDENT-SEGMENTS]"
            return
        if fragments[0].start != expected:
            yield f"{entry.uri} starts at {fragments[0].start}, not at {expected} ticks"
        expected = fragments[-1].start + fragments[-1].duration
        duration_s = Fraction(expected - fragments[0].start, ticks_a_second)
        if abs(duration_s - entry.duration_s) > Fraction(1, 1000):
            yield f"{entry.uri} takes {float(duration_s):.6f} s, not {float(entry.duration_s):.6f}"


def _multivariant(playlist: Playlist, *, complete: bool) -> Iterator[str]:
    if any(line.startswith("#EXTINF") for line in playlist.lines):
        yield "tags of a media playlist in a multivariant playlist [4.1]"
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in playlist.lines:
        yield "no EXT-X-INDEPENDENT-SEGMENTS (A)"
    variants = [attributes(value) for value in playlist.values("EXT-X-STREAM-INF")]
    if not variants or len(variants) != len(playlist.uris()):
        yield "not one URI for each EXT-X-STREAM-INF [4.4.6.2]"
        return
    if len(set(playlist.uris())) != len(variants):
        yield "two variants are the same"
    media = [attributes(value) for value in playlist.values("EXT-X-MEDIA")]
    groups = {name: list(of) for name, of in groupby(media, lambda each: each.get("GROUP-ID", ""))}
    for variant in variants:
        yield from _variant(variant, groups, complete=complete)
    for each in media:
        for name in ("TYPE", "GROUP-ID", "NAME"):
            if not each.get(name):
                yield f"EXT-X-MEDIA without {name} [4.4.6.1]"
        if each.get("TYPE") == "AUDIO" and not each.get("CHANNELS"):
            yield "a sound without CHANNELS [4.4.6.1]"
        if each.get("DEFAULT") == "YES" and each.get("AUTOSELECT") != "YES":
            yield "a default that is not selected automatically [4.4.6.1]"
    for name, members in groups.items():
        names = [each.get("NAME") for each in members]
        if len(set(names)) != len(names):
            yield f"two members of group {name} have one NAME [4.4.6.1.1]"
        if sum(each.get("DEFAULT") == "YES" for each in members) != 1:
            yield f"group {name} has not exactly one default [4.4.6.1.1]"
        chosen = [each.get("LANGUAGE", "") for each in members if each.get("AUTOSELECT") == "YES"]
        if len(set(chosen)) != len(chosen):
            yield f"group {name} has two AUTOSELECT members of one language [4.4.6.1.1]"


def _variant(
    variant: Mapping[str, str], groups: Mapping[str, object], *, complete: bool
) -> Iterator[str]:
    if not variant.get("BANDWIDTH", "").isdigit():
        yield "a variant without BANDWIDTH [4.4.6.2]"
        return
    if complete and not variant.get("AVERAGE-BANDWIDTH", "").isdigit():
        yield "a variant without AVERAGE-BANDWIDTH (A)"
    elif complete and int(variant["AVERAGE-BANDWIDTH"]) > int(variant["BANDWIDTH"]):
        yield "AVERAGE-BANDWIDTH is above BANDWIDTH"
    codecs = variant.get("CODECS", "")
    if not re.fullmatch(r"(avc1\.[0-9a-f]{6}|mp4a\.40\.\d+)(,mp4a\.40\.\d+)*", codecs):
        yield f"CODECS {codecs!r} (A)"
    if "avc1" in codecs:
        if not re.fullmatch(r"\d+x\d+", variant.get("RESOLUTION", "")):
            yield "a picture without RESOLUTION (A)"
        if not re.fullmatch(r"\d+\.\d{3}", variant.get("FRAME-RATE", "")):
            yield "a picture without FRAME-RATE (A)"
        if variant.get("VIDEO-RANGE") not in ("SDR", "PQ", "HLG"):
            yield "a picture without VIDEO-RANGE (A)"
    if "AUDIO" in variant and variant["AUDIO"] not in groups:
        yield f"there is no group {variant['AUDIO']} [4.4.6.2]"


def peak_bps(playlist: Playlist) -> Fraction:
    """[4.1] Of contiguous segments that take 0.5 to 1.5 target durations; of the whole
    playlist where none do."""
    target = int(playlist.values("EXT-X-TARGETDURATION")[0])
    sizes = [path.stat().st_size for path in playlist.files()]
    durations = [entry.duration_s for entry in playlist.entries()]
    rates = [
        8 * sum(sizes[first:stop]) / taken
        for first in range(len(sizes))
        for stop in range(first + 1, min(len(sizes), first + 50) + 1)
        if target <= 2 * (taken := sum(durations[first:stop], Fraction(0))) <= 3 * target
    ]
    return max(rates, default=average_bps(playlist))


def average_bps(playlist: Playlist) -> Fraction:
    size_bytes = sum(path.stat().st_size for path in playlist.files())
    return 8 * size_bytes / sum((entry.duration_s for entry in playlist.entries()), Fraction(0))


def _rates(master: Playlist, media: Mapping[str, Playlist]) -> Iterator[str]:
    """[4.4.6.2] BANDWIDTH is an upper bound; both are within 10 % of what is measured (A)."""
    sounds = [
        media[attributes(value)["URI"]]
        for value in master.values("EXT-X-MEDIA")
        if attributes(value).get("TYPE") == "AUDIO"
    ]
    for uri, value in zip(master.uris(), master.values("EXT-X-STREAM-INF"), strict=True):
        variant, own = attributes(value), media[uri]
        if own in sounds:
            peak = max(map(peak_bps, sounds))
            average = max(map(average_bps, sounds))
        else:
            peak = peak_bps(own) + max(map(peak_bps, sounds), default=Fraction(0))
            average = average_bps(own) + max(map(average_bps, sounds), default=Fraction(0))
        # One bit for the ninth decimal at which EXTINF ends.
        if not peak - 1 <= int(variant["BANDWIDTH"]) <= peak * Fraction(11, 10):
            yield f"{uri}: BANDWIDTH is {variant['BANDWIDTH']}, measured {float(peak):.0f}"
        if abs(int(variant["AVERAGE-BANDWIDTH"]) - average) > average / 10:
            yield (
                f"{uri}: AVERAGE-BANDWIDTH is {variant['AVERAGE-BANDWIDTH']}, "
                f"measured {float(average):.0f}"
            )
        present = {mp4.codecs(playlist.map().read_bytes()) for playlist in (own, *sounds)}
        if set(variant["CODECS"].split(",")) != present:
            yield f"{uri}: CODECS is {variant['CODECS']}, the streams are {sorted(present)}"


def _alignment(master: Playlist, media: Mapping[str, Playlist]) -> Iterator[str]:
    """[6.2.4] Variants have the same content at the same times: all are cut alike."""
    pictures = [
        media[uri]
        for uri, value in zip(master.uris(), master.values("EXT-X-STREAM-INF"), strict=True)
        if "RESOLUTION" in attributes(value)
    ]
    cuts = {tuple(entry.duration_s for entry in playlist.entries()) for playlist in pictures}
    if len(cuts) > 1:
        yield "variants are cut at different times [6.2.4]"
    targets = {playlist.values("EXT-X-TARGETDURATION")[0] for playlist in media.values()}
    if len(targets) > 1:
        yield "media playlists differ in their target duration [6.2.4]"
