"""What can only be seen in the segments."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from tests import h264, mp4
from tests.authoring.playlist import Playlist, Variant, attributes, groups, variants
from tests.authoring.rules import Findings

_SAMPLES = ("stts", "stsc", "stco")
_RANGES = {16: "PQ", 18: "HLG"}
"""Transfer characteristics of ISO/IEC 23091-2; all others are SDR."""
_HIGH, _LEVEL = 100, 52
_RATE = 60


def segments(playlist: Playlist) -> Findings:
    init = playlist.map().read_bytes()
    wrong = [*_init(playlist.map().name, init)]
    yield from wrong
    if wrong:
        return
    ticks_a_second, expected = mp4.timescale(init), 0
    for entry, path in zip(playlist.entries(), playlist.files(), strict=True):
        data = path.read_bytes()
        shape = [*_shape(entry.uri, data)]
        yield from shape
        if shape:
            return
        fragments = mp4.fragments(init, data)
        if not fragments[0].samples[0].sync:
            yield 32, f"{entry.uri} does not start with a sync sample"
            return
        if fragments[0].start != expected:
            yield 31, f"{entry.uri} starts at {fragments[0].start}, not at {expected} ticks"
        expected = fragments[-1].start + fragments[-1].duration
        duration_s = Fraction(expected - fragments[0].start, ticks_a_second)
        if abs(duration_s - entry.duration_s) > Fraction(1, 1000):
            told = f"{float(duration_s):.6f} s, not {float(entry.duration_s):.6f}"
            yield 30, f"{entry.uri} takes {told}"


def _init(name: str, init: bytes) -> Findings:
    if [box.kind for box in mp4.boxes(init)] != ["ftyp", "moov"]:
        yield 33, f"{name} is not ftyp and moov"
    elif not mp4.find(init, "moov", "mvex", "trex"):
        yield 33, f"{name} has no mvex"
    else:
        for kind in _SAMPLES:
            box = mp4.only(init, "moov", "trak", "mdia", "minf", "stbl", kind)
            if int.from_bytes(init[box.body + 4 : box.body + 8], "big"):
                yield 33, f"{name} has samples in {kind}"


def _shape(name: str, data: bytes) -> Findings:
    kinds = [box.kind for box in mp4.boxes(data) if box.kind not in ("styp", "sidx", "prft")]
    if kinds != ["moof", "mdat"] * (len(kinds) // 2) or not kinds:
        yield 34, f"{name} is {kinds}"
        return
    for moof in mp4.find(data, "moof"):
        (traf,) = mp4.find(data, "traf", within=moof)
        if not mp4.find(data, "tfdt", within=traf):
            yield 34, f"{name} has no tfdt"
        (flags,) = struct.unpack_from(">I", data, mp4.only(data, "tfhd", within=traf).body)
        if flags & 0x1 or not flags & 0x020000:
            yield 34, f"{name} has addresses in the file"


def measured(master: Playlist, media: Mapping[str, Playlist]) -> Findings:
    sounds = {name: _of_group(members, media) for name, members in groups(master).items()}
    for variant in variants(master):
        own = media[variant.uri]
        beside = [each for each in sounds.get(variant.facts.get("AUDIO", ""), []) if each != own]
        yield from _rates(variant, own, beside)
        present = {mp4.codecs(each.map().read_bytes()) for each in (own, *beside)}
        if set(variant.facts["CODECS"].split(",")) != present:
            yield 72, f"{variant.uri}: CODECS is {variant.facts['CODECS']}, not {sorted(present)}"
        if "RESOLUTION" in variant.facts:
            yield from _pictures(variant, own)
    for each in map(attributes, master.values("EXT-X-MEDIA")):
        channels = _channels(media[each["URI"]].map().read_bytes())
        if each.get("CHANNELS") != str(channels):
            yield 76, f"{each['URI']}: CHANNELS is {each.get('CHANNELS')}, the sound has {channels}"
    yield from _together(master, media)


def _of_group(
    members: Sequence[Mapping[str, str]], media: Mapping[str, Playlist]
) -> list[Playlist]:
    return [media[each["URI"]] for each in members]


def _rates(variant: Variant, own: Playlist, beside: Sequence[Playlist]) -> Findings:
    own_sound = "RESOLUTION" not in variant.facts
    rates = [
        max(map(rate, [own, *beside]))
        if own_sound
        else rate(own) + max(map(rate, beside), default=Fraction(0))
        for rate in (peak_bps, average_bps)
    ]
    bandwidth = int(variant.facts["BANDWIDTH"])
    # One bit for the ninth decimal at which EXTINF ends.
    if not rates[0] - 1 <= bandwidth <= rates[0] * Fraction(11, 10):
        yield 70, f"{variant.uri}: BANDWIDTH is {bandwidth}, measured {float(rates[0]):.0f}"
    average = int(variant.facts["AVERAGE-BANDWIDTH"])
    if abs(average - rates[1]) > rates[1] / 10:
        yield 71, f"{variant.uri}: AVERAGE-BANDWIDTH is {average}, measured {float(rates[1]):.0f}"


def _pictures(variant: Variant, own: Playlist) -> Findings:
    init, facts = own.map().read_bytes(), variant.facts
    shown = h264.pictures(init)
    if facts["RESOLUTION"] != f"{shown.width}x{shown.height}" or shown.aspect != (1, 1):
        size = f"{shown.width}x{shown.height} with samples of {shown.aspect}"
        yield 73, f"{variant.uri}: RESOLUTION is {facts['RESOLUTION']}, the pictures are {size}"
    durations = [
        sample.duration
        for path in own.files()
        for fragment in mp4.fragments(init, path.read_bytes())
        for sample in fragment.samples
    ]
    rate = Fraction(mp4.timescale(init) * len(durations), sum(durations))
    steady = len(set(durations)) == 1
    told = Fraction(facts["FRAME-RATE"])
    if abs(told - rate) > Fraction(1, 1000) if steady else told < rate - Fraction(1, 1000):
        yield 74, f"{variant.uri}: FRAME-RATE is {facts['FRAME-RATE']}, measured {float(rate):.3f}"
    if max(told, rate) > _RATE:
        yield 79, f"{variant.uri}: more than {_RATE} pictures a second"
    if facts["VIDEO-RANGE"] != _RANGES.get(shown.transfer, "SDR"):
        yield 75, f"{variant.uri}: VIDEO-RANGE is {facts['VIDEO-RANGE']}, transfer {shown.transfer}"
    if shown.profile > _HIGH or shown.level > _LEVEL:
        yield 77, f"{variant.uri}: profile {shown.profile}, level {shown.level}"
    if not shown.progressive:
        yield 78, f"{variant.uri}: the pictures may be fields"


def _together(master: Playlist, media: Mapping[str, Playlist]) -> Findings:
    """Variants have the same content at the same times: all are cut alike."""
    pictures = [media[each.uri] for each in variants(master) if "RESOLUTION" in each.facts]
    cuts = {tuple(entry.duration_s for entry in playlist.entries()) for playlist in pictures}
    if len(cuts) > 1:
        yield 81, "variants are cut at different times"
    targets = {playlist.values("EXT-X-TARGETDURATION")[0] for playlist in media.values()}
    if len(targets) > 1:
        yield 82, "media playlists differ in their target duration"
    shown = [h264.pictures(each.map().read_bytes()) for each in pictures]
    colours = {(each.primaries, each.transfer, each.matrix, each.full_range) for each in shown}
    if len(colours) > 1:
        yield 80, f"pictures have different colours: {sorted(colours)}"
    lengths = [sum((e.duration_s for e in each.entries()), Fraction(0)) for each in media.values()]
    if max(lengths) - min(lengths) > int(min(targets)):
        yield 83, "sounds and pictures are not equally long"


def _channels(init: bytes) -> int:
    """Of the sample entry (ISO/IEC 14496-12, 12.2.3)."""
    table = mp4.only(init, "moov", "trak", "mdia", "minf", "stbl", "stsd")
    (entry,) = mp4.boxes(init, table.body + 8, table.stop)
    return int.from_bytes(init[entry.body + 16 : entry.body + 18], "big")


def peak_bps(playlist: Playlist) -> Fraction:
    """[4.1] Of contiguous segments that take 0.5 to 1.5 target durations; of the whole
    playlist where none do."""
    target = int(playlist.values("EXT-X-TARGETDURATION")[0])
    sizes = _sizes(tuple(playlist.files()))
    durations = [entry.duration_s for entry in playlist.entries()]
    rates = [
        8 * sum(sizes[first:stop]) / taken
        for first in range(len(sizes))
        for stop in range(first + 1, min(len(sizes), first + 50) + 1)
        if target <= 2 * (taken := sum(durations[first:stop], Fraction(0))) <= 3 * target
    ]
    return max(rates, default=average_bps(playlist))


def average_bps(playlist: Playlist) -> Fraction:
    size_bytes = sum(_sizes(tuple(playlist.files())))
    return 8 * size_bytes / sum((entry.duration_s for entry in playlist.entries()), Fraction(0))


def _sizes(files: tuple[Path, ...]) -> list[int]:
    return [path.stat().st_size for path in files]
