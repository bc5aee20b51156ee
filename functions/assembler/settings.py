"""What the assembler reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions import environment
from functions.assembler.handler import LEASE_S
from functions.jobs.admission import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name, in leases and receipts. Default: host and process."""
    window: Window
    lease_s: float
    """KINORA_ASSEMBLY_LEASE_S: how long one assembly keeps others from beginning it too.
    Default: 30."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            worker=environment.worker(env),
            window=Window.read(env),
            lease_s=environment.seconds(env, "KINORA_ASSEMBLY_LEASE_S", LEASE_S),
        )
