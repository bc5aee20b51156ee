"""The keys of an identity provider, from where it publishes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable

TIMEOUT_S: Final = 5.0
MAX_BYTES: Final = 256 * 1024


def at(address: str) -> Callable[[], bytes]:
    """Brings the key set at a URL or in a file. Raises Unavailable where it cannot."""
    if address.startswith(("https://", "http://")):
        return lambda: _get(address)
    return lambda: _read(Path(address.removeprefix("file://")))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unavailable(f"the key set {path} cannot be read: {error.strerror}") from error


def _get(url: str) -> bytes:
    import httpx2

    try:
        # Redirects are not followed: the address was chosen by whoever runs this, not by a server.
        with httpx2.stream("GET", url, timeout=TIMEOUT_S, follow_redirects=False) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise Unavailable(f"the key set at {url} is larger than {MAX_BYTES} bytes")
    except httpx2.HTTPError as error:
        raise Unavailable(f"the key set at {url} cannot be had") from error
    if response.status_code != 200:
        raise Unavailable(f"the key set at {url} is answered with {response.status_code}")
    return bytes(body)
