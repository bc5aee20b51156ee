"""API keys, as requests show them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from functions.jobs import apikey
from functions.jobs.apikey import ApiKey
from functions.ports import Clock, ObjectStore

KEPT_S: Final = 5.0
"""How long a process goes by what it read of a key: a revocation counts everywhere after that."""
KEPT: Final = 4096
"""Records that a process keeps at most."""


@dataclass(slots=True)
class Keys:
    """The records of keys, read at most once in `KEPT_S` each."""

    store: ObjectStore
    clock: Clock
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: OrderedDict[tuple[str, str], tuple[float, ApiKey]] = field(default_factory=OrderedDict)

    def find(self, text: str) -> ApiKey | None:
        """The key with this text, None where there is none that is good for anything."""
        if (named := apikey.address(text)) is None:
            return None
        found = self._record(named)
        return found if found and found.admits(text, now_s=self.clock()) else None

    def named(self, tenant: str, key_id: str) -> ApiKey | None:
        """The key behind a session, None where it is good for nothing any more."""
        found = self._record((tenant, key_id))
        if found is None or found.revoked_s is not None or found.is_expired(self.clock()):
            return None
        return found

    def _record(self, named: tuple[str, str]) -> ApiKey | None:
        now_s = self.clock()
        with self._lock:
            read_s, found = self._seen.get(named, (0.0, None))
        if found is not None and 0 <= now_s - read_s < KEPT_S:
            return found
        # What is not there is asked for each time: a new key works at once, and guesses are
        # held up by the rate limit, not remembered.
        found = apikey.read(self.store, *named)
        with self._lock:
            self._seen.pop(named, None)
            if found is not None:
                self._seen[named] = now_s, found
                while len(self._seen) > KEPT:
                    self._seen.popitem(last=False)
        return found
