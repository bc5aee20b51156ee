"""What the source reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions import environment
from functions.jobs import naming


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    buckets: tuple[str, ...]
    """Where sources are dropped: `uploads` and the buckets that KINORA_TENANTS names."""
    tokens: tuple[str, ...]
    """KINORA_SOURCE_TOKEN: what a notification has to carry as `Authorization: Bearer …`; while a
    new one comes into use both, separated by a comma. Without one the source does not start."""
    open: bool
    """KINORA_SOURCE_OPEN: 1 to take notifications of anybody, where no token is set. Only where
    nobody else reaches the source. Default: 0."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        tokens = [token.strip() for token in env.get("KINORA_SOURCE_TOKEN", "").split(",")]
        settings = cls(
            store=environment.text(env, "KINORA_STORE"),
            buckets=naming.source_buckets(environment.tenants(env)),
            tokens=tuple(token for token in tokens if token),
            open=environment.switch(env, "KINORA_SOURCE_OPEN"),
        )
        if not settings.tokens and not settings.open:
            raise ValueError(
                "KINORA_SOURCE_TOKEN is not set; with KINORA_SOURCE_OPEN=1 anybody may notify"
            )
        return settings
