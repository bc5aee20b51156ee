"""From an address in the settings to the adapter behind it; imports only what the address names."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from functions.ports import ObjectStore, StateStore


def object_store(location: str) -> ObjectStore:
    """The store at a folder's path or `file:///path`.

    A file URL takes `?durable=0` (what is written survives processes, not the loss of power) and
    `?links=1` (symbolic links count as what they lead to). Raises ValueError for an address that
    no adapter knows.
    """
    path, options = _local(location, schemes=("file",), options=("durable", "links"))
    from functions.adapters.directory import DirectoryStore

    return DirectoryStore(
        path, durable=options.get("durable", True), follow_links=options.get("links", False)
    )


def state_store(location: str) -> StateStore:
    """The store in the SQLite file at a path, `file:///path` or `sqlite:///path`.

    Raises ValueError for an address that no adapter knows.
    """
    path, _ = _local(location, schemes=("file", "sqlite"), options=())
    from functions.adapters.sqlite import SqliteState

    return SqliteState(path)


def _local(
    location: str, *, schemes: tuple[str, ...], options: tuple[str, ...]
) -> tuple[Path, dict[str, bool]]:
    if not location:
        raise ValueError("no address given")
    if "://" not in location:
        return Path(location), {}
    parts = urlsplit(location)
    if parts.scheme not in schemes or parts.netloc not in ("", "localhost"):
        raise ValueError(f"no adapter for {location!r}: a path or {' or '.join(schemes)}:///path")
    given = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(given.keys() - set(options)):
        raise ValueError(f"{location!r}: unknown option {unknown[0]!r}")
    if wrong := sorted(name for name, values in given.items() if values not in (["0"], ["1"])):
        raise ValueError(f"{location!r}: option {wrong[0]!r} is 0 or 1")
    # A path is bytes: it need not be UTF-8.
    path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
    return path, {name: values == ["1"] for name, values in given.items()}
