"""The real encoder over a store in a folder, with the real ffmpeg or a program in its place."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from eventing.contract import Event, TaskCompleted
from functions.adapters import binaries
from functions.adapters.directory import DirectoryStore
from functions.encoder.handler import Encoder
from functions.jobs import layout, record
from functions.jobs.plan import Plan
from functions.jobs.receipt import Receipt
from functions.media.streams.join import join
from functions.media.streams.segment import Track
from tests import planned
from tests.fakes import MemoryState
from tests.planned import JOB

RENDITIONS = (planned.rendition("144p", 256, 144), planned.rendition("72p", 128, 72))


@dataclass
class World:
    store: DirectoryStore
    state: MemoryState
    scratch: Path
    encoder: Encoder

    def handle(self, task: str) -> Event:
        """The one event; nothing but it stays behind."""
        try:
            (event,) = self.encoder.task_ready(planned.ready(task))
            return event
        finally:
            assert not self.scratch.exists() or list(self.scratch.iterdir()) == []
            assert started_in(self.scratch) == []

    def encode(self, plan: Plan) -> dict[str, Track]:
        """Do every task, last first, and join what they left."""
        tracks: dict[str, list[Track]] = {}
        for task in reversed(plan.tasks):
            event = self.handle(task.id)
            assert isinstance(event, TaskCompleted), event
            receipt = record.load(self.store.get(layout.receipt(JOB, 1, task.id)), Receipt)
            for track in receipt.tracks:
                tracks.setdefault(track.rendition, []).append(track)
        frames = plan.timeline.frames if plan.timeline else None
        video = {each.name for each in plan.video}
        return {
            name: join(parts, frames=frames if name in video else None)
            for name, parts in tracks.items()
        }

    def file(self, track: Track, path: Path) -> Path:
        """Init and segments as one file."""
        keys = [track.init.key, *(segment.stored.key for segment in track.segments)]
        path.write_bytes(b"".join(self.store.get(key) for key in keys))
        return path


def started_in(folder: Path) -> list[psutil.Process]:
    """Living processes whose HOME is within the folder."""
    found = []
    for each in psutil.process_iter():
        try:
            home = each.environ().get("HOME", "")
            if home.startswith(str(folder)) and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found


def wrapped(world: World, tmp_path: Path, script: str, **settings: float) -> World:
    """The encoder with a program in ffmpeg's place; `$FFMPEG` is the real one."""
    program = tmp_path / "wrapper"
    program.write_text(f"#!/bin/sh\nFFMPEG={binaries.ffmpeg()}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    changed = replace(world.encoder.settings, **settings)  # type: ignore[arg-type]
    encoder = replace(world.encoder, ffmpeg=lambda: program, settings=changed)
    return replace(world, encoder=encoder)
