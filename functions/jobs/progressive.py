"""One MP4 beside the streams: the generation that follows once every segment is there.

It follows from the plan before it alone, with one task more. All others are done and keep the
generation that asked for them first.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final

import msgspec

from functions.jobs import layout, record
from functions.jobs.manifest import Manifest
from functions.jobs.plan import PROGRESSIVE_TASK, Plan, ProgressiveTask
from functions.media.cutting import cost
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.ports import ObjectStore

LONG_MS: Final = 300_000
"""A copy estimated longer than this does not end within what a request may take."""


def lacks(plan: Plan, manifest: Manifest) -> bool:
    """True when the job asked for a file that the plan does not make yet."""
    return manifest.options.progressive and plan.kind == "encode" and not plan.makes_file


def settle(store: ObjectStore, plan: Plan) -> Plan:
    """Write the generation after `plan` unless others were faster; returns the one that counts."""
    ours = following(plan)
    return record.settle(store, layout.plan(ours.job, ours.generation), ours)


def following(plan: Plan) -> Plan:
    """The next generation: the file is due."""
    video, audio = largest(plan), first(plan)
    bits = Fraction(0)
    if video and plan.timeline:
        bits += video.maxrate_bps * plan.timeline.duration_s
    if audio:
        bits += audio.bitrate_bps * Fraction(audio.samples, audio.sample_rate)
    cost_ms = round(cost.remux_ms(int(bits / 8)))
    task = ProgressiveTask(
        id=PROGRESSIVE_TASK,
        video=video.name if video else "",
        audio=audio.name if audio else "",
        cost_ms=cost_ms,
        length="long" if cost_ms > LONG_MS else "short",
    )
    kept = (msgspec.structs.replace(each, since=plan.generation_of(each)) for each in plan.tasks)
    return replace(plan, generation=plan.generation + 1, tasks=(*kept, task), takes_over=True)


def largest(plan: Plan) -> VideoRendition | None:
    """The rung with most pixels."""
    return max(plan.video, key=lambda each: each.width * each.height, default=None)


def first(plan: Plan) -> AudioRendition | None:
    """The sound that a player takes which can choose none."""
    return plan.audio[0] if plan.audio else None
