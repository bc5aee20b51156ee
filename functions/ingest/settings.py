"""What ingest reads from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.ingest.handler import MAX_SOURCE_BYTES
from functions.ingest.profiles import BUILT_IN


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    profiles: tuple[Path, ...]
    """Folders of profile files: the built-in one, then KINORA_PROFILES."""
    tenants: Mapping[str, str]
    """KINORA_TENANTS: `{"<bucket>": "<tenant>"}`, for buckets that belong to one tenant."""
    max_source_bytes: int
    """KINORA_MAX_SOURCE_BYTES."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises KeyError for what is missing, ValueError for what is wrong."""
        own = env.get("KINORA_PROFILES", "")
        tenants = json.loads(env.get("KINORA_TENANTS") or "{}")
        if not isinstance(tenants, dict) or not all(isinstance(v, str) for v in tenants.values()):
            raise ValueError("KINORA_TENANTS is no JSON object of bucket names to tenants")
        return cls(
            store=env["KINORA_STORE"],
            state=env["KINORA_STATE"],
            profiles=(BUILT_IN, Path(own)) if own else (BUILT_IN,),
            tenants=tenants,
            max_source_bytes=int(env.get("KINORA_MAX_SOURCE_BYTES") or MAX_SOURCE_BYTES),
        )
