"""What an operator sets, read from the environment: each kind of value in one way.

Everything raises ValueError that names the variable. An empty variable counts as not set.
docs/settings.md lists them all, from the docstrings of every function's `Settings`.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec

Environment = Mapping[str, str]


def text(env: Environment, name: str) -> str:
    """What has to be set."""
    if not env.get(name):
        raise ValueError(f"{name} is not set")
    return env[name]


def count(env: Environment, name: str, default: int, *, least: int = 1) -> int:
    """A whole number from `least` on."""
    given = env.get(name) or str(default)
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise ValueError(f"{name} must be a whole number from {least} on, not {given!r}")
    return int(given)


def seconds(env: Environment, name: str, default: float) -> float:
    """More than none, and not for ever."""
    given = env.get(name) or str(default)
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number of seconds above 0, not {given!r}")
    return value


def switch(env: Environment, name: str, *, default: bool = False) -> bool:
    """1 or 0."""
    given = env.get(name) or str(int(default))
    if given not in ("0", "1"):
        raise ValueError(f"{name} must be 0 or 1, not {given!r}")
    return given == "1"


def worker(env: Environment) -> str:
    """KINORA_WORKER: the name of this instance; where it has none, host and process."""
    return env.get("KINORA_WORKER") or f"{socket.gethostname()}-{os.getpid()}"


def scratch(env: Environment, function: str) -> Path:
    """A function's own folder in KINORA_SCRATCH, or in the system's temporary folder."""
    import tempfile  # most functions have no such folder, and start sooner without it

    return Path(env.get("KINORA_SCRATCH") or tempfile.gettempdir()) / f"kinora-{function}"


def priorities(env: Environment) -> Mapping[str, int]:
    """KINORA_PRIORITIES: priorities by tenant, -9 to 9."""
    try:
        found = msgspec.json.decode(env.get("KINORA_PRIORITIES") or "{}", type=dict[str, int])
    except ValueError as error:
        raise ValueError(f"KINORA_PRIORITIES: {error}") from None
    if wrong := [tenant for tenant, value in found.items() if not -9 <= value <= 9]:
        raise ValueError(f"KINORA_PRIORITIES: that of {wrong[0]!r} is not within -9 to 9")
    return found


def tenants(env: Environment) -> Mapping[str, str]:
    """KINORA_TENANTS: tenants by the bucket that is theirs alone."""
    try:
        return msgspec.json.decode(env.get("KINORA_TENANTS") or "{}", type=dict[str, str])
    except ValueError as error:
        raise ValueError(f"KINORA_TENANTS: {error}") from None
