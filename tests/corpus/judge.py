"""Whether a file ended as it had to: every complaint is a sentence, none is a pass.

What was promised is in the case. What came out is read from the folder by its boxes and by a
decoder, not by what the report says of it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from functions.adapters import binaries
from functions.jobs.refusal import REFUSALS
from tests import mp4
from tests.corpus.case import Case, Completed, Either, Ignored, Refused
from tests.corpus.site import Ended
from tests.mp4 import Fragment

CODES = {refusal.code for refusal in REFUSALS}
OURS = {"output_invalid", "deadline", "cancelled", "accelerator", "resource_limit"}
"""No file may bring these about by itself unless its case says so."""
HARMLESS = ("only the first frame is a keyframe", "gaps?, |a gap of ", "of its own time")
"""Notes on what is so, whatever else a case is about: nothing is lost by it."""
CORNERS = ("top left", "top right", "bottom left", "bottom right")


def judge(case: Case, ended: Ended, *, secret: bytes = b"") -> list[str]:
    """Everything that is wrong."""
    found = [*ended.complaints, *budget(case, ended)]
    if secret:
        found += leaks(ended.site, case.key, secret)
    end, verdict = case.end, ended.verdict
    if isinstance(end, Ignored) or verdict is None:
        if not isinstance(end, Ignored) or verdict is not None:
            found.append(f"ended in {verdict}, not in {end}")
        return found
    said = f"{verdict.state} ({verdict.code}: {verdict.reason})"
    if verdict.state == "completed":
        match end:
            case Completed():
                found += streams(ended)
                found += as_promised(end, ended)
            case Either():
                found += streams(ended)
            case _:
                found.append(f"{said}, not {end}")
        return found
    found += plainly(verdict.code, verdict.reason)
    if not isinstance(end, Refused | Either) or verdict.code not in end.codes:
        found.append(f"{said}, not {end}")
    return found


def budget(case: Case, ended: Ended) -> Iterator[str]:
    """Time and memory that programs used, and how they ended."""
    if ended.cpu_s > case.cpu_s:
        yield f"{ended.cpu_s:.1f} s of CPU, not {case.cpu_s:g}"
    if ended.most_bytes > case.memory_bytes:
        yield f"{ended.most_bytes >> 20} MiB of memory, not {case.memory_bytes >> 20}"
    for each in ended.children:
        if each.stopped:
            yield f"a program was ended: {each.stopped}; {each.stderr[-300:]}"
        elif each.returncode < 0:
            yield f"a program died of signal {-each.returncode}; {each.stderr[-300:]}"


def plainly(code: str, reason: str) -> Iterator[str]:
    """A code of the table, and a sentence for people without anything that steers a terminal."""
    if code not in CODES:
        yield f"{code} is no code of the table"
    if not reason.endswith(".") or re.search(
        r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", reason
    ):
        yield f"no sentence: {reason!r}"
    if "/tmp" in reason or "Traceback" in reason:
        yield f"tells of the machine: {reason}"


def leaks(site: Path, key: str, secret: bytes) -> Iterator[str]:
    for path in site.rglob("*"):
        if path.is_file() and secret in path.read_bytes() and not path.match(f"uploads/{key}"):
            yield f"what somebody else may read is in {path.relative_to(site)}"


@dataclass(frozen=True)
class Rendition:
    """What a media playlist names."""

    playlist: Path

    @property
    def name(self) -> str:
        return self.playlist.parent.name

    @property
    def init(self) -> bytes:
        uri: str
        (uri,) = re.findall(r'^#EXT-X-MAP:URI="([^"]*)"$', self.playlist.read_text(), re.M)
        return (self.playlist.parent / uri).read_bytes()

    @property
    def segments(self) -> list[bytes]:
        return [(self.playlist.parent / uri).read_bytes() for uri in uris(self.playlist)]

    @property
    def fragments(self) -> list[Fragment]:
        segments = self.segments
        return [each for segment in segments for each in mp4.fragments(self.init, segment)]

    @property
    def is_picture(self) -> bool:
        return b"vide" in self.init

    @property
    def samples(self) -> int:
        return sum(len(fragment.samples) for fragment in self.fragments)

    def whole(self, folder: Path) -> Path:
        """One file of all, for a decoder."""
        path = folder / f"{self.name}.mp4"
        path.write_bytes(self.init + b"".join(self.segments))
        return path


def uris(playlist: Path) -> list[str]:
    return [line for line in playlist.read_text().splitlines() if line and line[0] != "#"]


def renditions(ended: Ended) -> list[Rendition]:
    """Every one that the master playlist names: pictures, the largest first, then sounds."""
    master = ended.media / "master.m3u8"
    named = [*uris(master), *re.findall(r'^#EXT-X-MEDIA:.*URI="([^"]*)"', master.read_text(), re.M)]
    found = [Rendition(ended.media / name) for name in dict.fromkeys(named)]
    pictures = sorted((each for each in found if each.is_picture), key=lambda each: -width(each))
    return [*pictures, *(each for each in found if not each.is_picture)]


def width(rendition: Rendition) -> int:
    return size(rendition)[0]


def size(rendition: Rendition) -> tuple[int, int]:
    """Width and height in the sample entry."""
    init = rendition.init
    at = mp4.only(init, "moov", "trak", "mdia", "minf", "stbl", "stsd").body + 8 + 8 + 24
    return int.from_bytes(init[at : at + 2], "big"), int.from_bytes(init[at + 2 : at + 4], "big")


def streams(ended: Ended) -> list[str]:
    """What holds of every result: no gap, and a decoder gets as many frames as the boxes list and
    the plan promised."""
    found: list[str] = []
    report = ended.report
    said = {each["name"]: each for each in report["renditions"]}
    made = renditions(ended)
    if {each.name for each in made} != said.keys():
        found.append(f"the playlists name {[each.name for each in made]}, the report {[*said]}")
    if not (ended.media / "manifest.mpd").exists():
        found.append("no manifest for DASH")
    counts = decoded(made, ended.media.parents[2])
    for number, each in enumerate(made):
        found += [f"{each.name}: {text}" for text in whole(each)]
        planned = report["timeline"]["frames"] if each.is_picture else each.samples
        if each.samples != planned:
            found.append(f"{each.name}: {each.samples} samples of {planned}")
        frames, errors = counts[number]
        if errors:
            found.append(f"{each.name}: decoders complain: {errors[-300:]}")
        if each.is_picture and frames != planned:
            found.append(f"{each.name}: a decoder gets {frames} frames of {planned}")
        if not each.is_picture and not frames:
            found.append(f"{each.name}: a decoder gets nothing")
    return found


def whole(rendition: Rendition) -> Iterator[str]:
    fragments = rendition.fragments
    if fragments[0].start:
        yield f"starts at {fragments[0].start}"
    for number, (one, following) in enumerate(pairwise(fragments), 1):
        if one.start + one.duration != following.start:
            yield f"leaps from {one.start + one.duration} to {following.start} at {number}"
    for number, fragment in enumerate(fragments):
        if rendition.is_picture and not fragment.samples[0].sync:
            yield f"fragment {number} does not start with a keyframe"


def decoded(made: list[Rendition], folder: Path) -> list[tuple[int, str]]:
    """Of each rendition: how many frames a decoder gives out, and what it complains of."""
    found = []
    for each in made:
        path = each.whole(folder)
        argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-xerror", "-i", str(path)]
        argv += ["-fps_mode:v", "passthrough", "-f", "framecrc", "-"]
        done = subprocess.run(argv, capture_output=True, text=True)
        rows = [line for line in done.stdout.splitlines() if line and line[0] != "#"]
        found.append((len(rows), done.stderr or ("it fails" if done.returncode else "")))
        path.unlink()
    return found


def as_promised(end: Completed, ended: Ended) -> Iterator[str]:
    made = renditions(ended)
    pictures = [each for each in made if each.is_picture]
    sounds = [each for each in made if not each.is_picture]
    if bool(pictures) != bool(end.frames) or len(sounds) != end.sounds:
        yield f"{len(pictures)} pictures and {len(sounds)} sounds, not {end}"
        return
    seconds = Fraction(0)
    for each in pictures:
        durations = [sample.duration for one in each.fragments for sample in one.samples]
        seconds = Fraction(sum(durations), mp4.timescale(each.init))
        if len(durations) != end.frames:
            yield f"{each.name}: {len(durations)} frames, not {end.frames}"
        ticks = int(mp4.timescale(each.init) / end.rate) if end.rate else 0
        if ticks and {*durations} != {ticks}:
            yield f"{each.name}: frames last {sorted({*durations})}, not {ticks} ticks"
    if pictures and size(pictures[0]) != end.size:
        yield f"{size(pictures[0])} in size, not {end.size}"
    if pictures and end.corner and (where := white(pictures[0], ended.site.parent)) != end.corner:
        yield f"the white corner is {where}, not {end.corner}"
    wanted = end.sound_s if end.sound_s is not None else seconds
    for each in sounds:
        heard = Fraction(sum(one.duration for one in each.fragments), mp4.timescale(each.init))
        # The encoder's delay before, and what fills the last frame of 1024 samples after.
        if not 0 <= heard - wanted <= Fraction(3 * 1024, mp4.timescale(each.init)):
            yield f"{each.name}: {float(heard):.3f} s of sound, not {float(wanted):.3f}"
    notes = ended.report["notes"]
    expected = (*end.notes, *HARMLESS)
    for pattern in end.notes:
        if not any(re.search(pattern, note) for note in notes):
            yield f"no note says {pattern!r}: {notes}"
    others = [note for note in notes if not any(re.search(each, note) for each in expected)]
    if end.quiet and others:
        yield f"other notes than {end.notes}: {others}"


def white(rendition: Rendition, folder: Path) -> str:
    """In which corner the first picture is brightest."""
    path = rendition.whole(folder)
    argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-i", str(path), "-frames:v", "1"]
    argv += ["-vf", "scale=2:2:flags=area,format=gray", "-f", "rawvideo", "-"]
    luma = subprocess.run(argv, capture_output=True, check=True).stdout
    path.unlink()
    return CORNERS[luma.index(max(luma))]
