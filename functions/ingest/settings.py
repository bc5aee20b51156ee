"""What ingest reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions import environment
from functions.jobs import acceptance


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    acceptance: acceptance.Settings

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            acceptance=acceptance.Settings.read(env),
        )
