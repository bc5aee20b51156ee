"""What tests of the real encoder share."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from tests.fakes import MemoryState
from tests.integration.encoder.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    store = DirectoryStore(tmp_path / "store", durable=False)
    state = MemoryState()
    folder = tmp_path / "scratch"
    encoder = Encoder(
        store=store,
        state=state,
        process=process.run,
        clock=time.time,
        settings=Settings(store="", state="", worker="worker-1", scratch=folder),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: False,
        scratch=scratch.folder,
    )
    return World(store, state, folder, encoder)
