"""Playback: what a job made, behind an expiring signed prefix, or for anybody where it is public.

Segments carry their content's hash: they are kept by caches for ever. Playlists may grow, and are
asked for anew each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from functions import key as keys
from functions.gateway.edge.problem import Problem
from functions.gateway.playback import conditional, sign
from functions.gateway.world import TheWorld, World
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest
from functions.media.source.byterange import ByteRange
from functions.ports import Absent, ObjectInfo

router = APIRouter(tags=["media"], include_in_schema=False)

PIECE_BYTES: Final = 512 * 1024
"""Of what is in memory at a time for each reader, hundreds of whom may be slow."""
_JOB: Final = re.compile(r"[0-9a-f]{32}")
_HASHED: Final = re.compile(r".*-([0-9a-f]{16})\.(?:mp4|m4s|jpg|vtt)")
_FOR_EVER: Final = "max-age=31536000, immutable"
_TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".vtt": "text/vtt; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
}
_UNKNOWN: Final = "application/octet-stream"
_ATTEMPTS: Final = 3


@router.head("/media/{token}/{job}/{path:path}")
@router.get("/media/{token}/{job}/{path:path}")
def read(token: str, job: str, path: str, request: Request, world: TheWorld) -> Response:
    """An output, or a range of its bytes."""
    cors = _cors(request, world)
    if not _is_permitted(world, token, job):
        raise _nothing(cors)
    scope = "public" if token == sign.PUBLIC else "private"
    for _ in range(_ATTEMPTS):
        info = _find(world, job, path)
        if info is None:
            raise _nothing(cors)
        hashed = _HASHED.fullmatch(path)
        headers = {
            **cors,
            "etag": f'"{hashed[1] if hashed else info.etag}"',
            "accept-ranges": "bytes",
            "cache-control": f"{scope}, {_FOR_EVER if hashed else 'no-cache'}",
            "content-type": _TYPES.get(PurePosixPath(path).suffix, _UNKNOWN),
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "cross-origin" if cors else "same-origin",
        }
        try:
            return _answer(request, world, info, headers)
        except Absent:
            continue  # a playlist that grew between the look and the read
    raise Problem("unavailable", "It is being replaced.", headers={"retry-after": "1", **cors})


def _answer(request: Request, world: World, info: ObjectInfo, headers: dict[str, str]) -> Response:
    """Raises Absent when the object is another by now, Problem (range)."""
    etag = headers["etag"]
    if conditional.is_known(request.headers, etag):
        return Response(status_code=304, headers=headers)
    try:
        part = conditional.wanted(request.headers, etag, info.size_bytes)
    except conditional.Unsatisfiable:
        told = {**headers, "content-range": f"bytes */{info.size_bytes}"}
        del told["content-type"], told["cache-control"], told["etag"]
        raise Problem("range", f"It has {info.size_bytes} bytes.", headers=told) from None
    asked = part or (ByteRange(0, info.size_bytes) if info.size_bytes else None)
    headers["content-length"] = str(asked.size_bytes if asked else 0)
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{info.size_bytes}"
    status = 200 if part is None else 206
    if request.method == "HEAD" or asked is None:
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_pieces(world, info, asked), status_code=status, headers=headers)


@router.options("/media/{token}/{job}/{path:path}")
def allow(request: Request, world: TheWorld) -> Response:
    """What a player on another origin may ask."""
    told = {"access-control-allow-methods": "GET, HEAD", "access-control-allow-headers": "range"}
    cors = _cors(request, world)
    return Response(status_code=204, headers={**cors, **told} if cors else {})


def _is_permitted(world: World, token: str, job: str) -> bool:
    if not _JOB.fullmatch(job):
        return False
    if token != sign.PUBLIC:
        return sign.is_valid(world.seal, token, job, now_s=world.clock())
    if world.settings.public_media:
        return True
    manifest = record.read(world.store, layout.manifest(job), Manifest)
    return manifest is not None and manifest.options.public


def _nothing(headers: dict[str, str]) -> Problem:
    return Problem(
        "not-found", "There is no such output, or the link has expired.", headers=headers
    )


def _find(world: World, job: str, path: str) -> ObjectInfo | None:
    key = layout.media(job, path)
    try:
        keys.segments(key)
    except ValueError:
        return None
    return world.store.head(key)


def _pieces(world: World, info: ObjectInfo, asked: ByteRange) -> Iterator[bytes]:
    """The bytes of this version; where it is replaced meanwhile the answer breaks off.

    The first piece is read at once. Raises Absent when the version is gone already.
    """
    starts = range(asked.start, asked.stop, PIECE_BYTES)
    ranges = [ByteRange(start, min(start + PIECE_BYTES, asked.stop)) for start in starts]
    pieces = world.store.read(info.key, ranges, etag=info.etag)
    return chain((next(pieces),), pieces)


def _cors(request: Request, world: World) -> dict[str, str]:
    """For a page elsewhere whose player may read: nothing that it sends is a permission."""
    players = world.settings.players
    origin = request.headers.get("origin")
    if not players or origin is None:
        return {}
    if players != ("*",) and origin not in players:
        return {"vary": "origin"}
    return {
        "access-control-allow-origin": "*" if players == ("*",) else origin,
        "access-control-expose-headers": "content-range, accept-ranges, etag",
        "vary": "origin",
    }
