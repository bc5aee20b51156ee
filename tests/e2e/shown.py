"""What a real file became, beside what is true of it (`tests/reference`)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from functions.adapters import binaries
from tests.e2e import judges, picture
from tests.reference import decode, defects, likeness
from tests.reference.truth import HLG, Picture, Truth

JUDGED = """
name = "judged"
description = "two rungs that hide nothing, for tests"
segment_s = 1

[video]
preset = "veryfast"
crf = 18

[[video.ladder]]
height = 360
maxrate_kbps = 8000
bufsize_kbps = 8000

[[video.ladder]]
height = 144
maxrate_kbps = 4000
bufsize_kbps = 4000

[audio]
surround_kbps = 256
"""
_ONE_CURVE = {"bt709", "smpte170m"}
"""By two names."""


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What a stream says of its pictures, as ffprobe reads it."""

    width: int
    height: int
    matrix: str
    transfer: str
    primaries: str
    range: str
    pixels: str


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What there is to say of the pictures after comparing them with references."""

    complaints: list[str]
    worst: tuple[float, float]
    """Lowest SSIM of luma and chroma, over all frames of both rungs."""
    shows: frozenset[str]
    """The defects that would have been found."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A folder of streams, and the truth about the file that they are made of."""

    truth: Truth
    source: Path
    out: Path
    report: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, truth: Truth, source: Path, out: Path) -> Shown:
        report = json.loads((out / "report.json").read_text())
        return cls(truth=truth, source=source, out=out, report=report)

    @property
    def planned(self) -> judges.Planned:
        """From the truth, but for the sounds: which there are is the profile's to say."""
        film = self.truth.picture
        return judges.Planned(
            frames=film.frames if film else 0,
            rate=film.rate if film else Fraction(1),
            resampled=bool(film and film.held),
            sounds=judges.Planned.read(self.out).sounds,
        )

    @cached_property
    def rungs(self) -> list[tuple[Path, Tags]]:
        """Playlists of the pictures, the largest first."""
        pictures = [each for each in judges.read(self.out) if each.is_picture]
        found = [(each.playlist.path, tags(each.playlist.path)) for each in pictures]
        return sorted(found, key=lambda rung: -rung[1].width * rung[1].height)

    @cached_property
    def looks(self) -> Looks:
        film = self.truth.picture
        assert film is not None
        folder = self.out.with_name(self.out.name + "-reference")
        folder.mkdir()
        return compared(film, self.source, self.rungs, folder)


def tags(playlist: Path) -> Tags:
    argv = [str(binaries.ffprobe()), "-v", "error", "-of", "json", "-select_streams", "v"]
    argv += ["-show_entries", "stream=width,height,sample_aspect_ratio,color_space,color_range"]
    argv[-1] += ",color_transfer,color_primaries"
    done = subprocess.run([*argv, str(playlist)], check=True, capture_output=True)
    (stream,) = json.loads(done.stdout)["streams"]
    return Tags(
        width=stream["width"],
        height=stream["height"],
        matrix=stream.get("color_space", ""),
        transfer=stream.get("color_transfer", ""),
        primaries=stream.get("color_primaries", ""),
        range=stream.get("color_range", ""),
        pixels=stream.get("sample_aspect_ratio", ""),
    )


def untrue(film: Picture, said: Tags) -> Iterator[str]:
    """What a rung says of itself that is not so."""
    if said.pixels != "1:1" or said.width % 2 or said.height % 2:
        yield f"{said.width}x{said.height} of pixels {said.pixels}"
    if said.width > film.width + 1 or said.height > film.height + 1:
        yield f"{said.width}x{said.height} is larger than {film.width}x{film.height}"
    # One side is rounded to an even number: by a pixel at most.
    if (
        min(abs(said.width - said.height * film.shape), abs(said.height - said.width / film.shape))
        > 1
    ):
        yield f"{said.width}x{said.height} is not of the shape {film.width}:{film.height}"
    if said.range != "tv":
        yield f"range {said.range}"
    colour = film.colour
    if colour.transfer == HLG.transfer:
        wanted = ("bt709", "bt709", "bt709")
    else:
        wanted = (
            colour.matrix,
            colour.transfer or colour.matrix,
            colour.primaries or colour.matrix,
        )
    is_said = (said.matrix, said.transfer, said.primaries)
    for name, one, other in zip(("matrix", "transfer", "primaries"), is_said, wanted, strict=True):
        if one != other and not (name == "transfer" and {one, other} == _ONE_CURVE):
            yield f"{name} {one or 'unsaid'}, not {other}"


def compared(film: Picture, source: Path, rungs: list[tuple[Path, Tags]], folder: Path) -> Looks:
    used = [rungs[-1]] if film.flat or len(rungs) == 1 else [rungs[0], rungs[-1]]
    views = [
        decode.View(width=said.width, height=said.height, matrix=said.matrix) for _, said in used
    ]
    playlists = [playlist for playlist, _ in used]
    right = [folder / f"right-{number}.nut" for number in range(len(used))]
    wrong = {} if film.flat else dict(defects.wrong(film, views[-1]))
    outputs = {path: decode.filters(film, view) for path, view in zip(right, views, strict=True)}
    outputs |= {folder / f"{name}.nut": chain for name, chain in wrong.items()}
    decode.decoded(source, outputs)

    if film.flat:
        thin = {
            each: folder / f"thin-{number}" / "thin.nut" for number, each in enumerate(playlists)
        }
        for playlist, path in thin.items():
            path.parent.mkdir()
            decode.decoded(playlist, {path: f"{decode.THINNED},settb=1/1000,setpts=N"})
        playlists = list(thin.values())
    count = -(-film.frames // decode.FLAT_STEP) if film.flat else film.frames

    limits = likeness.TONED if film.colour.transfer == HLG.transfer else likeness.Limits()
    pairs = [*zip(playlists, right, strict=True)]
    pairs += [(playlists[-1], folder / f"{name}.nut") for name in wrong]
    measured = likeness.measured(pairs)
    likes, others = measured[: len(used)], dict(zip(wrong, measured[len(used) :], strict=True))

    found = [
        f"{playlist.parent.name}: {text}"
        for playlist, path, like in zip(playlists, right, likes, strict=True)
        for text in [
            *([f"{len(like.ssim)} frames of {count}"] * (len(like.ssim) != count)),
            *like.complaints(limits),
            *picture.errors(path, [playlist], rate=None)[0].complaints(),
        ]
    ]
    shows = set()
    for name, other in others.items():
        if name in defects.COLOURS:
            if likes[-1].nearer(other):
                shows.add(name)
            elif other.nearer(likes[-1]):
                found.append(f"colours fit better with {defects.SAID[name]}")
        if any(other.complaints(limits)):
            shows.add(name)
    moved = [name for name in wrong if name not in shows]
    for name in moved:
        if picture.errors(folder / f"{name}.nut", [playlists[-1]], rate=None)[0].complaints():
            shows.add(name)
    worst = [like.worst for like in likes]
    return Looks(
        complaints=found,
        worst=(min(luma for luma, _ in worst), min(chroma for _, chroma in worst)),
        shows=frozenset(shows),
    )
