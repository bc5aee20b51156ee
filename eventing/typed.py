"""Types made ready for msgspec before two threads need one at once.

msgspec learns a type at its first use, and hands what it has learnt so far to any other thread
that comes meanwhile: decoding by a type half learnt ends the process (segmentation fault, 0.22).
"""

from __future__ import annotations

import threading
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

_READY: Final[set[type]] = set()
_LOCK: Final = threading.Lock()


def ready(kind: type[T]) -> type[T]:
    """`kind`, which msgspec knows in full from now on: for `decode(…, type=ready(Kind))`."""
    if kind not in _READY:
        with _LOCK:
            msgspec.json.Decoder[Any](kind)
            _READY.add(kind)
    return kind
