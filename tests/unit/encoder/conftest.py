"""What tests of the encoder share: a clip, what is made of it, an encoder that may do so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eventing.contract import TaskCompleted
from functions.adapters import process
from functions.media.encoding import argv as words
from functions.ports import Finished, Limits
from tests import planned
from tests.clips import ffmpeg
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.unit.encoder.world import LEASE, RENDITION, Program, World, an_encoder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second, one segment."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)),
    )
    return path


@pytest.fixture(scope="module")
def encoded(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ffmpeg makes of the clip's one chunk."""
    folder = tmp_path_factory.mktemp("encoded")
    kept: list[bytes] = []

    def run(
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        finished = process.run(argv, limits=limits, cwd=cwd, on_progress=on_progress)
        kept.append((cwd / words.output(0)).read_bytes())
        return finished

    store = MemoryStore()
    planned.plan(store, clip, renditions=[RENDITION])
    encoder = replace(
        an_encoder(store, MemoryState(), Program(b""), ManualClock(), folder), process=run
    )
    assert [type(event) for event in encoder.task_ready(planned.ready("v0000"))] == [TaskCompleted]
    return kept[0]


@pytest.fixture
def world(clip: Path, encoded: bytes, tmp_path: Path) -> Iterator[World]:
    clock = ManualClock()
    store, state = MemoryStore(clock=clock), MemoryState(clock=clock)
    planned.plan(store, clip, renditions=[RENDITION])
    program = Program(encoded)
    folder = tmp_path / "scratch"
    made = World(
        store, state, clock, program, folder, an_encoder(store, state, program, clock, folder)
    )
    yield made
    assert not state.held(LEASE)
