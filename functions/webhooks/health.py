"""How an endpoint fares: one that takes nothing for days is disabled.

A single failure says little: the days are counted only once failures lie half a day apart or
more, within a day (the rule of Svix, docs.svix.com/retries). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from functions import environment
from functions.webhooks.endpoint import Disabled, Endpoint

DISABLE_S: Final = 5 * 86400.0
WHY_DISABLED: Final[Mapping[Disabled, str]] = {
    "gone": "The endpoint answered 410, so it is disabled: enable it again once it is back.",
    "failing": "Nothing was delivered for days, so the endpoint is disabled: enable it again once"
    " it works, and replay what it missed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """For how long an endpoint may fail."""

    disable_s: float = DISABLE_S
    """KINORA_WEBHOOK_DISABLE_S: an endpoint that took nothing for so long is disabled. Default:
    five days."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Patience:
        """Raises ValueError for what is wrong."""
        return cls(disable_s=environment.seconds(env, "KINORA_WEBHOOK_DISABLE_S", DISABLE_S))

    @property
    def window_s(self) -> float:
        """Failures further apart than this, with none between, do not belong together."""
        return self.disable_s / 5

    @property
    def spread_s(self) -> float:
        """Failures at least this far apart are more than a moment's trouble."""
        return self.disable_s / 10

    def after_failure(self, endpoint: Endpoint, *, now_s: float) -> Endpoint:
        """The endpoint after an attempt that failed now. Equal to it where nothing changes."""
        since_s = endpoint.failing_since_s
        if since_s is None:
            return replace(endpoint, failing_since_s=now_s, counting=False)
        for_s = now_s - since_s
        if endpoint.counting:
            if for_s >= self.disable_s and not endpoint.disabled:
                return replace(endpoint, disabled="failing")
            return endpoint
        if for_s > self.window_s:
            return replace(endpoint, failing_since_s=now_s)
        if for_s >= self.spread_s:
            return replace(endpoint, counting=True)
        return endpoint


def well(endpoint: Endpoint) -> Endpoint:
    """The endpoint after a delivery that it took, or after it was enabled again."""
    return replace(endpoint, failing_since_s=None, counting=False)


def gone(endpoint: Endpoint) -> Endpoint:
    """The endpoint after it answered 410: whoever is there wants no more of it."""
    return replace(endpoint, disabled="gone")


def enabled(endpoint: Endpoint) -> Endpoint:
    """The endpoint after its owner said that it works again."""
    return well(replace(endpoint, disabled=""))
