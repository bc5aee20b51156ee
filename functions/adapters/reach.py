"""What a URL leads to: its host name looked up once, and every address judged."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eventing.errors import Unavailable
from functions.webhooks.destination import AllowList, Destination, Forbidden, parse

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host name (or of an address as text). Raises OSError where there is none."""


def system_resolve(host: str, port: int) -> Sequence[str]:
    """What this machine's resolver says, in its order, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A destination with the addresses that were judged: nobody looks its name up again."""

    destination: Destination
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The same at registration and at every attempt."""

    allow: AllowList = field(default_factory=AllowList)
    resolve: Resolve = system_resolve

    def __call__(self, url: str) -> Reached:
        """Raises Forbidden, with a sentence that says why nothing is delivered there."""
        destination = parse(url)
        try:
            addresses = self.resolve(destination.host, destination.port)
        except (OSError, UnicodeError):
            raise Forbidden(f"The host name {destination.host} cannot be looked up.") from None
        return Reached(destination=destination, addresses=self.allow.choose(destination, addresses))


class FewAtATime:
    """For who looks names up in threads that others need: a resolver that hangs, or the servers
    of a name that somebody made for that, keep `limit` of them and no more."""

    def __init__(self, reach: Callable[[str], Reached], *, limit: int = 8) -> None:
        self._reach = reach
        self._turns = threading.BoundedSemaphore(limit)

    def __call__(self, url: str) -> Reached:
        """As the Reach does, and raises Unavailable while so many names are looked up."""
        if not self._turns.acquire(blocking=False):
            raise Unavailable("as many host names as may be are looked up", retry_after_s=5)
        try:
            return self._reach(url)
        finally:
            self._turns.release()
