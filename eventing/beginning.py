"""The beginning of a process: modules are loaded and objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Nothing of this is garbage, so it is not looked through now (a tenth of a function's imports,
    a sixth of the gateway's), and never again afterwards."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
