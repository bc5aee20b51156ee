"""A process of its own that races with others for the same objects or slots.

`python -m tests.contract.racer KIND LOCATION NAME COUNT`: writes `ready`, waits for a line, does
its part and writes what it got as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from functions.adapters.connect import object_store, state_store
from functions.ports import Absent, ByteRange

BODY_BYTES = 100_000


def body_of(name: str) -> bytes:
    """Whose body it is shows in every byte."""
    return name.encode()[:1] * BODY_BYTES


def create(location: str, name: str, count: int) -> list[int]:
    """Which of the objects this racer was the one to create."""
    store = object_store(location)
    return [n for n in range(count) if store.create(f"work/race/{n}", body_of(name))]


def increment(location: str, name: str, count: int) -> list[int]:
    """Count up one number `count` times by compare-and-swap."""
    store = object_store(location)
    for _ in range(count):
        while True:
            there = store.head("work/count")
            if there is None:
                if store.put("work/count", b"1", match=""):
                    break
                continue
            try:
                (data,) = store.read(
                    "work/count", [ByteRange(0, there.size_bytes)], etag=there.etag
                )
            except Absent:
                continue
            if store.put("work/count", b"%d" % (int(data) + 1), match=there.etag):
                break
    return []


def admit(location: str, name: str, count: int) -> list[str]:
    """The tasks that this racer was granted, each under a cause of its own."""
    state = state_store(location)
    return [
        slot.task
        for n in range(count)
        for slot in state.admit("cpu", cause=f"{name}-{n}", limit=1 + n, ttl_s=3600)
    ]


def complete(location: str, name: str, count: int) -> list[int]:
    """The tasks whose receipt found the set complete."""
    state = state_store(location)
    return [n for n in range(count) if state.complete("job", 1, f"{name}{n}", total=4 * count)]


KINDS: dict[str, Callable[[str, str, int], Sequence[int] | Sequence[str]]] = {
    "create": create,
    "increment": increment,
    "admit": admit,
    "complete": complete,
}


def race(kind: str, location: str, *, names: Sequence[str], count: int) -> dict[str, list[object]]:
    """Start a process for each name, let all go at once, and collect what each got."""
    with ExitStack() as stack:
        racers = {}
        for name in names:
            argv = [sys.executable, "-m", __name__, kind, location, name, str(count)]
            racer = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
            stack.enter_context(racer)
            stack.callback(racer.kill)
            racers[name] = racer
        for racer in racers.values():
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        results = {}
        for racer in racers.values():
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for name, racer in racers.items():
            out, _ = racer.communicate(timeout=120)
            assert racer.returncode == 0
            results[name] = json.loads(out)
        return results


if __name__ == "__main__":
    kind, location, name, count = sys.argv[1:]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(KINDS[kind](location, name, int(count))))
