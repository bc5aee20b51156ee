"""What there is to read of an embedded runtime: its folder, its broker's log, its logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from knative.evidence.exhibit import Exhibit, Piece
from knative.local.home import Home

_TAIL_BYTES: Final = 20_000_000
_SECRET_NAMES: Final = ("KEY", "SECRET", "TOKEN", "PASSWORD")
_PREFIXES: Final = ("KINORA_", "AWS_", "OTEL_")


def of_runtime(home: Home, env: Mapping[str, str]) -> Iterator[Piece]:
    """Its logs, its settings, and where its stores are."""
    for log in sorted(home.logs.glob("*.log*")):
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            yield Exhibit(f"logs/{log.name}", stream.read().decode(errors="replace"))
    stores = home.stores
    running = bool(home.broker_url())
    facts = {"running": running, "objects": stores.objects, "state": stores.state}
    yield Exhibit.of_json("runtime.json", facts)
    settings = {name: value for name, value in sorted(env.items()) if name.startswith(_PREFIXES)}
    yield Exhibit.of_json("settings.json", settings)


def secrets(home: Home, env: Mapping[str, str]) -> set[str]:
    """What this runtime and this environment keep to themselves."""
    found = {
        value
        for name, value in env.items()
        if name.startswith(_PREFIXES) and any(word in name for word in _SECRET_NAMES)
    }
    try:
        kept: dict[str, Any] = json.loads(home.secrets.read_text())
    except (OSError, ValueError):
        return found
    return found | {str(value) for value in kept.values()}
