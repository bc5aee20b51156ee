"""How much may be asked at a time, and how much may be open at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from functions.gateway.edge.problem import Problem
from functions.ports import Limiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """0 stands for no limit."""

    caller_per_minute: int = 600
    """KINORA_LIMIT_CALLER: requests a minute of one key or token. 0 for any number. Default:
    600."""
    tenant_per_minute: int = 3000
    """KINORA_LIMIT_TENANT: requests a minute of all keys of a tenant together. 0 for any number.
    Default: 3000."""
    guesses_per_minute: int = 60
    """KINORA_LIMIT_GUESSES: requests a minute from one address with credentials that are not
    known. 0 for any number. Default: 60."""
    open_jobs: int = 1000
    """KINORA_LIMIT_OPEN_JOBS: jobs of a tenant without a verdict that requests may make. 0 for any
    number. Default: 1000."""
    open_uploads: int = 100
    """KINORA_LIMIT_OPEN_UPLOADS: uploads of a tenant that are begun and not complete. 0 for any
    number. Default: 100."""
    open_streams: int = 1000
    """KINORA_LIMIT_OPEN_STREAMS: streams of progress that a tenant may have open at one process of
    the gateway. 0 for any number. Default: 1000."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Limits:
        """Raises ValueError for what is wrong."""
        return cls(
            caller_per_minute=_number(env, "KINORA_LIMIT_CALLER", 600),
            tenant_per_minute=_number(env, "KINORA_LIMIT_TENANT", 3000),
            guesses_per_minute=_number(env, "KINORA_LIMIT_GUESSES", 60),
            open_jobs=_number(env, "KINORA_LIMIT_OPEN_JOBS", 1000),
            open_uploads=_number(env, "KINORA_LIMIT_OPEN_UPLOADS", 100),
            open_streams=_number(env, "KINORA_LIMIT_OPEN_STREAMS", 1000),
        )


class Rates:
    """Counts requests, by what all gateways share."""

    def __init__(self, limits: Limits, limiter: Limiter) -> None:
        self._limits = limits
        self._limiter = limiter

    def request(self, *, tenant: str, subject: str) -> None:
        """Count a request. Raises Problem (too-many) for one beyond the limits."""
        self._hit(self._limits.caller_per_minute, "caller", tenant, subject)
        self._hit(self._limits.tenant_per_minute, "tenant", tenant)

    def guess(self, address: str) -> None:
        """Count credentials that are not known. Raises Problem (too-many)."""
        self._hit(self._limits.guesses_per_minute, "guess", address)

    def _hit(self, limit: int, *name: str) -> None:
        if not limit:
            return
        allowance = self._limiter.hit(f"{limit}/minute", *name)
        if not allowance.allowed:
            raise too_many(
                f"There were more than {limit} requests within a minute.", allowance.retry_after_s
            )


def too_many(detail: str, retry_after_s: int) -> Problem:
    """The answer to who asks for more than is allowed at a time."""
    return Problem(
        "too-many",
        f"{detail} Try again in {retry_after_s} s.",
        headers={"retry-after": str(retry_after_s)},
    )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    given = env.get(name) or str(default)
    if not given.isascii() or not given.isdigit():
        raise ValueError(f"{name} must be a whole number from 0 on, not {given!r}")
    return int(given)
