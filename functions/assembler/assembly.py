"""The last step: final playlists, manifests and report of a job whose tasks are all done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from eventing.errors import Unavailable
from functions.assembler import early, report, whole
from functions.assembler.playlist import PLAYLIST_TYPE, current
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan, Task
from functions.jobs.receipt import Receipt
from functions.media.encoding.rendition import Rendition
from functions.media.streams import dash, hls
from functions.media.streams.segment import Track
from functions.ports import ObjectStore

_RACES: Final = 5
"""Lost against playlists that still grow, before the broker is asked to try again."""


def assemble(
    store: ObjectStore,
    manifest: Manifest,
    plan: Plan,
    receipts: Mapping[str, Receipt],
    *,
    earlier: Sequence[tuple[Task, Receipt]] = (),
) -> None:
    """Write everything that a completed job has besides its segments.

    `earlier` are the tasks of the plans before this one, for the report.
    Raises ValueError, naming the broken rule, when the parts do not make a whole.
    """
    complete = whole.put_together(plan, receipts)
    for rendition, track in complete.tracks:
        _end_playlist(store, plan, rendition, track)
    timeline = plan.timeline if plan.video else None
    mpd = dash.manifest(
        complete.video,
        complete.audio,
        rate=timeline.rate if timeline else None,
        duration_s=timeline.duration_s
        if timeline
        else max(Fraction(sound.samples, sound.sample_rate) for sound in plan.audio),
    )
    job = plan.job
    told = report.write(manifest, plan, receipts, complete, earlier=earlier)
    store.create(
        layout.media(job, layout.MANIFEST), mpd.encode(), content_type="application/dash+xml"
    )
    record.create(store, layout.media(job, layout.REPORT), told)
    store.create(
        layout.media(job, layout.MASTER),
        early.multivariant(plan, complete.video, complete.audio, declared=False),
        content_type=PLAYLIST_TYPE,
    )


def _end_playlist(store: ObjectStore, plan: Plan, rendition: Rendition, track: Track) -> None:
    key = layout.media_playlist(plan.job, rendition.name)
    empty = whole.opening(plan, rendition, track)
    body = hls.grown(empty, hls.segments_of(track), ended=True).encode()
    for _ in range(_RACES):
        text, etag = current(store, key)
        if hls.ended(text) or store.put(key, body, content_type=PLAYLIST_TYPE, match=etag):
            return
    raise Unavailable(f"{key} is being written by others")
