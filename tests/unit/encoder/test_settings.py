"""What the encoder reads from its environment, and a disk that is full."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.encoder.settings import Settings
from functions.ports import ByteRange
from tests import planned
from tests.fakes import MemoryStore
from tests.unit.encoder.world import World


def test_a_full_disk_is_unavailable(world: World) -> None:
    class Full(MemoryStore):
        def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
            raise OSError(28, os.strerror(28))

    store = Full()
    store.__dict__.update(world.store.__dict__)
    with pytest.raises(Unavailable):
        list(replace(world.encoder, store=store).task_ready(planned.ready("v0000")))


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.read(
        {
            "KINORA_STORE": "/data",
            "KINORA_STATE": "/data/state.sqlite",
            "KINORA_WORKER": "encoder-7",
            "KINORA_SCRATCH": str(tmp_path),
            "KINORA_ENCODER_THREADS": "2",
            "KINORA_ENCODER_WALL_S": "90",
        }
    )
    assert (settings.worker, settings.tuning.threads, settings.wall_s) == ("encoder-7", 2, 90)
    assert settings.scratch == tmp_path / "kinora-encoder"


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"KINORA_STORE": "/data"},
        {"KINORA_STORE": "a", "KINORA_STATE": "b", "KINORA_ENCODER_WALL_S": "soon"},
        {"KINORA_STORE": "a", "KINORA_STATE": "b", "KINORA_ENCODER_THREADS": "0"},
    ],
)
def test_wrong_settings_name_the_variable(env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="KINORA_"):
        Settings.read(env)
