"""When a delivery that failed is tried again. Pure: the jitter follows from the delivery."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final

from eventing.contract import digest

DELAYS_S: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0)
"""Between one attempt and the next: eight attempts in 28 hours."""
JITTER: Final = 0.1
"""Part of a delay by which it may be shorter or longer: what failed together is not tried
together."""
LONGEST_ASKED_S: Final = 86400.0
"""An endpoint may ask for at most so long a delay (Retry-After)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How often, and how far apart."""

    delays_s: tuple[float, ...] = DELAYS_S
    """KINORA_WEBHOOK_RETRIES_S: seconds between one attempt at a delivery and the next, separated
    by commas. Default: 5,300,1800,7200,18000,36000,36000."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Schedule:
        """Raises ValueError for what is wrong."""
        given = env.get("KINORA_WEBHOOK_RETRIES_S", "")
        if not given:
            return cls()
        try:
            delays_s = tuple(float(each) for each in given.split(","))
        except ValueError:
            delays_s = (math.nan,)
        if not all(0 < each < math.inf for each in delays_s):
            raise ValueError(
                "KINORA_WEBHOOK_RETRIES_S must be numbers of seconds above 0, separated by commas,"
                f" not {given!r}"
            )
        return cls(delays_s=delays_s)

    def delay_s(self, attempts: int, *, key: str, asked_s: float | None = None) -> float | None:
        """How long to wait after so many attempts that failed (from 1); None: give up.

        `key` names the delivery; `asked_s` is what the endpoint asked for.
        """
        if attempts > len(self.delays_s):
            return None
        delay_s = self.delays_s[attempts - 1] * (1 + JITTER * _spread(key, attempts))
        return max(delay_s, min(asked_s or 0.0, LONGEST_ASKED_S))

    def pause_s(self, key: str) -> float:
        """How long what could not even be tried waits for the next look: half a minute, or less
        where attempts are closer together than by default."""
        return self.delays_s[:2][-1] / 10 * (1 + 0.5 * _spread(key, 0))

    @property
    def breaker_s(self) -> float:
        """How long after a failure an endpoint is not waited for: a minute, or less likewise."""
        return self.delays_s[:2][-1] / 5


def _spread(key: str, number: int) -> float:
    """From -1 to 1, the same for the same delivery."""
    return int(digest("jitter", key, str(number)), 16) / 2**128 * 2 - 1


def asked_s(retry_after: str, *, now_s: float) -> float | None:
    """What a Retry-After asks for (RFC 9110, 10.2.3: seconds or a date), None for none or
    nonsense. Never negative."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # More digits than any time has would not even become a number.
        return float(text[:12])
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if at.tzinfo is None:  # "-0000"; a date in HTTP is always GMT
        at = at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now_s)
