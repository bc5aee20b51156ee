"""Whether what the gateway needs can be reached, asked with a limit on how long that may take."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Literal

from eventing.errors import Unavailable

_log = logging.getLogger(__name__)

Word = Literal["ok", "unreachable", "silent"]

DEADLINE_S: Final = 2.5
"""Less than the probe's own (knative/base/gateway.yaml)."""


class Readiness:
    """Safe to share between threads. What hangs is asked once, however many want to know."""

    def __init__(self, checks: Mapping[str, Callable[[], object]], *, deadline_s: float) -> None:
        """Each check raises Unavailable where it fails."""
        self._checks = dict(checks)
        self._deadline_s = deadline_s
        self._lock = threading.Lock()
        self._asked: dict[str, Future[object]] = {}
        self._threads = ThreadPoolExecutor(len(self._checks), thread_name_prefix="readiness")

    def look(self) -> Mapping[str, Word]:
        """By check; "silent" is what has not answered within the deadline."""
        with self._lock:
            for name, check in self._checks.items():
                if name not in self._asked or self._asked[name].done():
                    self._asked[name] = self._threads.submit(check)
            asked = dict(self._asked)
        wait(asked.values(), timeout=self._deadline_s)
        return {name: _word(name, future) for name, future in asked.items()}


def _word(name: str, future: Future[object]) -> Word:
    if not future.done():
        return "silent"
    try:
        future.result()
    except Unavailable as error:
        _log.warning("cannot be reached", extra={"facts": {"what": name, "reason": error.reason}})
        return "unreachable"
    return "ok"
