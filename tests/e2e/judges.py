"""Is this folder the streams of that file? ffmpeg, ffprobe, shaka's packager and the boxes say.

`judge` reads only the folder's files and the source. What it is told of the plan are the numbers
that cannot be seen from outside: how many frames were planned, and at which rate where the source
was resampled. Every complaint is a sentence; none is a pass.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from functions.adapters import binaries
from tests import mp4
from tests.authoring import Playlist, attributes, media_playlists
from tests.authoring import complaints as authoring_complaints
from tests.e2e import picture, sound
from tests.e2e.readers import dash_streams, decoded_frames, packets

_MPD = {"": "urn:mpeg:dash:schema:mpd:2011"}


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What the folder should hold."""

    frames: int
    """Of every picture; 0 without pictures."""
    rate: Fraction
    """Pictures a second; any without pictures."""
    resampled: bool = False
    """False: output frame n is source frame n."""
    sounds: tuple[int, ...] = ()
    """Which of the source's sounds (counted among sounds) each of the folder's is of."""

    @classmethod
    def read(cls, out: Path) -> Planned:
        """From the folder's `report.json`, and each sound's track from its name."""
        report = json.loads((out / "report.json").read_text())
        timeline = report["timeline"]
        return cls(
            frames=timeline["frames"] if timeline else 0,
            rate=Fraction(timeline["rate"]) if timeline else Fraction(1),
            resampled=bool(timeline and not timeline["constant"]),
            sounds=tuple(
                int(each.name.split("-")[1]) - 1 for each in read(out) if not each.is_picture
            ),
        )


@dataclass(frozen=True)
class Rendition:
    """What a playlist names, on disk."""

    playlist: Playlist

    @property
    def name(self) -> str:
        return self.playlist.path.parent.name

    @property
    def init(self) -> bytes:
        return self.playlist.map().read_bytes()

    @property
    def files(self) -> list[Path]:
        return [self.playlist.map(), *self.playlist.files()]

    @property
    def is_picture(self) -> bool:
        return mp4.codecs(self.init).startswith("avc1")

    def fragments(self) -> list[mp4.Fragment]:
        init = self.init
        return [
            fragment
            for path in self.playlist.files()
            for fragment in mp4.fragments(init, path.read_bytes())
        ]


def judge(out: Path, source: Path, planned: Planned, *, frames_of: bool = True) -> list[str]:
    """Every complaint. `frames_of`: also compare each picture with the source's, frame by frame."""
    for name in ("master.m3u8", "manifest.mpd"):
        if not (out / name).is_file():
            return [f"there is no {name}"]
    if found := authoring_complaints(out / "master.m3u8"):
        return found
    renditions = read(out)
    found = [*same_files_in_both_manifests(out, renditions)]
    pictures = [each for each in renditions if each.is_picture]
    sounds = [each for each in renditions if not each.is_picture]
    if bool(planned.frames) != bool(pictures) or len(sounds) != len(planned.sounds):
        found.append(f"{len(pictures)} pictures and {len(sounds)} sounds")
    for each in renditions:
        own = [*hashes(each), *boxes(each, planned), *timestamps(each), *repackaged(each)]
        found += [f"{each.name}: {text}" for text in own]
    places = dash_streams(out)
    for each in pictures:
        for reader, path, stream in (
            ("HLS", each.playlist.path, "0:v:0"),
            ("DASH", out / "manifest.mpd", places.get(each.name, "0:v:0")),
        ):
            try:
                count = decoded_frames(path, stream)
            except subprocess.CalledProcessError:
                return [*found, f"{each.name}: {reader} does not decode without an error"]
            if count != planned.frames:
                found.append(f"{each.name}: {reader} gives {count} frames of {planned.frames}")
    for each in sounds:
        # ffmpeg's DASH reader applies the edit list anew in every segment and so drops a frame
        # of each when it decodes: its packets are counted instead.
        expected = sum(len(fragment.samples) for fragment in each.fragments())
        if (count := packets(out / "manifest.mpd", places.get(each.name, "0:a:0"))) != expected:
            found.append(f"{each.name}: DASH gives {count} packets of {expected}")
    end_s = planned.frames / planned.rate if pictures else None
    for track, each in zip(planned.sounds, sounds, strict=False):
        found += [
            f"{each.name}: {text}"
            for text in sound.complaints(
                source, each.playlist.path, track=track, end_s=end_s, frame_s=1 / planned.rate
            )
        ]
    if frames_of and pictures:
        found += picture.complaints(
            source,
            [each.playlist.path for each in pictures],
            rate=planned.rate if planned.resampled else None,
        )
    return found


def read(out: Path) -> list[Rendition]:
    """What the multivariant playlist names, pictures in its order, then sounds."""
    playlists = media_playlists(Playlist.read(out / "master.m3u8")).values()
    found = [Rendition(playlist) for playlist in playlists]
    return sorted(found, key=lambda each: not each.is_picture)


