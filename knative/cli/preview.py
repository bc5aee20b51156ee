"""A plan for a file as it lies there, drawn as the chunker would, with nothing running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from functions.jobs.manifest import Manifest
    from functions.jobs.plan import Plan
    from functions.media.cutting.rates import Rates
    from functions.planning.forecast import Expected, Outcome
    from functions.planning.survey import Survey
    from functions.planning.surveyor import Surveyor

GPU_ENCODERS: Final = 1
"""A plan for a GPU is drawn as if one were there."""
INDEXED: Final = "as if it were remuxed"
"""Stands for the index that the remuxed source would have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a file would become."""

    size_bytes: int
    codec: str
    """Of its pictures, "" without any."""
    width: int
    height: int
    """Of its pictures as they are shown."""
    remux: Plan | None
    """What comes first where the file does not say where its pictures lie."""
    plan: Plan | None
    """For the number of encoders that was asked for; None where it only shows after the remux."""
    tasks: Sequence[Expected]
    """Of both plans, in order."""
    outcomes: Sequence[Outcome]
    """None where the plan only shows after the remux."""


def look(
    source: Path,
    folder: Path,
    *,
    options: Mapping[str, object],
    encoders: int,
    also: Sequence[int],
    rates: Rates,
) -> Outlook:
    """What the file would become with so many encoders, and how long it takes with `also` so many.

    `folder` is an empty one that nothing else uses. Raises Rejected for a file that would be
    refused, Complaint for settings in the environment that are of no use.
    """
    import os
    import time
    from functools import partial

    from functions.adapters import binaries, connect, process, scratch
    from functions.jobs import layout
    from functions.jobs.acceptance import Settings
    from functions.jobs.manifest import Manifest, SourceObject
    from functions.jobs.plan import Fingerprint
    from functions.media.source import guard
    from functions.planning.drawing import Setting, draw
    from functions.planning.forecast import expected, outcome
    from functions.planning.surveyor import Surveyor
    from knative.cli import throwaway
    from knative.cli.complaint import Complaint

    store = connect.object_store(f"{folder.as_uri()}?durable=0&links=1")
    address = f"{layout.UPLOADS}/{throwaway.TENANT}/{throwaway.name_of(source)}"
    throwaway.stage(source, folder / address)
    info = store.head(address)
    assert info is not None
    found = SourceObject.of(info)
    try:
        settings, bounds = Settings.read(os.environ), guard.Bounds.read(os.environ)
    except ValueError as error:
        raise Complaint(f"{error}.") from None
    chosen, profile = settings.over(store).judge(found, asked=options)
    manifest = Manifest(
        job="", tenant=throwaway.TENANT, source=found, options=chosen, profile=profile,
        accepted_s=time.time(),
    )  # fmt: skip
    surveyor = Surveyor(
        store=store,
        process=process.run,
        ffprobe=binaries.ffprobe,
        ffmpeg=binaries.ffmpeg,
        scratch=partial(scratch.folder, folder / "scratch"),
    )
    survey = surveyor.original(found, lambda: None)
    setting = Setting(
        # A plan that nobody carries out needs no encoder.
        encoder=Fingerprint(version="", sha256=""),
        workers=encoders,
        gpu_workers=GPU_ENCODERS,
        bounds=bounds,
        rates=rates,
    )
    remux = None
    if not survey.prepared:
        remux = draw(manifest, 1, survey, setting)
        throwaway.stage(source, folder / layout.mezzanine(found.digest))
        survey = _remuxed(surveyor, manifest) or survey
    plan = draw(manifest, 2 if remux else 1, survey, setting) if survey.prepared else None
    before = expected(remux, {}) if remux else []
    after = file_of(plan, manifest) if plan else []
    outcomes = []
    for count in also if plan else ():
        planned = draw(manifest, 1, survey, replace(setting, workers=count))
        film = expected(planned, survey.tables)
        outcomes.append(outcome(before, film, after, encoders=count, gpu_encoders=GPU_ENCODERS))
    video = survey.media.video[0] if survey.media.video else None
    if plan is not None:
        video = next((each for each in survey.media.video if each.index == plan.video_track), None)
    return Outlook(
        size_bytes=found.size_bytes,
        codec=video.codec if video else "",
        width=int(video.display_width) if video else 0,
        height=int(video.display_height) if video else 0,
        remux=remux,
        plan=plan,
        tasks=[*before, *(expected(plan, survey.tables) if plan else []), *after],
        outcomes=outcomes,
    )


def file_of(plan: Plan, manifest: Manifest) -> list[Expected]:
    """What comes last where one MP4 was asked for besides."""
    from functions.jobs import progressive
    from functions.planning.forecast import Expected

    if not progressive.lacks(plan, manifest):
        return []
    return [Expected(task=progressive.following(plan).tasks[-1], read_bytes=0)]


def _remuxed(surveyor: Surveyor, manifest: Manifest) -> Survey | None:
    """What would be found in the remuxed source, by a look at the source itself; None where that
    does not tell."""
    from eventing.errors import Rejected

    try:
        survey = surveyor.mezzanine(manifest.source, lambda: None)
    except Rejected:
        return None
    tables = [survey.tables.get(video.index) for video in survey.media.video]
    if any(table is not None and not table.complete for table in tables):
        # AVI lists pictures without their times: the remux gives them some.
        return None
    return replace(survey, index=INDEXED)
