"""Playable before finished: playlists grow with what is done of their rendition from its start.

A playlist is replaced only if it is still the one that was read, so whoever loses that race lost
nothing: the winner's prefix is at least as true, and the next task's end looks again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, TypeGuard

from functions.assembler import whole
from functions.jobs import layout, record
from functions.jobs.plan import AudioTask, Plan, VideoTask
from functions.jobs.receipt import Receipt
from functions.media.encoding.accelerator import GPU
from functions.media.encoding.rendition import AudioRendition, Rendition, VideoRendition
from functions.media.streams import hls
from functions.media.streams.segment import Track
from functions.ports import Absent, ObjectStore

_log = logging.getLogger(__name__)

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"

_LOOKS: Final = 50
"""About how often a rendition's playlist is looked at while it grows: with every task of a short
plan, with every n-th of a long one, so that what is written in all stays linear in its length."""


def grow(store: ObjectStore, plan: Plan, task_id: str) -> bool:
    """Let the playlists of a completed task's renditions take in what is done without a gap.

    False if it was not the time to look at them. What does not fit together is left out here: the
    assembly finds it and says so.
    """
    try:
        looked = [_grow_one(store, plan, each, task_id) for each in _made_by(plan, task_id)]
        early = layout.media(plan.job, layout.EARLY_MASTER)
        if any(looked) and store.head(early) is None:
            _begin(store, plan, early)
        return any(looked)
    except ValueError as error:
        _log.warning("playlists do not grow", extra={"facts": {"problem": str(error)}})
        return True


def current(store: ObjectStore, key: str) -> tuple[str, str]:
    """The playlist's text and an etag to replace it by, both "" where there is none.

    When others write in between, the etag is that of the older text: the replacement fails.
    """
    info = store.head(key)
    if info is None:
        return "", ""
    try:
        return store.get(key).decode(), info.etag
    except Absent:  # the job was called off in this moment
        return "", ""


def _made_by(plan: Plan, task_id: str) -> list[Rendition]:
    match plan.task(task_id):
        case VideoTask(renditions=names):
            return [each for each in plan.video if each.name in names]
        case AudioTask(rendition=name):
            return [each for each in plan.audio if each.name == name]
        case _:
            return []


def _grow_one(store: ObjectStore, plan: Plan, rendition: Rendition, task_id: str) -> bool:
    """False if this task was not one to look at the playlist for."""
    tasks = whole.tasks_of(plan, rendition.name)
    place = [task.id for task in tasks].index(task_id)
    if place % max(1, len(tasks) // _LOOKS):
        return False
    key = layout.media_playlist(plan.job, rendition.name)
    text, etag = current(store, key)
    if hls.ended(text):
        return True
    if text and _may_move(rendition, plan) and not _is_of(store, plan, task_id, rendition, text):
        # No playlist mixes what two encoders made.
        if rendition.accelerator == GPU:
            return True  # the next generation has begun it, and this one's work was discarded
        # It begins anew. What a player has of the other one stays where it is.
        text = ""
    length = hls.length(text)
    gained: list[Track] = []
    for task in tasks:
        if whole.first_segment(plan, task) < length:
            continue
        receipt = _receipt(store, plan, task.id)
        if receipt is None:
            break
        gained.append(whole.track_of(receipt, rendition.name))
    if gained:
        text = text or whole.opening(plan, rendition, gained[0])
        segments = [segment for track in gained for segment in hls.segments_of(track)]
        body = hls.grown(text, segments, ended=False).encode()
        store.put(key, body, content_type=PLAYLIST_TYPE, match=etag)
    return True


def _may_move(rendition: Rendition, plan: Plan) -> TypeGuard[VideoRendition]:
    """Whether some generation may have another encoder for it than another."""
    return isinstance(rendition, VideoRendition) and (
        plan.takes_over or rendition.accelerator == GPU
    )


def _is_of(store: ObjectStore, plan: Plan, task_id: str, rendition: Rendition, text: str) -> bool:
    """Whether the playlist's init segment is the one of this plan's rendition."""
    receipt = _receipt(store, plan, task_id)
    return receipt is None or hls.init_of(text) == hls.name_of(
        whole.track_of(receipt, rendition.name).init
    )


def _begin(store: ObjectStore, plan: Plan, key: str) -> None:
    """Write the early multivariant playlist if every rendition has begun."""
    video: list[tuple[VideoRendition, Track]] = []
    audio: list[tuple[AudioRendition, Track]] = []
    for rendition in whole.renditions_of(plan):
        receipt = _receipt(store, plan, whole.tasks_of(plan, rendition.name)[0].id)
        playlist = layout.media_playlist(plan.job, rendition.name)
        if receipt is None or store.head(playlist) is None:
            return
        track = whole.track_of(receipt, rendition.name)
        if isinstance(rendition, VideoRendition):
            video.append((rendition, track))
        else:
            audio.append((rendition, track))
    store.create(key, multivariant(plan, video, audio, declared=True), content_type=PLAYLIST_TYPE)


def multivariant(
    plan: Plan,
    video: Sequence[tuple[VideoRendition, Track]],
    audio: Sequence[tuple[AudioRendition, Track]],
    *,
    declared: bool,
) -> bytes:
    """The HLS multivariant playlist; `declared` while the bit rates are not known yet."""
    timeline = plan.timeline if video else None
    if timeline is not None:
        durations = [timeline.longest_segment_s]
    else:
        durations = [seconds for _, track in audio for _, seconds in hls.segments_of(track)]
    return hls.master(
        video,
        audio,
        rate=timeline.rate if timeline else None,
        target_duration_s=hls.target_duration_s(durations),
        declared=declared,
    ).encode()


def _receipt(store: ObjectStore, plan: Plan, task_id: str) -> Receipt | None:
    generation = plan.generation_of(plan.task(task_id))
    return record.read(store, layout.receipt(plan.job, generation, task_id), Receipt)
