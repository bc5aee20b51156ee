"""What the encoder reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from functions import environment
from functions.media.encoding.argv import Tuning


@dataclass(frozen=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name, in leases and receipts. Default: host and process."""
    scratch: Path
    """KINORA_SCRATCH: folder for the local copy of a chunk and its output; a source that has to
    be fetched whole needs its size three times. Default: the system's temporary folder."""
    tuning: Tuning = field(default_factory=Tuning)
    """KINORA_ENCODER_THREADS: threads of each video encoder. Default: 1, as threads within an
    encoder cost CPU, and the renditions of a chunk are encoded side by side anyway."""
    memory_bytes: int = 4 << 30
    """KINORA_ENCODER_MEMORY_BYTES: address space of ffmpeg. Default: 4 GiB. Threads reserve far
    more than they use; a 4K chunk with five renditions stays below 3 GiB."""
    wall_s: float = 540.0
    """KINORA_ENCODER_WALL_S: longest attempt. Default: 540, less than the revision's timeout of
    600, so that the answer is ours."""
    stall_s: float = 60.0
    """KINORA_ENCODER_STALL_S: how long ffmpeg may stand still, idle, before it is ended.
    Default: 60."""
    lease_ttl_s: float = 30.0
    """KINORA_ENCODER_LEASE_S: how long the task of a worker that died stays taken. Default: 30,
    renewed each third of that."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            worker=environment.worker(env),
            scratch=environment.scratch(env, "encoder"),
            tuning=Tuning(threads=environment.count(env, "KINORA_ENCODER_THREADS", 1)),
            memory_bytes=environment.count(env, "KINORA_ENCODER_MEMORY_BYTES", cls.memory_bytes),
            wall_s=environment.seconds(env, "KINORA_ENCODER_WALL_S", cls.wall_s),
            stall_s=environment.seconds(env, "KINORA_ENCODER_STALL_S", cls.stall_s),
            lease_ttl_s=environment.seconds(env, "KINORA_ENCODER_LEASE_S", cls.lease_ttl_s),
        )
