"""Resumable uploads by tus 1.0, for ordinary tus clients.

Beside the protocol: answers about an upload that is complete carry `kinora-job`, its job, and
`kinora-job-location`. The record of an upload, and every byte that was taken, are in the stores:
any gateway goes on with what another began.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from eventing.contract import ObjectCreated
from functions.gateway import address
from functions.gateway.access.caller import Caller, Uploader
from functions.gateway.edge import answer
from functions.gateway.edge.problem import Problem
from functions.gateway.uploading import incoming, resumable
from functions.gateway.uploading.body import pieces
from functions.gateway.uploading.hold import holding, settled
from functions.gateway.uploading.reception import Excess, Mismatch, Resumption
from functions.gateway.world import TheWorld, World
from functions.jobs.intake import Found, Lost

router = APIRouter(tags=["tus"], include_in_schema=False)

UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_OVERRIDE: Final = "x-http-method-override"
_TAKEN: Final = 204


@router.options("/tus")
@router.options("/tus/{upload}")
def options(world: TheWorld) -> Response:
    """What is spoken here."""
    return _response(
        204,
        {
            "tus-version": resumable.VERSION,
            "tus-extension": ",".join(resumable.EXTENSIONS),
            "tus-max-size": str(world.acceptance.max_source_bytes),
            "tus-checksum-algorithm": ",".join(resumable.ALGORITHMS),
        },
    )


@router.post("/tus")
async def create(request: Request, world: TheWorld, caller: Uploader) -> Response:
    """Begin an upload, and take its first bytes where there are any."""
    headers = request.headers
    resumable.require_version(headers)
    size_bytes = resumable.number(headers, "upload-length")
    deferred = headers.get("upload-defer-length")
    if (size_bytes is None) == (deferred is None) or deferred not in (None, "1"):
        raise Problem("invalid", "Send `Upload-Length`, or `Upload-Defer-Length: 1`.")
    given = resumable.metadata(headers.get("upload-metadata", ""))
    asked = incoming.Asked(
        name=resumable.file_name(given),
        method="tus",
        size_bytes=size_bytes,
        content_type=resumable.content_type(given),
        options=incoming.options_of(resumable.options(given), {}),
        metadata=given,
    )
    upload = incoming.new_id(world)
    found = await asyncio.to_thread(incoming.begin, world, caller.tenant, asked, upload=upload)
    location = world.settings.public_url + address.tus(upload)
    told = {"location": location, "upload-expires": resumable.date(found.uploading.expires_s)}
    if headers.get("content-type") == resumable.OFFSET_TYPE:
        taken = await _append(request, world, caller, upload, offset_bytes=0)
        for name, value in taken.headers.items():
            told.setdefault(name, value)
        if taken.status_code != _TAKEN:
            # What was begun is there, and takes the bytes again.
            return taken
    return _response(201, told)


@router.head("/tus/{upload}")
async def show(upload: UploadId, request: Request, world: TheWorld, caller: Uploader) -> Response:
    """How far it is. Bytes that a broken connection left behind are counted."""
    resumable.require_version(request.headers)
    await settled(world.state, upload)
    headers = await asyncio.to_thread(_stand, world, caller.tenant, upload)
    return _response(200, headers)


@router.patch("/tus/{upload}")
async def append(upload: UploadId, request: Request, world: TheWorld, caller: Uploader) -> Response:
    """More bytes, from where it is."""
    resumable.require_version(request.headers)
    if request.headers.get("content-type") != resumable.OFFSET_TYPE:
        raise Problem("unsupported", f"Send `Content-Type: {resumable.OFFSET_TYPE}`.")
    offset_bytes = resumable.number(request.headers, "upload-offset")
    if offset_bytes is None:
        raise Problem("invalid", "Send `Upload-Offset`.")
    return await _append(request, world, caller, upload, offset_bytes=offset_bytes)


@router.delete("/tus/{upload}")
def terminate(upload: UploadId, request: Request, world: TheWorld, caller: Uploader) -> Response:
    """Drop it."""
    resumable.require_version(request.headers)
    found = incoming.find(world, caller.tenant, upload)
    if found is None:
        raise incoming.missing()
    incoming.intake(world).abort(found.uploading)
    return _response(204, {})


@router.post("/tus/{upload}")
async def override(
    upload: UploadId, request: Request, world: TheWorld, caller: Uploader
) -> Response:
    """For clients that can only GET and POST."""
    match request.headers.get(_OVERRIDE, "").upper():
        case "PATCH":
            return await append(upload, request, world, caller)
        case "DELETE":
            return await asyncio.to_thread(terminate, upload, request, world, caller)
    raise Problem("method-not-allowed", "Allowed: HEAD, PATCH, DELETE.")


async def _append(
    request: Request, world: World, caller: Caller, upload: str, *, offset_bytes: int
) -> Response:
    checksum = resumable.checksum(request.headers)
    length = resumable.number(request.headers, "content-length")
    declared = resumable.number(request.headers, "upload-length")
    work = incoming.intake(world)
    with request.app.state.places.one(caller.tenant) as widen:
        async with holding(world.state, upload, holder=incoming.new_id(world)) as hold:
            found = await asyncio.to_thread(
                _expecting, world, caller.tenant, upload, offset_bytes, declared
            )
            widen(incoming.width(world, found.uploading))
            room_bytes = incoming.limit_bytes(world, found.uploading)
            if length is not None and offset_bytes + length > room_bytes:
                raise _too_large(room_bytes)
            resumption = Resumption(work, lambda: incoming.new_id(world))
            try:
                now_bytes = await resumption.add(
                    found,
                    offset_bytes,
                    pieces(request, hold),
                    limit_bytes=room_bytes,
                    checksum=checksum,
                )
            except Excess:
                raise _too_large(room_bytes) from None
            except Lost:
                raise incoming.gone() from None
            except Mismatch:
                return _mismatch(request)
            headers = {
                "upload-offset": str(now_bytes),
                "upload-expires": resumable.date(found.uploading.expires_s),
            }
            if length is None or now_bytes != offset_bytes + length:
                # The body was not read to its end.
                headers["connection"] = "close"
            if now_bytes == found.uploading.size_bytes:
                created = await asyncio.to_thread(incoming.finish, world, found.uploading)
                headers |= _job(world, created)
    return _response(_TAKEN, headers)


def _expecting(
    world: World, tenant: str, upload: str, offset_bytes: int, declared_bytes: int | None
) -> Found:
    """The upload, which is at this offset. Raises Problem."""
    found = incoming.find(world, tenant, upload)
    if found is None or found.uploading.method != "tus":
        if incoming.completed(world, tenant, upload) is not None:
            raise Problem("conflict", "The upload is complete.")
        raise incoming.missing()
    work = incoming.intake(world)
    uploading = found.uploading
    if declared_bytes is not None and declared_bytes != uploading.size_bytes:
        if uploading.size_bytes is not None:
            raise Problem("conflict", f"The upload's length is {uploading.size_bytes} bytes.")
        incoming.judge_size(world, declared_bytes)
        if declared_bytes > incoming.limit_bytes(world, uploading):
            raise _too_large(incoming.limit_bytes(world, uploading))
        if not work.replace(found, replace(uploading, size_bytes=declared_bytes)):
            raise incoming.gone()
        return _expecting(world, tenant, upload, offset_bytes, None)
    try:
        now_bytes = uploading.offset_bytes(work.parts(uploading))
    except Lost:
        raise incoming.gone() from None
    if now_bytes != offset_bytes:
        raise Problem("conflict", f"The upload is at {now_bytes}, not at {offset_bytes}.")
    return found


def _stand(world: World, tenant: str, upload: str) -> dict[str, str]:
    """What HEAD tells; completes what has all its bytes and was left so by a process that died."""
    found = incoming.find(world, tenant, upload)
    if found is not None and found.uploading.method == "tus":
        uploading = found.uploading
        try:
            offset_bytes = uploading.offset_bytes(incoming.intake(world).parts(uploading))
        except Lost:
            # Also when its object was made, and whoever made it could not tell of it.
            return _stand_of(world, incoming.finish(world, uploading))
        told = {
            "upload-offset": str(offset_bytes),
            "upload-expires": resumable.date(uploading.expires_s),
        }
        if uploading.metadata:
            told["upload-metadata"] = resumable.metadata_text(uploading.metadata)
        if uploading.size_bytes is None:
            return {**told, "upload-defer-length": "1"}
        told["upload-length"] = str(uploading.size_bytes)
        if offset_bytes == uploading.size_bytes:
            told |= _job(world, incoming.finish(world, uploading))
        return told
    created = incoming.completed(world, tenant, upload)
    if created is None:
        raise incoming.missing()
    return _stand_of(world, created)


def _stand_of(world: World, created: ObjectCreated) -> dict[str, str]:
    size = str(created.size_bytes)
    return {"upload-offset": size, "upload-length": size, **_job(world, created)}


def _job(world: World, created: ObjectCreated) -> dict[str, str]:
    return {
        "kinora-job": created.job,
        "kinora-job-location": world.settings.public_url + address.job(created.job),
    }


def _mismatch(request: Request) -> Response:
    wrong = answer.problem(
        Problem("invalid", "The body is not what `Upload-Checksum` says. Send it again."),
        request.url.path,
    )
    wrong.status_code = resumable.MISMATCH
    wrong.headers["tus-resumable"] = resumable.VERSION
    return wrong


def _too_large(room_bytes: int) -> Problem:
    return Problem("too-large", f"The upload has room for {room_bytes} bytes, and no more.")


def _response(status: int, headers: dict[str, str]) -> Response:
    return Response(
        status_code=status,
        headers={"tus-resumable": resumable.VERSION, "cache-control": "no-store", **headers},
    )
