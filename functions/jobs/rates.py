"""`work/rates.json`: what jobs found work to cost; read by whoever plans, voted on by what is done.

It only makes estimates better: a record that is missing, odd or out of reach means the built-in
rates, and a vote that cannot be cast is lost.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from eventing.errors import Unavailable
from functions.jobs import layout, record, swap
from functions.jobs.plan import AudioTask, MezzanineTask, Plan, Task, VideoTask
from functions.jobs.receipt import Receipt
from functions.media.cutting.cost import Basis, encoding
from functions.media.cutting.rates import Rates, learn
from functions.media.encoding.accelerator import CPU
from functions.ports import ObjectStore

LEAST_ENCODE_MS = 3_000
"""Of estimated work in all: less is told by how long a program takes to start."""
LEAST_SOUND_S = 20
LEAST_REMUX_BYTES = 20_000_000

_log = logging.getLogger(__name__)


def read(store: ObjectStore) -> Rates:
    """What counts now."""
    try:
        return record.read(store, layout.RATES, Rates) or Rates()
    except (ValueError, Unavailable) as error:
        _log.warning("rates are not read: %s", error)
        return Rates()


def vote(store: ObjectStore, plan: Plan, done: Sequence[tuple[Task, Receipt]]) -> None:
    """Let a job vote whose tasks are done, those of earlier generations among them. Doing it twice
    is harmless."""
    found = dict(votes(plan, done))
    if not found:
        return
    first = learn(Rates(), plan.job, found)
    try:
        if swap.change(store, layout.RATES, Rates, lambda old: learn(old, plan.job, found)) is None:
            record.create(store, layout.RATES, first)
    except ValueError as error:
        _log.warning("rates are learned anew: %s", error)
        store.put(layout.RATES, record.dump(first), content_type=record.JSON)
    except Unavailable as error:
        _log.warning("rates are not learned: %s", error.reason)


def votes(plan: Plan, done: Sequence[tuple[Task, Receipt]]) -> Iterator[tuple[str, float]]:
    """What the job's tasks took, as rates."""
    chunks = [
        _Chunk.of(plan, task, receipt)
        for task, receipt in done
        if isinstance(task, VideoTask) and task.accelerator == CPU
    ]
    yield from _of_pictures(plan.basis, [chunk for chunk in chunks if chunk.pixels])
    sounds = [
        receipt.cpu_ms / float(sum(each * track.channels for each, track in heard))
        for task, receipt in done
        if isinstance(task, AudioTask)
        and (
            heard := [
                (Fraction(track.samples, track.sample_rate), track)
                for track in plan.audio
                if track.name in task.renditions
            ]
        )
        and min(seconds for seconds, _ in heard) >= LEAST_SOUND_S
    ]
    if sounds:
        yield "sound", statistics.median(sounds)
    for task, receipt in done:
        # The copy is about as large as what it is of.
        if isinstance(task, MezzanineTask) and plan.source.size_bytes >= LEAST_REMUX_BYTES:
            took_ms = (receipt.finished_s - receipt.started_s) * 1000
            yield "remux", took_ms / plan.source.size_bytes * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """A task of pictures that is done."""

    start: int
    frames: int
    preset: str
    """The rate that its encoders went by."""
    rungs: int
    pixels: int
    """Of a frame in all renditions; 0 where the plan has them encoded otherwise."""
    cpu_ms: int
    estimated_ms: int

    @classmethod
    def of(cls, plan: Plan, task: VideoTask, receipt: Receipt) -> _Chunk:
        made = [
            each for each in plan.video if each.name in task.renditions and each.accelerator == CPU
        ]
        return cls(
            start=task.start,
            frames=task.stop - task.start,
            preset=encoding(made[0]) if made else "",
            rungs=len(made),
            pixels=sum(each.width * each.height for each in made),
            cpu_ms=receipt.cpu_ms,
            estimated_ms=task.cost_ms,
        )


def _of_pictures(basis: Basis, chunks: Sequence[_Chunk]) -> Iterator[tuple[str, float]]:
    rates = {name: rate.value for name, rate in basis.rates.items()}
    decode = f"decode/{basis.codec}"
    if sum(chunk.estimated_ms for chunk in chunks) < LEAST_ENCODE_MS or not (
        {"start", "scale", decode, chunks[0].preset, *basis.treatments} <= rates.keys()
    ):
        return
    source_ns = basis.source_share * (rates[decode] + sum(map(rates.__getitem__, basis.treatments)))
    ratios = []
    for chunk in chunks:
        of_encoder = chunk.pixels * rates[chunk.preset]
        of_source = basis.pixels * (source_ns + chunk.rungs * rates["scale"])
        estimated_ms = max(1.0, chunk.estimated_ms - rates["start"])
        encoder_ms = estimated_ms * of_encoder / (of_encoder + of_source)
        ratios.append((chunk.cpu_ms - (estimated_ms - encoder_ms)) / encoder_ms)
    yield chunks[0].preset, rates[chunks[0].preset] * statistics.median(ratios)
    if not basis.treatments:
        yield from ((decode, ns) for ns in _decode_ns(basis, chunks, rates["scale"]))


def _decode_ns(basis: Basis, chunks: Sequence[_Chunk], scale_ns: float) -> Iterator[float]:
    """Where the same frames were encoded in few pixels and in many, decoding is what is the same:
    the first chunk's lowest rung, and the rest of it."""
    first = min(chunk.start for chunk in chunks)
    of_first = sorted((c for c in chunks if c.start == first), key=lambda chunk: chunk.pixels)
    if len(of_first) == 2 and of_first[0].pixels < of_first[1].pixels:
        low, rest = of_first
        low_ns, rest_ns = (
            chunk.cpu_ms * 1e6 / chunk.frames - chunk.rungs * basis.pixels * scale_ns
            for chunk in of_first
        )
        encode_ns = (rest_ns - low_ns) / (rest.pixels - low.pixels)
        yield (low_ns - encode_ns * low.pixels) / (basis.pixels * basis.source_share)
