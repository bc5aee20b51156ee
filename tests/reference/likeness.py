"""How like each frame of a result is to its reference: structure by SSIM, colour by a mosaic.

SSIM is all but blind to a shift of colours (its term of luminance compares 100 with 110 as 0.995),
and an encoder changes single pixels more than a wrong matrix does. So a frame is also compared as
a mosaic of 16 by 9: noise is gone from it, what was shifted is not.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from functions.adapters import binaries

_MOSAIC: Final = "scale=16:9:flags=area"
_ALIKE: Final = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
"""Numbers are compared: what is tagged otherwise would be converted first."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a good encode keeps within, frame by frame."""

    luma: float = 0.93
    """SSIM, at least."""
    chroma: float = 0.93
    mosaic_luma: float = 4.0
    """Mean square of the differences of mosaic stones, at most."""
    mosaic_chroma: float = 5.0


TONED: Final = Limits(luma=0.90, chroma=0.90, mosaic_luma=20.0, mosaic_chroma=30.0)
"""What is brought down from HDR: colours that neither can show are cut off differently."""


@dataclass(frozen=True)
class Likeness:
    """Of each frame: SSIM of the three planes, and mean square differences of the mosaics."""

    ssim: list[tuple[float, float, float]]
    mosaic: list[tuple[float, float, float]]

    def complaints(self, limits: Limits) -> Iterator[str]:
        for number, (luma, *chroma) in enumerate(self.ssim):
            if luma < limits.luma:
                yield f"frame {number} is unlike its reference (SSIM {luma:.2f})"
            elif min(chroma) < limits.chroma:
                yield f"frame {number} has other colours (SSIM {min(chroma):.2f})"
        for number, (luma, *chroma) in enumerate(self.mosaic):
            if luma > limits.mosaic_luma:
                yield f"frame {number} is brighter or darker ({luma:.1f})"
            if max(chroma) > limits.mosaic_chroma:
                yield f"frame {number} is of another colour ({max(chroma):.1f})"

    def nearer(self, wrong: Likeness) -> bool:
        """Whether this reference's colours fit clearly better than those of a wrong one: a dull
        picture in the wrong colours is within the limits, but fits the wrong ones better."""
        return self._off() < 0.9 * wrong._off()

    def _off(self) -> float:
        return sum(map(sum, self.mosaic)) / len(self.mosaic)

    @property
    def worst(self) -> tuple[float, float]:
        """The lowest SSIM of luma and of chroma."""
        return (
            min(luma for luma, _, _ in self.ssim),
            min(min(chroma) for _, *chroma in self.ssim),
        )


def measured(pairs: Sequence[tuple[Path, Path]]) -> list[Likeness]:
    """Of each pair of pictures of one size: frame n of one against frame n of the other."""
    inputs = sorted({path for pair in pairs for path in pair})
    uses = {path: [n for n, pair in enumerate(pairs) if path in pair] for path in inputs}
    graph, maps = [], []
    for number, path in enumerate(inputs):
        pads = "".join(f"[i{number}_{n}][j{number}_{n}]" for n in uses[path])
        ready = f"format=yuv420p,{_ALIKE},settb=1/1000,setpts=N"
        graph.append(f"[{number}:V:0]{ready},split={2 * len(uses[path])}{pads}")
    for number, pair in enumerate(pairs):
        one, other = (f"{inputs.index(path)}_{number}" for path in pair)
        graph.append(f"[i{one}][i{other}]ssim=shortest=1:stats_file=s{number}[x{number}]")
        graph.append(f"[j{one}]{_MOSAIC}[a{number}];[j{other}]{_MOSAIC}[b{number}]")
        graph.append(f"[a{number}][b{number}]psnr=shortest=1:stats_file=m{number}[y{number}]")
        maps += ["-map", f"[x{number}]", "-map", f"[y{number}]"]
    argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "error"]
    for path in inputs:
        argv += ["-i", str(path.resolve())]
    argv += ["-filter_complex", ";".join(graph), *maps, "-fps_mode", "passthrough", "-f", "null"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*argv, "-"], cwd=folder, check=True, capture_output=True)
        return [
            Likeness(
                _read(Path(folder) / f"s{number}", ("Y", "U", "V")),
                _read(Path(folder) / f"m{number}", ("mse_y", "mse_u", "mse_v")),
            )
            for number in range(len(pairs))
        ]


def _read(path: Path, names: tuple[str, str, str]) -> list[tuple[float, float, float]]:
    """`n:1 Y:0.98 U:0.99 …` a line."""
    found = []
    for line in path.read_text().splitlines():
        facts = dict(word.split(":") for word in line.split() if ":" in word)
        one, two, three = (float(facts[name]) for name in names)
        found.append((one, two, three))
    return found
