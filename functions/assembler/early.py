"""The multivariant playlist of a job that is still being encoded: what plays of it by now.

It appears with the lowest rung and the first sound, so that somebody can watch, and is replaced
whenever another rendition has begun. Media playlists only grow, so a player that has an older one
goes on with what it knows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from functions.assembler import whole
from functions.assembler.playlist import PLAYLIST_TYPE, current
from functions.assembler.receipts import Receipts
from functions.jobs import layout
from functions.jobs.plan import Plan
from functions.media.encoding.rendition import AudioRendition, Rendition, VideoRendition
from functions.media.streams import hls
from functions.media.streams.segment import Track
from functions.ports import ObjectStore

_RACES: Final = 5
"""Lost against others that write it. The next rendition that begins looks again, and the final
one names all."""

Video = Sequence[tuple[VideoRendition, Track]]
Audio = Sequence[tuple[AudioRendition, Track]]


def offer(store: ObjectStore, plan: Plan, receipts: Receipts) -> None:
    """Write the playlist, if it plays and says more than the one that is there."""
    key = layout.media(plan.job, layout.EARLY_MASTER)
    for _ in range(_RACES):
        text, etag = current(store, key)
        named = hls.playlists_of(text)
        if len(named) == len(plan.video) + len(plan.audio) and not _may_change(plan):
            return
        begun = {each.name: track for each, track in _begun(store, plan, receipts)}
        video = [(each, begun[each.name]) for each in plan.video if each.name in begun]
        audio = [(each, begun[each.name]) for each in plan.audio if each.name in begun]
        if not _plays(plan, begun.keys()):
            return
        body = multivariant(plan, video, audio, declared=True)
        ours = body.decode()
        if ours == text or not named <= hls.playlists_of(ours):
            return
        if store.put(key, body, content_type=PLAYLIST_TYPE, match=etag):
            return


def _may_change(plan: Plan) -> bool:
    """A rendition may begin anew, with other codecs."""
    return plan.takes_over and not plan.makes_file


def _begun(store: ObjectStore, plan: Plan, receipts: Receipts) -> list[tuple[Rendition, Track]]:
    found: list[tuple[Rendition, Track]] = []
    for rendition in whole.renditions_of(plan):
        receipt = receipts.of(plan.parts_of(rendition.name)[0])
        playlist = layout.media_playlist(plan.job, rendition.name)
        if receipt is not None and store.head(playlist) is not None:
            found.append((rendition, whole.track_of(receipt, rendition.name)))
    return found


def _plays(plan: Plan, begun: Collection[str]) -> bool:
    """Whether there is something to see and to hear, where the job has both."""
    lowest = min(plan.video, key=lambda each: each.width * each.height, default=None)
    needed = [each.name for each in (lowest, *plan.audio[:1]) if each is not None]
    return all(name in begun for name in needed)


def multivariant(plan: Plan, video: Video, audio: Audio, *, declared: bool) -> bytes:
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
