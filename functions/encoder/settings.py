"""What an operator may set for the encoder, from the environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from functions.media.recipe import Tuning


@dataclass(frozen=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name in receipts and leases."""
    scratch: Path
    """KINORA_SCRATCH: folder for the local copy of a chunk and its output; a source that has to
    be fetched whole needs its size three times. Default: the system's temporary folder."""
    tuning: Tuning = field(default_factory=Tuning)
    """KINORA_ENCODER_THREADS, of each video encoder (default 1: threads within an encoder cost
    CPU, and the renditions of a chunk are encoded side by side anyway)."""
    memory_bytes: int = 4 << 30
    """KINORA_ENCODER_MEMORY_BYTES: address space of ffmpeg. Threads reserve far more than they
    use; a 4K chunk with five renditions stays below 3 GiB."""
    wall_s: float = 540.0
    """KINORA_ENCODER_WALL_S: longest attempt. Less than the revision's timeout of 600 s, so that
    the answer is ours."""
    stall_s: float = 60.0
    """KINORA_ENCODER_STALL_S: ffmpeg without progress and idle for this long is ended."""
    lease_ttl_s: float = 30.0
    """KINORA_ENCODER_LEASE_S: how long the task of a worker that died stays taken. It is renewed
    each third of that."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or no number."""
        for name in ("KINORA_STORE", "KINORA_STATE"):
            if not env.get(name):
                raise ValueError(f"{name} is not set")
        scratch = env.get("KINORA_SCRATCH") or env.get("TMPDIR") or "/tmp"
        return cls(
            store=env["KINORA_STORE"],
            state=env["KINORA_STATE"],
            worker=env.get("KINORA_WORKER") or f"{socket.gethostname()}-{os.getpid()}",
            scratch=Path(scratch) / "kinora-encoder",
            tuning=Tuning(threads=int(_number(env, "KINORA_ENCODER_THREADS", 1))),
            memory_bytes=int(_number(env, "KINORA_ENCODER_MEMORY_BYTES", cls.memory_bytes)),
            wall_s=_number(env, "KINORA_ENCODER_WALL_S", cls.wall_s),
            stall_s=_number(env, "KINORA_ENCODER_STALL_S", cls.stall_s),
            lease_ttl_s=_number(env, "KINORA_ENCODER_LEASE_S", cls.lease_ttl_s),
        )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not value > 0:
        raise ValueError(f"{name} must be a number above 0, not {text!r}")
    return value
