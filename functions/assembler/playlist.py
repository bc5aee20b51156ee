"""A playlist that others may be writing as well."""

from __future__ import annotations

from typing import Final

from functions.ports import Absent, ObjectStore

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"


def current(store: ObjectStore, key: str) -> tuple[str, str]:
    """The playlist's text and an etag to replace it by, both "" where there is none.

    When others write in between, the etag is that of the older text: the replacement fails.
    """
    info = store.head(key)
    if info is None:
        return "", ""
    try:
        return store.get(key).decode(), info.etag
    except Absent:  # the job was called off in this moment
        return "", ""
