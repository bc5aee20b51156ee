"""Which names are sources, and whose: one rule for notifications, watchers and sweeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from functions import key as keys
from functions.jobs import layout

SIDECAR_SUFFIX: Final = ".json"
"""`film.mp4.json` beside `film.mp4` holds its options."""

_UNFINISHED: Final = (".part", ".partial", ".crdownload", ".download", ".tmp", ".temp", ".swp")
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def sidecar(key: str) -> str:
    """The key of the options beside a source."""
    return key + SIDECAR_SUFFIX


def is_source(key: str) -> bool:
    """False for sidecars, hidden files and what browsers and copy programs have not finished.

    `key` is the key within the bucket. A folder that is hidden hides what is in it; `.` and `..`
    are no folders but make a name that nothing can be called: it is refused, not overlooked.
    """
    *folders, name = key.split("/")
    hidden = (part for part in folders if part not in (".", ".."))
    if not name or any(part.startswith(".") for part in (*hidden, name)):
        return False
    lowered = name.lower()
    return not (
        lowered.endswith(SIDECAR_SUFFIX) or lowered.endswith(_UNFINISHED) or name.endswith("~")
    )


def source_buckets(tenants: Iterable[str]) -> tuple[str, ...]:
    """Where sources are dropped: `uploads` and the buckets that belong to tenants."""
    return tuple(dict.fromkeys((layout.UPLOADS, *tenants)))


def tenant_of(bucket: str, key: str, tenants: Mapping[str, str]) -> str:
    """Who owns the object: `tenants` (by bucket), else the key's first segment; "" for nobody."""
    tenant = tenants.get(bucket, "")
    if not tenant:
        tenant, slash, _ = key.partition("/")
        if not slash:
            return ""
    return tenant if _TENANT.fullmatch(tenant) else ""


def is_addressable(address: str) -> bool:
    """True if the ObjectStore port can name the object, and its sidecar too.

    No bucket's name begins with a dot: a store may keep things of its own under such a one.
    """
    if address.startswith("."):
        return False
    try:
        keys.segments(address)
        keys.segments(sidecar(address))
    except ValueError:
        return False
    return True
