"""Which stores a runtime works on: its own folder, or services that others see as well."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

S3: Final = "s3://kinora"
"""What `s3` alone means: the buckets kinora-uploads, kinora-work and kinora-media."""
REDIS: Final = "redis://127.0.0.1:6379/0"
"""What `redis` alone means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Addresses as `functions.adapters.connect` takes them; "" for the runtime's own folder."""

    objects: str = ""
    state: str = ""

    @property
    def shared_objects(self) -> bool:
        """True if others write there too, so that nobody can watch a folder."""
        return bool(self.objects)

    @property
    def shared_state(self) -> bool:
        """True if other runtimes may hold leases there."""
        return bool(self.state)


def chosen(objects: str, state: str, env: Mapping[str, str] = os.environ) -> Stores:
    """What `--store` and `--state` mean: an address, or `s3` and `redis` for the usual ones.

    For `s3` and `redis` KINORA_STORE and KINORA_STATE say which, where they are set. Raises
    ValueError for what is neither.
    """
    if objects == "s3":
        objects = env.get("KINORA_STORE") or S3
    if state == "redis":
        state = env.get("KINORA_STATE") or REDIS
    if objects and not objects.startswith("s3://"):
        raise ValueError(f"`{objects}` is no object store: s3, or s3://<prefix of the buckets>")
    if state and not state.startswith(("redis://", "rediss://")):
        raise ValueError(f"`{state}` is no state store: redis, or redis://<host>:<port>/<db>")
    return Stores(objects=objects, state=state)
