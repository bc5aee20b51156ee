"""The reference decode: Debian's ffmpeg 5.1, told by hand what to do, that knows nothing of ours.

It turns, crops and converts only as the record says (`truth`): never by a file's own matrix, flag
or tag. Colours are converted by zimg, which the product scales nothing with.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.reference.truth import Colour, Picture

FFMPEG: Final = Path("/usr/bin/ffmpeg")

FLAT_STEP: Final = 100
THINNED: Final = f"select=not(mod(n\\,{FLAT_STEP}))"
"""Of a film with nothing to see every so many frames are looked at; all of them are counted."""

_MATRICES: Final = {
    "bt709": "709",
    "smpte170m": "170m",
    "bt470bg": "470bg",
    "bt2020nc": "2020_ncl",
}
_AS_IT_IS: Final = "transferin=709:transfer=709:primariesin=709:primaries=709"
"""For zimg: light is not to be touched."""


@dataclass(frozen=True, kw_only=True)
class View:
    """How large, and in which colours, the reference is to come."""

    width: int
    height: int
    matrix: str
    """That which the result's tags name, range limited."""


def filters(picture: Picture, view: View, *, before: str = "", behind: str = "") -> str:
    """What makes the stored picture a right one. `before` and `behind`: what else is done to it,
    where it is still as large as it was and upright, and when it is ready."""
    steps = [THINNED if picture.flat else ""]
    steps.append(f"crop={picture.crop}:exact=1" if picture.crop else "")
    if picture.scan != "progressive":
        steps.append(f"bwdif=mode=send_frame:parity={picture.scan}:deint=all")
    # zimg would shift the lines of what is flagged as interlaced.
    steps += ["setfield=prog", picture.turn, before]
    steps.append(_hlg(view) if _is_hlg(picture.colour) else _sdr(picture.colour, view))
    steps += ["format=yuv420p", "settb=1/1000", "setpts=N"]
    if picture.held:
        steps += [f"tpad=start={picture.held}:start_mode=clone", "setpts=N"]
    return ",".join(step for step in [*steps, behind] if step)


def decoded(source: Path, outputs: Mapping[Path, str]) -> None:
    """Decode the source's first picture once, and write what each of the filters makes of it."""
    count = len(outputs)
    pads = "".join(f"[s{number}]" for number in range(count))
    graph = [f"[0:V:0]split={count}{pads}"]
    graph += [f"[s{n}]{chain}[o{n}]" for n, chain in enumerate(outputs.values())]
    argv = [str(FFMPEG), "-nostdin", "-v", "error", "-y", "-noautorotate", "-i", str(source)]
    argv += ["-filter_complex", ";".join(graph)]
    for number, path in enumerate(outputs):
        argv += ["-map", f"[o{number}]", "-fps_mode", "passthrough", "-c:v", "rawvideo"]
        argv += ["-f", "nut", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def presented_s(source: Path, *, kind: str = "frame=best_effort_timestamp") -> list[Fraction]:
    """When each frame that decodes is presented, the first at 0; or by ffprobe's other `kind`."""
    probe = FFMPEG.with_name("ffprobe")
    argv = [str(probe), "-v", "error", "-select_streams", "V:0", "-of", "default=nw=1:nk=1"]
    base = _said([*argv, "-show_entries", "stream=time_base", str(source)])[-1]
    # One line a frame; a program of a transport stream says its stream's timebase twice.
    ticks = _said([*argv, "-show_entries", kind, str(source)])
    times = sorted(int(each) for each in ticks)
    return [(each - times[0]) * Fraction(base) for each in times]


def shown(times_s: list[Fraction], rate: Fraction) -> list[int]:
    """Which frame each output frame shows: the last that is there before its middle."""
    usual_s = sorted(later - earlier for earlier, later in pairwise(times_s))
    end_s = times_s[-1] + usual_s[(len(usual_s) - 1) // 2]
    found: list[int] = []
    at = 0
    while (middle_s := (len(found) + Fraction(1, 2)) / rate) <= end_s:
        while at + 1 < len(times_s) and times_s[at + 1] < middle_s:
            at += 1
        found.append(at)
    return found


def _said(argv: list[str]) -> list[str]:
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.split() if "=" not in line]


def _is_hlg(colour: Colour) -> bool:
    return colour.transfer == "arib-std-b67"


def _sdr(colour: Colour, view: View) -> str:
    return (
        f"zscale={view.width}:{view.height}:filter=bicubic:dither=none"
        f":matrixin={_MATRICES[colour.matrix]}:rangein={'full' if colour.full else 'limited'}"
        f":matrix={_MATRICES[view.matrix]}:range=limited:{_AS_IT_IS}"
    )


def _hlg(view: View) -> str:
    """To what a television of standard range shows, by the curve of decision 20: light of 203 cd/m²
    (white paper, BT.2408) is 1.0, the brightest has 1000, and it is bent from 0.3 on."""
    return (
        f"zscale={view.width}:{view.height}:filter=bicubic"
        ":matrixin=2020_ncl:rangein=limited:transferin=arib-std-b67:primariesin=2020"
        ":transfer=linear:npl=203:primaries=709:matrix=gbr:range=full,format=gbrpf32le,"
        "tonemap=mobius:param=0.3:peak=4.926:desat=0,"
        "zscale=primariesin=709:primaries=709:transferin=linear:transfer=709:matrixin=gbr"
        f":matrix={_MATRICES[view.matrix]}:rangein=full:range=limited:dither=none"
    )
