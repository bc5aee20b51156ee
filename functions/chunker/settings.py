"""What the chunker reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions import environment
from functions.chunker.handler import LEASE_S
from functions.jobs.admission import Window
from functions.media.source import guard
from functions.planning.drawing import LONG_TASK_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name, in leases and receipts. Default: host and process."""
    scratch: Path
    """KINORA_SCRATCH: folder for the local copy of a source's headers (of the whole source where
    it has no index). Default: the system's temporary folder."""
    encoders: int
    """KINORA_ENCODERS: encoders that work at the same time; chunks are sized for them.
    Default: 1."""
    gpu_encoders: int
    """KINORA_GPU_ENCODERS: encoders with a GPU that work at the same time. Default: 0, where a job
    that asks for a GPU is planned for the CPU at once."""
    window: Window
    bounds: guard.Bounds
    long_task_s: float
    """KINORA_LONG_TASK_S: estimated seconds above which a task counts as long; only those who run
    long tasks elsewhere (component long-tasks) make a difference. Default: 300, half of what a
    request may take."""
    lease_s: float
    """KINORA_PLANNING_LEASE_S: how long the planning of a worker that died stays taken.
    Default: 30, renewed with each thing that is found."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            worker=environment.worker(env),
            scratch=environment.scratch(env, "chunker"),
            encoders=environment.count(env, "KINORA_ENCODERS", 1),
            gpu_encoders=environment.count(env, "KINORA_GPU_ENCODERS", 0, least=0),
            window=Window.read(env),
            bounds=guard.Bounds.read(env),
            long_task_s=environment.seconds(env, "KINORA_LONG_TASK_S", LONG_TASK_S),
            lease_s=environment.seconds(env, "KINORA_PLANNING_LEASE_S", LEASE_S),
        )
