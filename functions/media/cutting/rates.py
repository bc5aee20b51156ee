"""Rates: what a pixel, a second of sound or the start of a task costs, built in or learned.

Every job that is assembled votes on the rates that it went by. A rate is learned once enough jobs
voted, and is the median of the latest votes: one odd job, a throttled machine for an hour or a
source unlike all others moves it by no more than to a neighbour.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

BUILT_IN: Final[Mapping[str, float]] = {
    "start": 250.0,
    "start/gpu": 500.0,
    "decode/h264": 3.0,
    "decode/hevc": 3.4,
    "decode/av1": 1.4,
    "decode/vp9": 3.2,
    "decode/vp8": 2.5,
    "decode/mpeg2video": 0.9,
    "decode/mpeg4": 0.95,
    "decode/mjpeg": 2.4,
    "decode/prores": 6.0,
    "decode/dnxhd": 4.5,
    "decode/ffv1": 22.0,
    "decode/theora": 2.2,
    "scale": 0.6,
    "deinterlace": 0.8,
    "tonemap": 14.0,
    "encode/ultrafast": 7.4,
    "encode/superfast": 12.0,
    "encode/veryfast": 18.0,
    "encode/faster": 28.0,
    "encode/fast": 36.0,
    "encode/medium": 45.0,
    "encode/slow": 65.0,
    "encode/slower": 115.0,
    "encode/veryslow": 250.0,
    "encode/gpu": 2.0,
    "sound": 7.0,
    "remux": 8.0,
}
"""`start` in milliseconds a task (fetching, starting ffmpeg, storing; on a GPU that much more),
`sound` in milliseconds a second and channel, `remux` in milliseconds a megabyte, all others in
nanoseconds a pixel: `decode`, `scale`, `deinterlace` and `tonemap` of the source, `encode` of the
rendition.

Measured with ffmpeg 9.0 on one thread of a 2026 cloud core: 60 pictures of 720p film in each
codec, 132 of them scaled, and encoded with each preset; 40 s of sound in stereo and in 5.1
(7.3 and 5.0 a channel, and 4.3 a second for decoding). `encode/gpu` is assumed, not measured: one
engine of a data-centre GPU, 240 pictures of 1080p a second with a middle preset.
"""
LIKE: Final[Mapping[str, str]] = {"decode": "decode/h264", "encode": "encode/medium"}
"""What stands for a codec or a preset that has no rate."""
OF_THE_CORE: Final = ("decode/", "encode/", "sound")
"""Rates that are all higher on a slower core."""

LEAST_VOTES: Final = 3
"""From here on a rate is learned."""
KEPT_VOTES: Final = 15
"""Of each rate, the latest."""
MOST: Final = 8.0
"""How far a vote may be from what is built in, as a factor: beyond it something else went on."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one job found a rate to be."""

    job: str
    value: float


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate, and of how many jobs it was learned: 0 where it is built in."""

    value: float
    jobs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """All that jobs voted, by rate, the latest last."""

    votes: Mapping[str, tuple[Vote, ...]] = field(default_factory=dict)

    def of(self, name: str) -> Rate:
        """What counts now. What nobody voted on goes by how fast the core was in all else."""
        if found := self._learned(name):
            return found
        built_in = _built_in(name)
        return Rate(built_in * self._slowness if name.startswith(OF_THE_CORE) else built_in)

    def _learned(self, name: str) -> Rate | None:
        values = [v.value for v in self.votes.get(name, ()) if _is_plausible(name, v.value)]
        return Rate(statistics.median(values), len(values)) if len(values) >= LEAST_VOTES else None

    @property
    def _slowness(self) -> float:
        """Of the cores here: how much longer they take than what was measured on."""
        ratios = [
            found.value / _built_in(name)
            for name in self.votes
            if name.startswith(OF_THE_CORE) and (found := self._learned(name))
        ]
        return statistics.median(ratios) if ratios else 1.0


def learn(rates: Rates, job: str, found: Mapping[str, float]) -> Rates:
    """Let a job vote. A job votes once: what it says again changes nothing."""
    votes = dict(rates.votes)
    for name, value in sorted(found.items()):
        before = votes.get(name, ())
        if any(vote.job == job for vote in before):
            continue
        if _is_plausible(name, value):
            votes[name] = (*before, Vote(job, float(f"{value:.4g}")))[-KEPT_VOTES:]
    return replace(rates, votes=votes)


def _is_plausible(name: str, value: float) -> bool:
    """False also of what is no rate, as a record may have it that others wrote."""
    try:
        built_in = _built_in(name)
    except KeyError:
        return False
    return built_in / MOST <= value <= built_in * MOST


def _built_in(name: str) -> float:
    """Raises KeyError for what is no rate."""
    found = BUILT_IN.get(name)
    return BUILT_IN[LIKE[name.partition("/")[0]]] if found is None else found
