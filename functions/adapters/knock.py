"""Whether somebody answers under an address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from eventing.errors import Unavailable

TIMEOUT_S: Final = 2.0


def at(url: str) -> Callable[[], None]:
    """Raises Unavailable unless a server answers there within `TIMEOUT_S`, whatever it says: a
    broker takes nothing but events, and says so."""

    def knock() -> None:
        import httpx2

        try:
            httpx2.head(url, timeout=TIMEOUT_S)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{url} does not answer") from error

    return knock
