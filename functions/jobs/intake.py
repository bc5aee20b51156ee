"""An upload by the gateway, from its record to its object. Every step may be done again.

The record is written first and removed last: what a crash leaves, a sweep completes or aborts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from eventing.contract import ObjectCreated
from functions.jobs import layout, naming, record, swap
from functions.jobs.manifest import SourceObject
from functions.jobs.uploading import Uploading
from functions.ports import Absent, ObjectStore, Part, Uploads


class Incomplete(Exception):
    """The object cannot be made yet: what is missing."""


class Lost(Exception):
    """The store knows nothing of this upload any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record as it stands in the store."""

    uploading: Uploading
    etag: str


@dataclass(frozen=True, slots=True)
class Intake:
    store: ObjectStore
    uploads: Uploads

    def begin(self, asked: Uploading) -> Found:
        """Keep a record of the upload, write its sidecar, and begin it at the store."""
        at = layout.uploading(asked.tenant, asked.id)
        self.store.put(at, record.dump(asked), content_type=record.JSON)
        if asked.options:
            sidecar = msgspec.json.encode(dict(asked.options))
            self.store.put(naming.sidecar(asked.key), sidecar, content_type=record.JSON)
        if asked.method != "post":
            upload = self.uploads.begin(asked.key, content_type=asked.content_type)
            asked = replace(asked, upload=upload)
            self.store.put(at, record.dump(asked), content_type=record.JSON)
        found = self.find(asked.tenant, asked.id)
        if found is None:
            raise Lost
        return found

    def find(self, tenant: str, upload: str) -> Found | None:
        """The record as it is, None for an upload that is complete or never was."""
        return self.read(layout.uploading(tenant, upload))

    def read(self, at: str) -> Found | None:
        found = swap.read(self.store, at, Uploading)
        return None if found is None else Found(uploading=found.record, etag=found.etag)

    def replace(self, found: Found, new: Uploading) -> bool:
        """Write `new` over what was found; False when somebody else did meanwhile."""
        at = layout.uploading(new.tenant, new.id)
        return self.store.put(at, record.dump(new), content_type=record.JSON, match=found.etag)

    def parts(self, uploading: Uploading) -> Sequence[Part]:
        """What the store has taken. Raises Lost."""
        if not uploading.upload:
            return ()
        try:
            return self.uploads.parts(uploading.key, uploading.upload)
        except Absent:
            raise Lost from None

    def complete(self, uploading: Uploading, parts: Sequence[Part] | None = None) -> ObjectCreated:
        """Make the object of `parts`, or of what was taken; return what is to be told of it.

        Raises Incomplete and Lost.
        """
        there = self.store.head(uploading.key)
        if there is None:
            lost: Lost | None = None
            try:
                self._assemble(uploading, parts)
            except Lost as error:
                lost = error  # also where another request has made the object meanwhile
            there = self.store.head(uploading.key)
            if there is None:
                raise lost or Lost
        return SourceObject.of(there).created

    def completed(self, tenant: str, upload: str) -> ObjectCreated | None:
        """What was told of an upload whose record is gone, None for one that left nothing."""
        prefix = layout.uploaded_prefix(tenant, upload)
        for listed in self.store.list(prefix):
            if naming.is_source(listed.key.partition("/")[2]):
                # A listing does not know the version.
                there = self.store.head(listed.key)
                return None if there is None else SourceObject.of(there).created
        return None

    def conclude(self, uploading: Uploading) -> None:
        """Forget the upload, after its object was told of."""
        self._drop_tails(uploading)
        self.store.delete(layout.uploading(uploading.tenant, uploading.id))

    def abort(self, uploading: Uploading) -> None:
        """Drop the upload and everything that was kept for it."""
        if uploading.method != "post":
            self.uploads.abort(uploading.key)
        if self.store.head(uploading.key) is None:
            self.store.delete(naming.sidecar(uploading.key))
        self.conclude(uploading)

    def _assemble(self, uploading: Uploading, parts: Sequence[Part] | None) -> None:
        if uploading.method == "post":
            raise Incomplete("The form was not posted yet.")
        taken = self.parts(uploading) if parts is None else parts
        chosen = uploading.chosen(taken)
        if chosen is None:
            size_bytes = sum(part.size_bytes for part in taken)
            raise Incomplete(f"{size_bytes} of {uploading.size_bytes} bytes are here.")
        try:
            self.uploads.complete(uploading.key, uploading.upload, chosen)
        except Absent:
            raise Lost from None
        except ValueError as error:
            raise Incomplete(f"The parts make no object: {error}.") from None

    def _drop_tails(self, uploading: Uploading) -> None:
        for info in list(self.store.list(layout.tails_prefix(uploading.tenant, uploading.id))):
            self.store.delete(info.key)
