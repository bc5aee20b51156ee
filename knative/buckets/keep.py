"""How long things are kept; imports nothing, for the command line starts with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long things are kept that can be had again, in days; 0 for ever."""

    sources: int = 30
    """Indexes and mezzanines. More than a job may take, whose files they are: seven days."""
    noncurrent: int = 30
    """Versions of an upload after it was replaced or deleted."""
    parts: int = 7
    """Uploads that were begun and not completed, and what was kept of them."""


USUAL: Final = Keep()
