"""What the sweeper reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions import environment
from functions.jobs import naming
from functions.jobs.admission import Window
from functions.sweeper.handler import GPU_DEADLINE_S, SETTLE_S, SETTLE_S3_S, STALE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    window: Window
    buckets: tuple[str, ...]
    """Where sources are dropped: `uploads` and the buckets that KINORA_TENANTS names."""
    settle_s: float
    """KINORA_SETTLE_S: an upload that changed within this time may still be being written.
    Default: 120, and 20 on S3, whose objects appear only whole."""
    stale_s: float
    """KINORA_STALE_S: how long something published may take to show an effect. Default: 90."""
    gpu_deadline_s: float
    """KINORA_GPU_DEADLINE_S: how long a task that was told of may wait until an encoder with a GPU
    takes it; then the CPU does what it is a part of. Below KINORA_SLOT_TTL_S. Default: 300, so that
    a node may be started for it."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        store = environment.text(env, "KINORA_STORE")
        settle_s = SETTLE_S3_S if store.startswith("s3:") else SETTLE_S
        window = Window.read(env)
        gpu_deadline_s = environment.seconds(env, "KINORA_GPU_DEADLINE_S", GPU_DEADLINE_S)
        if gpu_deadline_s >= window.ttl_s:
            # A slot that is lost is given anew, and nobody would know how long it was before.
            raise ValueError("KINORA_GPU_DEADLINE_S must be below KINORA_SLOT_TTL_S")
        return cls(
            store=store,
            state=environment.text(env, "KINORA_STATE"),
            window=window,
            buckets=naming.source_buckets(environment.tenants(env)),
            settle_s=environment.seconds(env, "KINORA_SETTLE_S", settle_s),
            stale_s=environment.seconds(env, "KINORA_STALE_S", STALE_S),
            gpu_deadline_s=gpu_deadline_s,
        )
