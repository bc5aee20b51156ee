"""The folder of one runtime: the object store's buckets, and `runtime/`, which is its own.

Whoever works beside a runtime finds everything by this, too.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from functions.jobs import layout
from knative.local import orphans
from knative.local.stores import Stores

_LOG_LIMIT_BYTES: Final = 10 * 1024 * 1024
"""A function's log that is longer is put aside at the next start; one such is kept."""

_log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another runtime has the folder."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything of one runtime lies. `root` is absolute, and the object store's root."""

    root: Path

    @property
    def own(self) -> Path:
        """What is the runtime's alone."""
        return self.root / "runtime"

    @property
    def events(self) -> Path:
        """The broker's log."""
        return self.own / "broker.sqlite"

    @property
    def state(self) -> Path:
        """The state store's file."""
        return self.own / "state.sqlite"

    @property
    def scratch(self) -> Path:
        """Temporary folders of function processes; empty once a runtime has ended."""
        return self.own / "scratch"

    @property
    def logs(self) -> Path:
        """One file a Service, with what its processes wrote."""
        return self.own / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and tokens of this runtime; readable by its owner alone."""
        return self.own / "secrets.json"

    @property
    def stores(self) -> Stores:
        """Where the last runtime kept objects and state: in this folder, or elsewhere."""
        try:
            facts = json.loads(self._stores.read_text())
            return Stores(objects=str(facts["objects"]), state=str(facts["state"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Stores()

    def settle(self, stores: Stores) -> None:
        """Let commands beside the runtime, also later ones, find its stores; buckets that are
        folders here are made."""
        if not stores.shared_objects:
            for bucket in layout.BUCKETS:
                (self.root / bucket).mkdir(exist_ok=True)
        _write(self._stores, asdict(stores))

    def objects_at(self, stores: Stores) -> str:
        """The object store's address."""
        return stores.objects or str(self.root)

    def state_at(self, stores: Stores) -> str:
        """The state store's address."""
        return stores.state or str(self.state)

    def take(self) -> int:
        """Make what is missing and lock the folder for this process, however it ends.

        Returns the lock, a file descriptor to close. Raises AlreadyRunning.
        """
        self.own.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.own / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise AlreadyRunning(f"another runtime has {self.root}") from None
        return lock

    def announce(self, broker_url: str, *, page_url: str = "") -> None:
        """Tell whoever looks that this process runs here, and where its broker takes events."""
        facts = {
            "pid": os.getpid(),
            "broker_url": broker_url,
            "page_url": page_url,
            "started_s": time.time(),
        }
        _write(self._announcement, facts)

    def withdraw(self) -> None:
        """Take the announcement back."""
        self._announcement.unlink(missing_ok=True)

    def broker_url(self) -> str:
        """Where the running runtime takes events, "" when none is running."""
        try:
            facts = json.loads(self._announcement.read_text())
            os.kill(facts["pid"], 0)
            return str(facts["broker_url"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def clear(self) -> None:
        """End and remove what a runtime left behind. Raises TimeoutError for what does not end."""
        if ended := orphans.end(self.scratch):
            _log.warning("ended %d processes that an earlier runtime left", ended)
        shutil.rmtree(self.scratch, ignore_errors=True)
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT_BYTES:
                log.replace(log.with_suffix(".log.1"))

    @property
    def _announcement(self) -> Path:
        return self.own / "runtime.json"

    @property
    def _stores(self) -> Path:
        return self.own / "stores.json"


def _write(path: Path, facts: Mapping[str, object]) -> None:
    """As JSON, of which nobody sees half."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(facts) + "\n")
    temporary.replace(path)
