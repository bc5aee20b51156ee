"""What can be seen in the text of playlists alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.authoring.playlist import Playlist, Variant, attributes, groups, variants
from tests.authoring.rules import Findings

_MEDIA_TAGS = ("#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MAP", "#EXT-X-ENDLIST")
_MASTER_TAGS = ("#EXT-X-STREAM-INF", "#EXT-X-MEDIA:")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def any_playlist(playlist: Playlist) -> Findings:
    if playlist.lines[0] != "#EXTM3U":
        yield 1, "the first line is not EXTM3U"
    if playlist.lines[-1] != "":
        yield 2, "the last line has no end"
    if any(re.search(r"[\x00-\x1f\x7f-\x9f\ufeff]", line) for line in playlist.lines):
        yield 2, "there is a control character or a byte order mark"
    if len(playlist.values("EXT-X-VERSION")) != 1:
        yield 3, "there is not exactly one EXT-X-VERSION"
    elif int(playlist.values("EXT-X-VERSION")[0]) < 6:
        yield 3, "EXT-X-MAP in a playlist of segments needs version 6"
    if any(":" in uri.split("/")[0] or uri.startswith("/") for uri in playlist.uris()):
        yield 5, "a URI is not relative"


def media(playlist: Playlist, *, complete: bool) -> Findings:
    if any(line.startswith(_MASTER_TAGS) for line in playlist.lines):
        yield 4, "tags of a multivariant playlist in a media playlist"
    known = True
    for rule, tag in ((10, "EXT-X-TARGETDURATION"), (11, "EXT-X-PLAYLIST-TYPE"), (14, "EXT-X-MAP")):
        if len(playlist.values(tag)) != 1:
            yield rule, f"there is not exactly one {tag}"
            known = False
    if not known:
        return
    if playlist.values("EXT-X-PLAYLIST-TYPE")[0] not in ("EVENT", "VOD"):
        yield 11, "PLAYLIST-TYPE is neither EVENT nor VOD"
    if complete and playlist.lines.count("#EXT-X-ENDLIST") != 1:
        yield 12, "there is not exactly one EXT-X-ENDLIST"
    yield from _order(playlist)
    if len(playlist.values("EXTINF")) != len(playlist.uris()):
        yield 13, "an EXTINF without a segment"
        return
    if not playlist.uris():
        yield 16, "there is no segment"
    if len(set(playlist.uris())) != len(playlist.uris()):
        yield 19, "a segment is named twice"
    target = int(playlist.values("EXT-X-TARGETDURATION")[0])
    for entry in playlist.entries():
        if int(entry.duration_s + Fraction(1, 2)) > target:
            yield 15, f"{entry.uri} is longer than the target duration"
        if entry.duration_s <= 0:
            yield 16, f"{entry.uri} takes no time"
    for path in (playlist.map(), *playlist.files()):
        if not path.is_file():
            yield 17, f"{path.name} does not exist"


def _order(playlist: Playlist) -> Findings:
    numbers = playlist.values("EXT-X-MEDIA-SEQUENCE")
    if len(numbers) > 1 or numbers not in ([], ["0"]):
        yield 18, f"EXT-X-MEDIA-SEQUENCE is {numbers}, where nothing is ever removed"
    previous, seen_map, seen_uri = "", False, False
    for line in playlist.lines:
        seen_map |= line.startswith("#EXT-X-MAP:")
        if line.startswith("#EXT-X-MEDIA-SEQUENCE") and seen_uri:
            yield 18, "EXT-X-MEDIA-SEQUENCE behind a segment"
        if line and not line.startswith("#"):
            if not previous.startswith("#EXTINF:"):
                yield 13, f"no EXTINF before {line}"
            if not seen_map:
                yield 14, f"no EXT-X-MAP before {line}"
            seen_uri = True
        previous = line


def grown(before: Playlist, after: Playlist) -> Findings:
    """An EVENT playlist that was read twice."""
    old = before.lines[:-1]
    if after.lines[: len(old)] != old:
        yield 20, "a line of an EVENT playlist changed or is gone"
    if "#EXT-X-ENDLIST" in old and after.lines != before.lines:
        yield 20, "an EVENT playlist that ended goes on"


def multivariant(playlist: Playlist, *, complete: bool) -> Findings:
    if any(line.startswith(_MEDIA_TAGS) for line in playlist.lines):
        yield 4, "tags of a media playlist in a multivariant playlist"
    if "#EXT-X-INDEPENDENT-SEGMENTS" not in playlist.lines:
        yield 40, "no EXT-X-INDEPENDENT-SEGMENTS"
    told = playlist.values("EXT-X-STREAM-INF")
    if not told or len(told) != len(playlist.uris()):
        yield 41, "not one URI for each EXT-X-STREAM-INF"
        return
    found, sounds = variants(playlist), groups(playlist)
    pairs = [(each.uri, each.facts.get("AUDIO")) for each in found]
    if len(set(pairs)) != len(pairs):
        yield 42, "two variants are the same"
    for variant in found:
        yield from _variant(variant, sounds, complete=complete)
    for value in playlist.values("EXT-X-MEDIA"):
        yield from _member(attributes(value))
    for name, members in sounds.items():
        yield from _group(name, members)
    yield from _groups(found, sounds)


def _variant(variant: Variant, sounds: Mapping[str, object], *, complete: bool) -> Findings:
    facts = variant.facts
    if not facts.get("BANDWIDTH", "").isdigit():
        yield 43, "a variant without BANDWIDTH"
        return
    if complete and not facts.get("AVERAGE-BANDWIDTH", "").isdigit():
        yield 44, "a variant without AVERAGE-BANDWIDTH"
    elif complete and int(facts["AVERAGE-BANDWIDTH"]) > int(facts["BANDWIDTH"]):
        yield 44, "AVERAGE-BANDWIDTH is above BANDWIDTH"
    codecs = facts.get("CODECS", "")
    if not re.fullmatch(r"(avc1\.[0-9a-f]{6}|mp4a\.40\.\d+)(,mp4a\.40\.\d+)*", codecs):
        yield 45, f"CODECS {codecs!r}"
    if "avc1" in codecs:
        if not re.fullmatch(r"\d+x\d+", facts.get("RESOLUTION", "")):
            yield 46, "a picture without RESOLUTION"
        if not re.fullmatch(r"\d+\.\d{3}", facts.get("FRAME-RATE", "")):
            yield 47, "a picture without FRAME-RATE"
        if facts.get("VIDEO-RANGE") not in ("SDR", "PQ", "HLG"):
            yield 48, "a picture without VIDEO-RANGE"
    if "AUDIO" in facts and facts["AUDIO"] not in sounds:
        yield 56, f"there is no group {facts['AUDIO']}"


def _member(facts: Mapping[str, str]) -> Findings:
    for name in ("TYPE", "GROUP-ID", "NAME"):
        if not facts.get(name):
            yield 50, f"EXT-X-MEDIA without {name}"
    if facts.get("TYPE") == "AUDIO" and not facts.get("CHANNELS"):
        yield 51, "a sound without CHANNELS"
    if facts.get("DEFAULT") == "YES" and facts.get("AUTOSELECT") != "YES":
        yield 52, "a default that is not selected automatically"
    if "LANGUAGE" in facts and not _TAG.fullmatch(facts["LANGUAGE"]):
        yield 59, f"LANGUAGE {facts['LANGUAGE']!r}"


def _group(name: str, members: Sequence[Mapping[str, str]]) -> Findings:
    names = [each.get("NAME") for each in members]
    if len(set(names)) != len(names):
        yield 53, f"two members of group {name} have one NAME"
    if sum(each.get("DEFAULT") == "YES" for each in members) != 1:
        yield 54, f"group {name} has not exactly one default"
    chosen = [each.get("LANGUAGE", "") for each in members if each.get("AUTOSELECT") == "YES"]
    if len(set(chosen)) != len(chosen):
        yield 55, f"group {name} has two AUTOSELECT members of one language"


def _groups(
    found: Sequence[Variant], sounds: Mapping[str, Sequence[Mapping[str, str]]]
) -> Findings:
    used = {each.facts.get("AUDIO") for each in found}
    for name in sounds:
        if name not in used:
            yield 57, f"no variant uses group {name}"
    keys = ("NAME", "LANGUAGE", "DEFAULT", "AUTOSELECT")
    members = {tuple(tuple(map(each.get, keys)) for each in of) for of in sounds.values()}
    if len(members) > 1:
        yield 58, "the groups have different members"
    if sounds:
        for uri in {each.uri for each in found if "RESOLUTION" in each.facts}:
            of = {each.facts.get("AUDIO") for each in found if each.uri == uri}
            if of != set(sounds):
                yield 60, f"{uri} is not there once for each group"
