"""What ingest reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions import environment
from functions.ingest.handler import MAX_SOURCE_BYTES
from functions.ingest.profiles import BUILT_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    profiles: tuple[Path, ...]
    """KINORA_PROFILES: a folder of profile files that join the built-in ones, or replace those of
    the same name."""
    tenants: Mapping[str, str]
    """KINORA_TENANTS: `{"<bucket>": "<tenant>"}`, for buckets that belong to one tenant; the
    sweeper looks into them as well."""
    max_source_bytes: int
    """KINORA_MAX_SOURCE_BYTES: larger files are rejected. Default: 256 GiB."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        own = env.get("KINORA_PROFILES", "")
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            profiles=(BUILT_IN, Path(own)) if own else (BUILT_IN,),
            tenants=environment.tenants(env),
            max_source_bytes=environment.count(env, "KINORA_MAX_SOURCE_BYTES", MAX_SOURCE_BYTES),
        )
