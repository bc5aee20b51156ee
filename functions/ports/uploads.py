"""What takes objects in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that a store has taken. `number` counts from 1, to `MAX_PARTS`."""

    number: int
    etag: str
    size_bytes: int


MAX_PARTS: Final = 10_000
"""Of one object (the limit of S3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPost:
    """A POST of multipart/form-data: these fields first, then `file`."""

    url: str
    fields: Mapping[str, str]


class Uploads(Protocol):
    """Objects that arrive in parts. Nobody sees an object before it is complete.

    All parts but the last are of one size, at least `part_bytes`. What was begun and is neither
    completed nor aborted takes space for ever: whoever begins keeps a record of the key first.
    Keys are those of the ObjectStore; each method raises ValueError for an illegal one.
    """

    part_bytes: int
    """The smallest part that is not the last (S3: 5 MiB)."""
    origin: str
    """Where clients write by themselves what was signed for them (`sign_part`, `sign_post`), as
    `https://host`; "" for a store that they cannot be let write to."""

    def begin(self, key: str, *, content_type: str = "") -> str:
        """Its upload id."""

    def write(self, key: str, upload: str, number: int, body: bytes, *, offset_bytes: int) -> Part:
        """Take a part, which starts at `offset_bytes` of the object. Again replaces it.

        Raises Absent for an upload that is over or was never begun.
        """

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        """What was taken, by number, whoever wrote it. Raises Absent like `write`."""

    def complete(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Make the object of these parts, in this order. Again is harmless.

        Raises Absent for an upload that is over and left no object, ValueError for no parts,
        others than were taken, and a small one before the last.
        """

    def abort(self, key: str) -> None:
        """Drop every upload to this key that is not complete; nothing happens when none is."""

    def sign_part(self, key: str, upload: str, number: int, *, size_bytes: int, ttl_s: int) -> str:
        """A URL that a client may PUT this part to, of exactly this size. Only with an `origin`."""

    def sign_post(
        self, key: str, *, max_bytes: int, ttl_s: int, content_type: str = ""
    ) -> SignedPost:
        """A form that a browser may post the whole object with. Only with an `origin`."""
