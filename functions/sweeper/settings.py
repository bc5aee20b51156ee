"""What the sweeper reads from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from functions.jobs import layout
from functions.jobs.admission import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    window: Window
    """KINORA_ENCODERS, KINORA_ENCODER_SLOTS, KINORA_SLOT_TTL_S."""
    buckets: tuple[str, ...]
    """Where sources are dropped: `uploads` and the buckets of KINORA_TENANTS."""
    settle_s: float
    """KINORA_SETTLE_S: an upload that changed within this time may still be being written."""
    stale_s: float
    """KINORA_STALE_S: how long something published may take to show an effect."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError for what is missing, ValueError for what is wrong."""
        tenants = json.loads(env.get("KINORA_TENANTS") or "{}")
        return cls(
            store=env["KINORA_STORE"],
            state=env["KINORA_STATE"],
            window=Window.read(env),
            buckets=tuple(dict.fromkeys((layout.UPLOADS, *tenants))),
            settle_s=float(env.get("KINORA_SETTLE_S") or 120),
            stale_s=float(env.get("KINORA_STALE_S") or 90),
        )
