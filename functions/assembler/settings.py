"""What the assembler reads from its environment."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from functions.assembler.handler import LEASE_S
from functions.jobs.admission import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name, which holds its leases; default: host and process."""
    window: Window
    """KINORA_ENCODERS, KINORA_ENCODER_SLOTS, KINORA_SLOT_TTL_S."""
    lease_s: float
    """KINORA_ASSEMBLY_LEASE_S: how long one assembly keeps others from beginning it too."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError for what is missing, ValueError for what is wrong."""
        return cls(
            store=env["KINORA_STORE"],
            state=env["KINORA_STATE"],
            worker=env.get("KINORA_WORKER") or f"{socket.gethostname()}-{os.getpid()}",
            window=Window.read(env),
            lease_s=float(env.get("KINORA_ASSEMBLY_LEASE_S") or LEASE_S),
        )
