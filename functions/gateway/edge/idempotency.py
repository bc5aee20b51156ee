"""`Idempotency-Key`: a request that is sent twice is carried out once, and answered twice.

The record of a key is written before anything else is done, and its answer kept for a day,
sealed, since an answer may hold a secret that is shown once. A process that dies in between
leaves a record without an answer: after `STALE_S` the same request is carried out again, and
finds what the first one left by the name that it derived from the key.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from eventing.contract import digest
from functions.gateway.access.caller import Caller
from functions.gateway.edge.problem import Problem
from functions.gateway.world import TheWorld, World
from functions.jobs import layout, record
from functions.ports import Absent, ObjectInfo

_log = logging.getLogger(__name__)

KEPT_S: Final = 86400.0
"""How long an answer is given again."""
STALE_S: Final = 60.0
"""After so long whoever began and did not end is taken for dead."""
REPLAYED: Final = "idempotency-replayed"
_SWEPT: Final = 4
"""Old records that go with every new one: so they never become many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What became of a key, `work/tenants/<tenant>/idempotency/<sha256>`."""

    request_sha256: str
    began_s: float
    holder: str
    """Random: who began, and may have lost the reply to that."""
    status: int = 0
    """Of the answer, 0 before there is one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """An answer to be."""

    body: BaseModel
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 201


class Once:
    """What a route that creates something takes as a parameter (`TheKey`).

        key.answer(caller, asked, lambda name: Made(…))

    `name` are 32 hex digits that name the request: the same ones for the same key and request,
    else random. What is made has its id from there.
    """

    def __init__(self, request: Request, world: World, key: str | None) -> None:
        self._request = request
        self._world = world
        self._key = key

    def answer(
        self, caller: Caller, asked: BaseModel | None, make: Callable[[str], Made]
    ) -> Response:
        """What `make` made, or what it made when this key was first sent.

        Raises Problem: key-reused for a key that came with another request, conflict while its
        twin is being carried out; and whatever `make` raises, after which the key is free again.
        """
        if self._key is None:
            return _response(make(self._world.random(16).hex()))
        hashed = hashlib.sha256(self._key.encode()).hexdigest()
        at = layout.idempotency(caller.tenant, hashed)
        asked_sha256 = self._request_sha256(asked)
        ours = Remembered(
            request_sha256=asked_sha256,
            began_s=self._world.clock(),
            holder=self._world.random(8).hex(),
        )
        etag = self._begin(at, ours)
        if isinstance(etag, Response):
            return etag
        try:
            made = make(digest("idempotency", caller.tenant, hashed, asked_sha256))
        except BaseException:
            # Nothing was made, or what was made is found again by its name.
            with suppress(Exception):
                self._world.store.delete(at)
            raise
        response = _response(made)
        kept = replace(
            ours,
            status=response.status_code,
            headers=dict(made.headers),
            sealed=self._world.seal.seal(
                bytes(response.body), about=at, nonce=self._world.random(12)
            ),
        )
        # Somebody who took us for dead may have written meanwhile: the same, by the same names.
        self._world.store.put(at, record.dump(kept), content_type=record.JSON, match=etag)
        return response

    def _begin(self, at: str, ours: Remembered) -> str | Response:
        """The etag of our record, or the answer that was given before."""
        store = self._world.store
        while True:
            if record.create(store, at, ours):
                self._forget_old(at)
                return _etag(store.head(at))
            info = store.head(at)
            found = record.read(store, at, Remembered) if info else None
            if info is None or found is None:
                continue  # it was given up in this moment
            if found.holder == ours.holder:
                return info.etag
            age_s = self._world.clock() - found.began_s
            if age_s >= KEPT_S or (not found.status and age_s >= STALE_S):
                if store.put(at, record.dump(ours), content_type=record.JSON, match=info.etag):
                    return _etag(store.head(at))
                continue
            if found.request_sha256 != ours.request_sha256:
                raise Problem(
                    "key-reused", "This Idempotency-Key came with another request; use a new one."
                )
            if not found.status:
                raise Problem(
                    "conflict",
                    "The same request is being carried out. Try again in 1 s.",
                    headers={"retry-after": "1"},
                )
            try:
                body = self._world.seal.open(found.sealed, about=at)
            except ValueError:
                # Its master key was taken away.
                raise Problem(
                    "conflict", "It was done, and the answer cannot be read any more. Look for it."
                ) from None
            return Response(
                body,
                status_code=found.status,
                headers={**found.headers, REPLAYED: "true"},
                media_type="application/json",
            )

    def _request_sha256(self, asked: BaseModel | None) -> str:
        body = asked.model_dump(mode="json") if asked else None
        said = json.dumps([self._request.method, self._request.url.path, body], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    def _forget_old(self, at: str) -> None:
        """Remove a few records that nobody may ask for any more."""
        prefix = at[: at.rindex("/") + 1]
        # Keys are hashes: a look from here on is a look at a random place.
        for info in islice(self._world.store.list(prefix, after=at), _SWEPT):
            if self._world.clock() - info.modified_s > 2 * KEPT_S:
                with suppress(Absent):
                    self._world.store.delete(info.key)


def _etag(info: ObjectInfo | None) -> str:
    return info.etag if info else ""


def _response(made: Made) -> Response:
    return Response(
        made.body.model_dump_json(),
        status_code=made.status,
        headers=dict(made.headers),
        media_type="application/json",
    )


async def once(
    request: Request,
    world: TheWorld,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=255,
            pattern="^[!-~]+$",
            description="Any text of the client's choice, new for each thing it wants made: sent "
            "again within a day it is answered as the first time, with `idempotency-replayed`.",
        ),
    ] = None,
) -> Once:
    return Once(request, world, idempotency_key)


TheKey = Annotated[Once, Depends(once)]
"""A route's parameter of this type is given what carries a request out once."""
PROBLEMS: Final = ("conflict", "key-reused")
"""What such a route may end with besides its own."""
