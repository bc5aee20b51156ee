"""A body that becomes parts of an upload, in bounded memory: two parts, whatever its length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from functions.gateway.uploading.body import Dropped
from functions.jobs import layout
from functions.jobs.intake import Found, Intake, Lost
from functions.jobs.uploading import Tail, Uploading
from functions.ports import Absent, Part

if TYPE_CHECKING:
    from hashlib import _Hash


class Excess(Exception):
    """More came than the upload has room for; what came before counts."""


class Mismatch(Exception):
    """The body is not the one that its checksum says; nothing of it counts."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the body has to be."""

    running: _Hash
    expected: bytes


@dataclass(slots=True)
class Reception:
    """Takes one body. Used once."""

    intake: Intake
    uploading: Uploading
    limit_bytes: int
    """Of the object."""
    number: int = 0
    """Of the last part that is full."""
    buffer: bytearray = field(default_factory=bytearray)
    written: list[Part] = field(default_factory=list)
    _writing: asyncio.Task[Part] | None = None

    @property
    def offset_bytes(self) -> int:
        return self.number * self.uploading.part_bytes + len(self.buffer)

    async def take(self, pieces: AsyncIterator[bytes], checksum: Checksum | None = None) -> None:
        """Write the parts that become full; what is left stays in `buffer`.

        Raises Dropped, Excess and Mismatch after everything before was written, and Lost.
        """
        part_bytes = self.uploading.part_bytes
        try:
            async for piece in pieces:
                if self.offset_bytes + len(piece) > self.limit_bytes:
                    raise Excess
                if checksum is not None:
                    checksum.running.update(piece)
                self.buffer += piece
                while len(self.buffer) >= part_bytes:
                    whole = bytes(memoryview(self.buffer)[:part_bytes])
                    del self.buffer[:part_bytes]
                    self.number += 1
                    await self._write(self.number, whole)
        finally:
            await self._written()
        if checksum is not None and checksum.running.digest() != checksum.expected:
            raise Mismatch

    async def end(self) -> None:
        """What is left is the last part."""
        if self.buffer:
            await self._write(self.number + 1, bytes(self.buffer))
            await self._written()

    async def _write(self, number: int, body: bytes) -> None:
        """Begin to write a part; the one before is written by then."""
        await self._written()
        self._writing = asyncio.create_task(
            asyncio.to_thread(
                self.intake.uploads.write,
                self.uploading.key,
                self.uploading.upload,
                number,
                body,
                offset_bytes=(number - 1) * self.uploading.part_bytes,
            )
        )

    async def _written(self) -> None:
        """Wait for the part that is being written. Raises Lost."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            self.written.append(await writing)
        except Absent:
            raise Lost from None


@dataclass(frozen=True, slots=True)
class Resumption:
    """What one request adds to an upload that others began, and whoever comes next goes on with."""

    intake: Intake
    name: Callable[[], str]
    """A new name for a tail."""

    async def add(
        self,
        found: Found,
        offset_bytes: int,
        pieces: AsyncIterator[bytes],
        *,
        limit_bytes: int,
        checksum: Checksum | None = None,
    ) -> int:
        """Take the body from `offset_bytes` on, which is where the upload stands.

        Returns where it stands now: further also when the body ended early. Raises Excess (after
        keeping what came before), Mismatch and Lost.
        """
        uploading = found.uploading
        if checksum is not None and uploading.checked_bytes is None:
            uploading = replace(uploading, checked_bytes=offset_bytes)
            found = await self._replace(found, uploading)
        reception = Reception(
            self.intake,
            uploading,
            limit_bytes,
            number=offset_bytes // uploading.part_bytes,
            buffer=bytearray(await self._tail(uploading, offset_bytes)),
        )
        excess: Excess | None = None
        try:
            await reception.take(pieces, checksum)
        except (Dropped, Excess) as error:
            if checksum is not None:
                # Nobody can say whether it was right.
                if isinstance(error, Excess):
                    raise
                return offset_bytes
            excess = error if isinstance(error, Excess) else None
        await self._keep(found, reception, offset_bytes)
        if excess is not None:
            raise excess
        return reception.offset_bytes

    async def _tail(self, uploading: Uploading, offset_bytes: int) -> bytes:
        tail = uploading.tail
        if not offset_bytes % uploading.part_bytes or tail is None:
            return b""
        at = layout.tail(uploading.tenant, uploading.id, tail.name)
        try:
            return await asyncio.to_thread(self.intake.store.get, at)
        except Absent:
            raise Lost from None

    async def _keep(self, found: Found, reception: Reception, before_bytes: int) -> None:
        """Make sure that what was taken is found by the next request."""
        uploading, offset_bytes = found.uploading, reception.offset_bytes
        if offset_bytes == before_bytes:
            return
        tail: Tail | None = None
        if offset_bytes == uploading.size_bytes:
            await reception.end()
        elif reception.buffer:
            tail = Tail(
                name=self.name(),
                at_bytes=offset_bytes - len(reception.buffer),
                size_bytes=len(reception.buffer),
            )
        checked_bytes = None if uploading.checked_bytes is None else offset_bytes
        if tail is None and checked_bytes is None:
            return  # the parts say it
        new = replace(uploading, tail=tail, checked_bytes=checked_bytes)
        await asyncio.to_thread(self._keep_tail, found, new, bytes(reception.buffer))

    def _keep_tail(self, found: Found, new: Uploading, tail: bytes) -> None:
        store, old = self.intake.store, found.uploading
        if new.tail is not None:
            store.put(layout.tail(new.tenant, new.id, new.tail.name), tail)
        kept = self.intake.replace(found, new)
        gone = old.tail if kept else new.tail
        if gone is not None:
            store.delete(layout.tail(new.tenant, new.id, gone.name))
        if not kept:
            raise Lost

    async def _replace(self, found: Found, new: Uploading) -> Found:
        if not await asyncio.to_thread(self.intake.replace, found, new):
            raise Lost
        again = await asyncio.to_thread(self.intake.find, new.tenant, new.id)
        if again is None:
            raise Lost
        return again
