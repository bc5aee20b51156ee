"""The outside world in memory: small, real, and held to the same conformance suites (contract/)."""

from __future__ import annotations

from tests.fakes.clock import ManualClock
from tests.fakes.state import MemoryState
from tests.fakes.store import MemoryStore
from tests.fakes.uploads import MemoryUploads

__all__ = ["ManualClock", "MemoryState", "MemoryStore", "MemoryUploads"]
