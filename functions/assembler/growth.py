"""Playable before finished: playlists grow with what is done of their rendition from its start.

A playlist is replaced only if it is still the one that was read, so whoever loses that race lost
nothing: the winner's prefix is at least as true, and the next task's end looks again.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from typing import Final, TypeGuard

from functions.assembler import early, whole
from functions.assembler.playlist import PLAYLIST_TYPE, current
from functions.assembler.receipts import Receipts
from functions.jobs import layout
from functions.jobs.plan import AudioTask, Part, Plan, Task, VideoTask
from functions.media.encoding.accelerator import GPU
from functions.media.encoding.rendition import Rendition, VideoRendition
from functions.media.streams import hls
from functions.media.streams.segment import Track
from functions.ports import ObjectStore

_log = logging.getLogger(__name__)

_LOOKS: Final = 50
"""About how often a rendition's playlist is looked at while it grows: with every task of a short
plan, with every n-th of a long one, so that what is written in all stays linear in its length."""


def grow(store: ObjectStore, plan: Plan, task: Task) -> bool:
    """Let the playlists of a completed task's renditions take in what is done without a gap.

    False if it was not the time to look at them. What does not fit together is left out here: the
    assembly finds it and says so.
    """
    if not isinstance(task, VideoTask | AudioTask):
        return False
    due = [each for each in _made_by(plan, task) if _is_due(plan, task, each)]
    if not due:
        return False
    receipts = Receipts(store, plan)
    try:
        for rendition in due:
            _grow_one(store, plan, receipts, rendition, task)
        early.offer(store, plan, receipts)
    except ValueError as error:
        _log.warning("playlists do not grow", extra={"facts": {"problem": str(error)}})
    return True


def _made_by(plan: Plan, part: Part) -> list[Rendition]:
    if isinstance(part, VideoTask):
        return [each for each in plan.video if each.name in part.renditions]
    return [each for each in plan.audio if each.name in part.renditions]


def _is_due(plan: Plan, part: Part, rendition: Rendition) -> bool:
    step = max(1, len(plan.parts_of(rendition.name)) // _LOOKS)
    return plan.place_of(part, rendition.name) % step == 0


def _grow_one(
    store: ObjectStore, plan: Plan, receipts: Receipts, rendition: Rendition, part: Part
) -> None:
    key = layout.media_playlist(plan.job, rendition.name)
    text, etag = current(store, key)
    if hls.ended(text):
        return
    if text and _may_move(rendition, plan) and not _is_of(receipts, part, rendition, text):
        # No playlist mixes what two encoders made.
        if rendition.accelerator == GPU:
            return  # the next generation has begun it, and this one's work was discarded
        # It begins anew. What a player has of the other one stays where it is.
        text = ""
    parts, length = plan.parts_of(rendition.name), hls.length(text)
    gained: list[Track] = []
    for each in parts[bisect_left(parts, length, key=plan.first_segment) :]:
        receipt = receipts.of(each)
        if receipt is None:
            break
        gained.append(whole.track_of(receipt, rendition.name))
    if gained:
        text = text or whole.opening(plan, rendition, gained[0])
        segments = [segment for track in gained for segment in hls.segments_of(track)]
        body = hls.grown(text, segments, ended=False).encode()
        store.put(key, body, content_type=PLAYLIST_TYPE, match=etag)


def _may_move(rendition: Rendition, plan: Plan) -> TypeGuard[VideoRendition]:
    """Whether some generation may have another encoder for it than another."""
    return isinstance(rendition, VideoRendition) and (
        plan.takes_over or rendition.accelerator == GPU
    )


def _is_of(receipts: Receipts, part: Part, rendition: Rendition, text: str) -> bool:
    """Whether the playlist's init segment is the one of this plan's rendition."""
    receipt = receipts.of(part)
    return receipt is None or hls.init_of(text) == hls.name_of(
        whole.track_of(receipt, rendition.name).init
    )
