"""An HTTP message that carries an event, and what is said of one that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn


class Malformed(ValueError):
    """Not an event that can be taken. `reason` is one line and quotes nothing of the message.

    `status` is 400, 413 or 415: none of the codes that a broker redelivers on.
    """

    def __init__(self, status: Literal[400, 413, 415], reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """The headers (lower-case names) and the body of an HTTP request or response."""

    headers: dict[str, str]
    body: bytes


def refuse(reason: str) -> NoReturn:
    """Raises Malformed with the status 400."""
    raise Malformed(400, reason)
