"""Frame by frame against the source: is output frame n source frame n, or a neighbour of it?

Both are decoded by ffmpeg, made small and grey, counted off, and compared three times: with the
frame of the same number, the one before and the one after. A frame that was lost, doubled or
moved shows where a neighbour fits better; a picture that stands still fits everywhere alike.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median

from functions.adapters import binaries

SIZE = "128x72"
_WINDOW = 12
"""Frames whose errors are summed: a shift too small to see in one frame shows in their sum."""
_UNNAMED = "setparams=color_primaries=unknown:color_trc=unknown:colorspace=unknown"
"""Grey is made of what a picture says of its colours: a source that says nothing would differ
from streams that say what it is taken for."""
_LEAST = 4.0
"""Below this the encoder's own errors, which differ from frame to frame, pass for motion."""
_STRANGE = 400.0
"""An error that no encode of the same picture has, and what frames may be worse than most."""


@dataclass(frozen=True)
class Errors:
    """Mean squared errors of each output frame against three source frames."""

    own: list[float]
    before: list[float]
    """Against source frame n - 1; 0 has none, so it starts with frame 1."""
    after: list[float]
    """Against source frame n + 1; the last has none."""
    motion: list[float]
    """Of source frame n against source frame n + 1."""

    def complaints(self) -> list[str]:
        """What is a neighbour is as far off as the two are from each other. That can be told where
        they differ more than the encoder changed them; over a window, where they differ at all."""
        return [*self._frames(), *self._windows()]

    def _frames(self) -> Iterator[str]:
        usual = median(self.own)
        for number, own in enumerate(self.own):
            if own > min(_STRANGE, 10 * usual + 20):
                yield f"frame {number} is not the source's"
            for neighbour, other, motion in self._neighbours(number):
                if motion > max(_LEAST, other) and own > other + motion / 2:
                    yield f"frame {number} is the source's frame {neighbour}"

    def _windows(self) -> Iterator[str]:
        for start in range(1, len(self.after) - _WINDOW + 1, _WINDOW // 2):
            window = range(start, start + _WINDOW)
            own = sum(self.own[number] for number in window) / _WINDOW
            for name, errors, offset in (("earlier", self.before, 1), ("later", self.after, 0)):
                other = sum(errors[number - offset] for number in window) / _WINDOW
                motion = sum(self.motion[number - offset] for number in window) / _WINDOW
                if motion > max(0.2, other / 4) and own > other + motion / 2:
                    yield f"frames {start} to {window[-1]} fit the source one {name}"

    def _neighbours(self, number: int) -> Iterator[tuple[int, float, float]]:
        if 1 <= number <= len(self.before):
            yield number - 1, self.before[number - 1], self.motion[number - 1]
        if number < len(self.after):
            yield number + 1, self.after[number], self.motion[number]


def errors(source: Path, playlists: Sequence[Path], *, rate: Fraction | None) -> list[Errors]:
    """Of each playlist's picture. `rate`: where the source was resampled to so many frames."""
    with tempfile.TemporaryDirectory() as folder:
        small = f"{_UNNAMED},scale={SIZE.replace('x', ':')}:flags=area,format=gray"
        small += ",settb=1/1000,setpts=N"
        resampled = f"setpts=PTS-STARTPTS,fps={rate}," if rate else ""
        count = len(playlists)
        graph = [
            f"[0:V:0]{resampled}{small},split={3 * count + 2}{_pads('s', 3 * count + 2)}",
            _from(f"s{3 * count + 1}", "1", "next"),
            f"[s{3 * count}]setpts=N[this];[this][next]psnr=shortest=1:stats_file=motion[m]",
        ]
        for number in range(count):
            graph.append(f"[{number + 1}:V:0]{small},split=3" + _pads(f"o{number}_", 3))
            for kind, (ours, theirs) in enumerate((("", ""), ("1", ""), ("", "1"))):
                left = _from(f"o{number}_{kind}", ours, f"a{number}_{kind}")
                right = _from(f"s{3 * number + kind}", theirs, f"b{number}_{kind}")
                graph += [left, right]
                graph.append(
                    f"[a{number}_{kind}][b{number}_{kind}]"
                    f"psnr=shortest=1:stats_file=p{number}_{kind}[x{number}_{kind}]"
                )
        argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "error", "-i", str(source.resolve())]
        for playlist in playlists:
            argv += ["-i", str(playlist.resolve())]
        argv += ["-filter_complex", ";".join(graph), "-map", "[m]"]
        for number in range(count):
            for kind in range(3):
                argv += ["-map", f"[x{number}_{kind}]"]
        argv += ["-fps_mode", "passthrough", "-f", "null", "-"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
        motion = _read(Path(folder) / "motion")
        read = [
            [_read(Path(folder) / f"p{number}_{kind}") for kind in range(3)]
            for number in range(count)
        ]
    return [Errors(own, before, after, motion) for own, before, after in read]


def complaints(source: Path, playlists: Sequence[Path], *, rate: Fraction | None) -> list[str]:
    found = errors(source, playlists, rate=rate)
    return [
        f"{playlist.parent.name}: {text}"
        for playlist, each in zip(playlists, found, strict=True)
        for text in each.complaints()
    ]


def _pads(name: str, count: int) -> str:
    return "".join(f"[{name}{number}]" for number in range(count))


def _from(pad: str, first: str, result: str) -> str:
    cut = f"trim=start_frame={first}," if first else ""
    return f"[{pad}]{cut}setpts=N[{result}]"


def _read(path: Path) -> list[float]:
    """`n:1 mse_avg:0.52 mse_y:0.52 …` a line."""
    found = []
    for line in path.read_text().splitlines():
        facts = dict(word.split(":") for word in line.split())
        found.append(float(facts["mse_y"]))
    return found
