"""What the dead-letter sink reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError for what is missing."""
        return cls(store=env["KINORA_STORE"])
