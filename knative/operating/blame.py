"""Which tasks failed on one revision and on no other: then it is not the file that is to blame."""

from __future__ import annotations

from functions.jobs import layout, record
from functions.jobs.receipt import Failure
from functions.ports import ObjectStore


def failed_only_on(store: ObjectStore, revision: str) -> int:
    """Of the jobs that are open. A worker's name begins with its pod's, and that with the
    revision's. A record that cannot be read says nothing. Raises Unavailable."""
    count = 0
    for marker in store.list(layout.OPEN_PREFIX):
        job = marker.key.removeprefix(layout.OPEN_PREFIX)
        workers: dict[str, set[bool]] = {}
        for info in store.list(f"{layout.records_prefix(job)}failures/"):
            try:
                failure = record.read(store, info.key, Failure)
            except ValueError:
                continue
            if failure is not None:
                ours = failure.worker.startswith(f"{revision}-")
                workers.setdefault(info.key.rpartition("/")[0], set()).add(ours)
        count += sum(of_task == {True} for of_task in workers.values())
    return count
