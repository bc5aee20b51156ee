"""`make campaign`: hundreds of seeded runs, a line each; the first failure keeps its site.

    python -m tests.e2e.campaign [--kills 300] [--outages 20] [--fuzz 3000]
        [--only NAME …] [--seed 0]

NAME is `kills`, `fuzz` or a scenario of outages; without any it is all of them. A seed of `fuzz`
is the number of a damaged file; one that ends wrongly is kept.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tests.corpus import fuzz
from tests.corpus.kitchen import kitchen
from tests.e2e import kills, outages, place

KILLS: Final = "kills"
FUZZ: Final = "fuzz"
_Run = Callable[[int], str]
"""One seeded run; says what happened."""


@contextmanager
def killing(directory: Path) -> Iterator[dict[str, _Run]]:
    clip = directory / "clip.mp4"
    kills.make_clip(clip)
    site = kills.Site(directory)
    site.start()
    try:
        yield {KILLS: lambda seed: kills.run_one(site, clip, seed)}
    finally:
        site.stop()


@contextmanager
def damaging(directory: Path) -> Iterator[dict[str, _Run]]:
    """Two thirds of the files are real ones. Both kinds are numbered on their own: no file is
    damaged twice in the same way."""
    with kitchen(directory) as found:
        films, files = fuzz.made(found.bases), fuzz.real(directory)

        def one(seed: int) -> str:
            return fuzz.run(films if seed % 3 == 0 else files, seed, directory)

        yield {FUZZ: one}


@contextmanager
def breaking(directory: Path, names: list[str]) -> Iterator[dict[str, _Run]]:
    with place.place(directory) as found:

        def one(name: str, seed: int) -> str:
            return outages.SCENARIOS[name](found, random.Random(seed))

        yield {name: partial(one, name) for name in names}


def run(found: dict[str, _Run], runs: int, first: int) -> int:
    done = 0
    for name, one in found.items():
        for seed in range(first, first + runs):
            started_s = time.monotonic()
            told = one(seed)
            done += 1
            sys.stdout.write(
                f"{name} {seed}: {told}: right, {time.monotonic() - started_s:.0f} s\n"
            )
            sys.stdout.flush()
        # With 0 failures of n runs the failure rate is below 3/n at 95 % confidence.
        sys.stdout.write(f"{name}: {runs} runs right\n")
    return done


def main() -> int:
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    names = [KILLS, FUZZ, *outages.SCENARIOS]
    parser.add_argument("--kills", type=int, default=300, help="runs of kills")
    parser.add_argument("--outages", type=int, default=20, help="runs of each other scenario")
    parser.add_argument("--fuzz", type=int, default=3000, help="damaged files")
    parser.add_argument("--only", action="append", choices=names, help="not all of them")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    chosen = parser.parse_args()
    wanted = chosen.only or names
    others = [name for name in outages.SCENARIOS if name in wanted]
    directory = Path(tempfile.mkdtemp(prefix="kinora-campaign-"))
    done = 0
    try:
        if KILLS in wanted:
            (directory / KILLS).mkdir()
            with killing(directory / KILLS) as found:
                done += run(found, chosen.kills, chosen.seed)
        if FUZZ in wanted:
            (directory / FUZZ).mkdir()
            with damaging(directory / FUZZ) as found:
                done += run(found, chosen.fuzz, chosen.seed)
        if others:
            (directory / "outages").mkdir()
            with breaking(directory / "outages", others) as found:
                done += run(found, chosen.outages, chosen.seed)
    finally:
        sys.stdout.write(f"{done} runs right; site kept in {directory}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
