"""How a cluster says no."""

from __future__ import annotations

import json


class NotConnected(Exception):
    """There is no telling which cluster is meant; the text says what to do."""


class Refused(Exception):
    """An answer of the API server other than 2xx.

    `reason` is Kubernetes' own (`NotFound`, `Forbidden`, `Invalid` …), `message` what it says for
    people, `asked` the request.
    """

    def __init__(self, status: int, reason: str, message: str, asked: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.asked = asked

    @property
    def passes(self) -> bool:
        """True of what the same request may not meet again: a server or a webhook that is busy or
        starts."""
        return self.status == 429 or self.status >= 500

    @classmethod
    def of(cls, status: int, body: bytes, asked: str) -> Refused:
        """From an answer whose body is a Status, or whatever stood in between."""
        try:
            said = json.loads(body)
            return cls(status, str(said.get("reason", "")), str(said["message"]), asked)
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls(status, "", body[:500].decode(errors="replace").strip(), asked)
