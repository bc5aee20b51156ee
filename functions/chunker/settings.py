"""What the chunker reads from its environment."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.jobs.admission import Window
from functions.media import guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name in leases."""
    scratch: Path
    """KINORA_SCRATCH: folder for the local copy of a source's headers (of the whole source where
    it has no index). Default: the system's temporary folder."""
    encoders: int
    """KINORA_ENCODERS: encoders that work at the same time; chunks are sized for them."""
    window: Window
    """KINORA_ENCODER_SLOTS, KINORA_SLOT_TTL_S."""
    bounds: guard.Bounds
    """KINORA_MAX_PIXELS of a source's picture, KINORA_MAX_FRAMES of an output."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError for what is missing, ValueError for what is wrong."""
        return cls(
            store=env["KINORA_STORE"],
            state=env["KINORA_STATE"],
            worker=env.get("KINORA_WORKER") or f"{socket.gethostname()}-{os.getpid()}",
            scratch=Path(env.get("KINORA_SCRATCH") or tempfile.gettempdir()) / "kinora-chunker",
            encoders=_positive(env, "KINORA_ENCODERS", 1),
            window=Window.read(env),
            bounds=guard.Bounds(
                pixels=_positive(env, "KINORA_MAX_PIXELS", guard.MAX_PIXELS),
                frames=_positive(env, "KINORA_MAX_FRAMES", guard.MAX_FRAMES),
            ),
        )


def _positive(env: Mapping[str, str], name: str, default: int) -> int:
    value = int(env.get(name) or default)
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return value