def same_files_in_both_manifests(out: Path, renditions: Sequence[Rendition]) -> Iterator[str]:
    root = ElementTree.parse(out / "manifest.mpd").getroot()
    listed = {}
    for node in root.iterfind(".//Representation", _MPD):
        base = node.findtext("BaseURL", "", _MPD)
        (init,) = node.iterfind(".//Initialization", _MPD)
        names = [init.get("sourceURL", "")]
        names += [url.get("media", "") for url in node.iterfind(".//SegmentURL", _MPD)]
        listed[node.get("id", "")] = [out / base / name for name in names]
    for each in renditions:
        if listed.pop(each.name, None) != each.files:
            yield f"{each.name}: HLS and DASH do not name the same files"
    if listed:
        yield f"DASH has {sorted(listed)}, HLS has not"
    master = Playlist.read(out / "master.m3u8")
    if not renditions or not master.values("EXT-X-STREAM-INF"):
        yield "there is nothing to play"
    for value in master.values("EXT-X-STREAM-INF"):
        if "RESOLUTION" in (facts := attributes(value)):
            width, height = facts["RESOLUTION"].split("x")
            if not root.findall(f".//Representation[@width='{width}'][@height='{height}']", _MPD):
                yield f"DASH has no picture of {width}x{height}"


def hashes(rendition: Rendition) -> Iterator[str]:
    """One init segment, and every name tells the truth about the content."""
    inits = list(rendition.playlist.path.parent.glob("init*"))
    if inits != [rendition.playlist.map()]:
        yield f"{len(inits)} init segments"
    for path in rendition.files:
        named = re.search(r"-([0-9a-f]{16,64})\.", path.name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if not named or not digest.startswith(named[1]):
            yield f"{path.name} is not what its name says"


def boxes(rendition: Rendition, planned: Planned) -> Iterator[str]:
    """Frames, time and composition as the boxes have them."""
    fragments = rendition.fragments()
    for number, (one, following) in enumerate(pairwise(fragments)):
        if one.start + one.duration != following.start:
            yield f"tfdt leaps from {one.start + one.duration} to {following.start} at {number + 1}"
    if fragments[0].start:
        yield f"tfdt starts at {fragments[0].start}"
    if not rendition.is_picture:
        return
    if count := sum(len(fragment.samples) for fragment in fragments) - planned.frames:
        yield f"{abs(count)} frames too {'many' if count > 0 else 'few'}"
    if {sample.duration for fragment in fragments for sample in fragment.samples} != {
        int(mp4.timescale(rendition.init) / planned.rate)
    }:
        yield f"frames do not all last 1/{planned.rate} s"
    for number, fragment in enumerate(fragments):
        if not fragment.samples[0].sync:
            yield f"fragment {number} does not start with a sync sample"
        if fragment.samples[0].composition:
            yield f"fragment {number} starts {fragment.samples[0].composition} ticks late"
    if mp4.edits(rendition.init):
        yield "an edit list on pictures"


def timestamps(rendition: Rendition) -> Iterator[str]:
    """As ffprobe sees them: presentation times are as far apart as frames are long."""
    argv = [str(binaries.ffprobe()), "-v", "fatal", "-of", "csv=p=0"]
    argv += ["-show_entries", "packet=pts", str(rendition.playlist.path)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    times = sorted(int(line.rstrip(",")) for line in done.stdout.split())
    steps = [later - earlier for earlier, later in pairwise(times)]
    expected = [sample.duration for each in rendition.fragments() for sample in each.samples]
    if not rendition.is_picture:
        steps, expected = steps[:-1], expected[:-2]
    else:
        expected = expected[:-1]
    if steps != expected:
        yield f"ffprobe sees {len(times)} packets, not evenly spaced as the boxes say"


def repackaged(rendition: Rendition) -> Iterator[str]:
    """Shaka's packager, a strict reader, takes in as many samples as there are."""
    kind = "video" if rendition.is_picture else "audio"
    with tempfile.TemporaryDirectory() as folder:
        whole, packed = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        with whole.open("wb") as stream:
            for path in rendition.files:
                stream.write(path.read_bytes())
        argv = [str(binaries.packager()), f"in={whole},stream={kind},output={packed}", "--quiet"]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=folder)
        if done.returncode:
            yield f"shaka's packager refuses it: {done.stderr.strip().splitlines()[-1]}"
            return
        data = packed.read_bytes()
        count = sum(len(each.samples) for each in mp4.fragments(data, data))
        expected = sum(len(each.samples) for each in rendition.fragments())
        if count != expected:
            yield f"shaka's packager finds {count} samples of {expected}"


def source_frames(source: Path) -> int:
    """How many frames the source's first picture track shows: decoded and counted."""
    return decoded_frames(source, "0:V:0")


def joins(out: Path) -> int:
    """How many places there are where one task's output meets another's, from the report."""
    report = json.loads((out / "report.json").read_text())
    starts = {task["start"] for task in report["tasks"] if task["kind"] == "video"}
    return max(0, len(starts) - 1)
