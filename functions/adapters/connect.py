"""From an address in the settings to the adapter behind it; imports only what the address names."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from functions.ports import Limiter, ObjectStore, StateStore, Uploads

_STATE_FILES: Final = ("file", "sqlite")
_REDIS: Final = "redis://host"


def object_store(location: str, *, state: str = "") -> ObjectStore:
    """The store at a folder's path, `file:///path` or `s3://[prefix of the buckets]`.

    A file URL takes `?durable=0` (what is written survives processes, not the loss of power) and
    `?links=1` (symbolic links count as what they lead to). How S3 is reached is in the environment
    (`Account`); `state`, else KINORA_STATE, is the state store that keeps writers apart where an
    S3 service cannot. Raises ValueError for an address that no adapter knows.
    """
    if location.startswith("s3:"):
        from functions.adapters.s3.account import Account, Buckets
        from functions.adapters.s3.store import S3Store

        state = state or os.environ.get("KINORA_STATE", "")
        return S3Store(
            Account.read(os.environ),
            Buckets.at(location),
            state=partial(state_store, state) if state else None,
        )
    path, options = _local(
        location, schemes=("file",), options=("durable", "links"), elsewhere="s3://"
    )
    from functions.adapters.directory import DirectoryStore

    return DirectoryStore(
        path, durable=options.get("durable", True), follow_links=options.get("links", False)
    )


def uploads(location: str) -> Uploads:
    """What takes objects in parts for the store at `location`, see `object_store`."""
    if location.startswith("s3:"):
        from functions.adapters.s3.account import Account, Buckets
        from functions.adapters.s3.uploads import S3Uploads

        return S3Uploads(Account.read(os.environ), Buckets.at(location))
    path, options = _local(
        location, schemes=("file",), options=("durable", "links"), elsewhere="s3://"
    )
    from functions.adapters.uploads import DirectoryUploads

    return DirectoryUploads(
        path, durable=options.get("durable", True), follow_links=options.get("links", False)
    )


def state_store(location: str) -> StateStore:
    """The store in the SQLite file at a path, `file:///path` or `sqlite:///path`, or in a Redis.

    A Redis is `redis[s]://[[user]:password@]host[:port][/db]` with the options `prefix` (what its
    keys begin with), `timeout_s` (how long a command may take) and `ca` (a PEM file, for rediss).
    Raises ValueError for an address that no adapter knows.
    """
    if _is_redis(location):
        from functions.adapters.redis.address import RedisAddress
        from functions.adapters.redis.state import RedisState

        return RedisState(RedisAddress.at(location))
    path, _ = _local(location, schemes=_STATE_FILES, options=(), elsewhere=_REDIS)
    from functions.adapters.sqlite import SqliteState

    return SqliteState(path)


def rate_limits(location: str) -> Limiter:
    """What counts requests for the gateways whose state store is at `location`.

    Together in a Redis; beside a SQLite file there is one gateway, which counts in its memory.
    Raises ValueError for an address that no adapter knows.
    """
    from functions.adapters.limiter import CountingLimiter

    if _is_redis(location):
        from functions.adapters.redis.address import RedisAddress

        return CountingLimiter.at(RedisAddress.at(location))
    _local(location, schemes=_STATE_FILES, options=(), elsewhere=_REDIS)
    return CountingLimiter.in_memory()


def _is_redis(location: str) -> bool:
    return location.startswith(("redis://", "rediss://"))


def _local(
    location: str, *, schemes: tuple[str, ...], options: tuple[str, ...], elsewhere: str
) -> tuple[Path, dict[str, bool]]:
    if not location:
        raise ValueError("no address given")
    if "://" not in location:
        return Path(location), {}
    parts = urlsplit(location)
    if parts.scheme not in schemes or parts.netloc not in ("", "localhost"):
        known = ", ".join(["a path", *(f"{scheme}:///path" for scheme in schemes)])
        raise ValueError(f"no adapter for {location!r}: {known} or {elsewhere}")
    given = parse_qs(parts.query, keep_blank_values=True)
    if unknown := sorted(given.keys() - set(options)):
        raise ValueError(f"{location!r}: unknown option {unknown[0]!r}")
    if wrong := sorted(name for name, values in given.items() if values not in (["0"], ["1"])):
        raise ValueError(f"{location!r}: option {wrong[0]!r} is 0 or 1")
    # A path is bytes: it need not be UTF-8.
    path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
    return path, {name: values == ["1"] for name, values in given.items()}
