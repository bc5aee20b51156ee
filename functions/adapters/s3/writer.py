"""How an object is written: in one request or in parts, on a condition or not."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from eventing.errors import Unavailable
from functions.adapters.s3 import parts as s3_parts
from functions.adapters.s3.body import Source
from functions.adapters.s3.conditions import Condition, Conditions
from functions.adapters.s3.reply import Reply, trouble
from functions.adapters.s3.wire import Request, Wire
from functions.ports import ObjectInfo

WHOLE_BYTES: Final = 64 << 20
"""Up to this size in one request."""
_LARGEST_BYTES: Final = 5 << 30
"""That one request can carry (the limit of S3)."""
_SMALL_BYTES: Final = 1 << 20
"""More than this is not sent to a key that is taken already, nor while others wait for it."""
_CONFLICTS: Final = 5
_PAUSE_S: Final = 0.02
"""After the first conflict; doubled after each next one."""


@dataclass(frozen=True, slots=True)
class Place:
    key: str
    bucket: str
    name: str


class Writer:
    def __init__(
        self, wire: Wire, conditions: Conditions, look: Callable[[Place], ObjectInfo | None]
    ) -> None:
        """`look`: what is there."""
        self._wire = wire
        self._conditions = conditions
        self._look = look

    def write(
        self, place: Place, source: Source, headers: Mapping[str, str], condition: Condition | None
    ) -> bool:
        """False where the condition does not hold. Raises ValueError for a name that is refused."""
        if condition is None:
            write = self._whole if source.size_bytes <= WHOLE_BYTES else self._in_parts
            return write(place, source, headers, None, kept=True)
        if source.size_bytes > _SMALL_BYTES and not condition.holds(self._look(place)):
            return False
        kept = self._conditions.kept(condition.step)
        most_bytes = WHOLE_BYTES if kept else _SMALL_BYTES
        if kept and source.size_bytes > most_bytes and not self._conditions.kept("complete"):
            most_bytes = _LARGEST_BYTES
            kept = source.size_bytes <= most_bytes
        write = self._whole if source.size_bytes <= most_bytes else self._in_parts
        return write(place, source, headers, condition, kept=kept)

    def _whole(
        self,
        place: Place,
        source: Source,
        headers: Mapping[str, str],
        condition: Condition | None,
        *,
        kept: bool,
    ) -> bool:
        body = source.whole()
        with self._turn(place, condition, kept=kept) as (may, guards):
            if not may:
                return False
            request = Request(
                method="PUT",
                bucket=place.bucket,
                name=place.name,
                headers={**headers, **guards},
                body=body,
                # A swap that was carried out unheard would stand in its own way.
                repeatable="if-match" not in guards,
            )
            for attempt in range(_CONFLICTS):
                reply = self._wire.send(request)
                if not _is_conflict(reply, condition):
                    break
                time.sleep(random.uniform(0.5, 1.0) * _PAUSE_S * 2**attempt)
            return _is_written(reply, place, condition)

    def _in_parts(
        self,
        place: Place,
        source: Source,
        headers: Mapping[str, str],
        condition: Condition | None,
        *,
        kept: bool,
    ) -> bool:
        bodies = source.parts(s3_parts.part_bytes(source.size_bytes))
        try:
            parts = s3_parts.send(self._wire, place.bucket, place.name, bodies, headers)
        except s3_parts.Over:
            return self._ended(place, condition, etag="")
        written = False
        try:
            with self._turn(place, condition, kept=kept) as (may, guards):
                if may:
                    written = _is_written(parts.complete(guards), place, condition)
        except s3_parts.Over:
            return self._ended(place, condition, etag=parts.etag)
        finally:
            if not written:
                parts.abort()
        if condition == Condition(""):
            parts.abort_rivals()
        return written

    def _ended(self, place: Place, condition: Condition | None, *, etag: str) -> bool:
        """Our upload is over without us: another won, or the reply to our last step was lost."""
        there = self._look(place)
        if there is not None and condition == Condition(""):
            return False
        if there is not None and etag and there.etag == etag:
            return True
        raise Unavailable(f"{place.key}: its upload was ended by somebody else")

    @contextmanager
    def _turn(
        self, place: Place, condition: Condition | None, *, kept: bool
    ) -> Iterator[tuple[bool, Mapping[str, str]]]:
        """Whether to write now, and with which headers."""
        if condition is None:
            yield True, {}
        elif kept:
            yield True, condition.headers
        else:
            with self._conditions.alone(place.key):
                yield condition.holds(self._look(place)), {}


def _is_conflict(reply: Reply, condition: Condition | None) -> bool:
    """Somebody did something at the same moment, nothing was written, and again may go well."""
    # AWS: another write on a condition, or a delete beside one that wants nothing there.
    absent = condition == Condition("")
    if reply.status == 409 or (absent and reply.code == "NoSuchKey"):
        return True
    # MinIO on one drive: a delete just took away the folder that the object was to be in. Where
    # it is meant, it takes half a second longer to be heard.
    return reply.status == 403 and reply.code == "AccessDenied"


def _is_written(reply: Reply, place: Place, condition: Condition | None) -> bool:
    if reply.status == 200:
        return True
    if condition is not None:
        if reply.status == 412:
            return False
        if condition.etag and reply.code == "NoSuchKey":
            return False
    if reply.is_name_refused:
        raise ValueError(
            f"{place.bucket}/{place.name} cannot be an object: the S3 service refuses the name"
        )
    raise trouble(reply, f"writing {place.bucket}/{place.name}", place.bucket)
