"""What the notifier reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from functions import environment
from functions.jobs.seal import Seal
from functions.notifier.round import LEASE_S
from functions.webhooks.destination import AllowList
from functions.webhooks.health import Patience
from functions.webhooks.retry import Schedule

TIMEOUT_S: Final = 15.0
_LONGEST_TIMEOUT_S: Final = 20.0
"""Two attempts and the wait between them end within the revision's timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    worker: str
    """KINORA_WORKER: this instance's name, in leases and receipts. Default: host and process."""
    seal: Seal | None
    """KINORA_MASTER_KEY: base64 of 32 random bytes, what secrets are kept under and links are
    signed with; a new one is put before the old ones, separated by commas."""
    allow: AllowList
    schedule: Schedule
    patience: Patience
    timeout_s: float
    """KINORA_WEBHOOK_TIMEOUT_S: how long an endpoint may take for its answer, at most 20. Default:
    15."""
    lease_s: float
    """KINORA_WEBHOOK_LEASE_S: how long what a worker that died was delivering stays taken.
    Default: 75, longer than an invocation may take."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        timeout_s = environment.seconds(env, "KINORA_WEBHOOK_TIMEOUT_S", TIMEOUT_S)
        if timeout_s > _LONGEST_TIMEOUT_S:
            raise ValueError(f"KINORA_WEBHOOK_TIMEOUT_S is at most {_LONGEST_TIMEOUT_S:g}")
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            worker=environment.worker(env),
            # Without one there are no endpoints: the gateway, which makes them, has to have it.
            seal=Seal.read(env) if env.get("KINORA_MASTER_KEY") else None,
            allow=AllowList.read(env),
            schedule=Schedule.read(env),
            patience=Patience.read(env),
            timeout_s=timeout_s,
            lease_s=environment.seconds(env, "KINORA_WEBHOOK_LEASE_S", LEASE_S),
        )
