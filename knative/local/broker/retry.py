"""When a failed delivery is tried again. Pure; the rules are Knative's.

`pkg/kncloudevents/retries.go`: no response, 5xx, 404, 408, 409 and 429 are retried. 404 is among
them because a cluster answers it while a pod is not ready yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from knative.local.broker.manifest import Delivery

RETRIED: Final = frozenset({404, 408, 409, 429})
LONGEST_WAIT_S: Final = 86_400.0
"""Doubling overflows everything some day; nobody waits longer than this."""


def is_retried(code: int | None) -> bool:
    """True when an attempt that ended with `code` may be repeated. None: nobody answered."""
    return code is None or code >= 500 or code in RETRIED


def wait_s(delivery: Delivery, n: int) -> float:
    """Seconds before retry `n`, counted from 0: exponential delay * 2^n, linear delay * n."""
    match delivery.backoff_policy:
        case "exponential":
            return min(delivery.backoff_delay_s * 2.0 ** min(n, 64), LONGEST_WAIT_S)
        case "linear":
            return min(delivery.backoff_delay_s * n, LONGEST_WAIT_S)
        case _:
            return 0.0


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more after `wait_s`."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Hopeless:
    """No more attempts: to the dead-letter sink with it."""


def after_failure(delivery: Delivery, code: int | None, failures: int) -> Again | Hopeless:
    """What follows the failed attempt number `failures` (from 1), which ended with `code`."""
    if is_retried(code) and failures <= delivery.retry:
        return Again(wait_s(delivery, failures - 1))
    return Hopeless()
