"""Uploads: straight to the bucket where the store can sign, through here where not."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from eventing.cloudevent import timestamp
from eventing.contract import ObjectCreated
from functions.gateway import address
from functions.gateway.access.caller import Uploader
from functions.gateway.edge.idempotency import PROBLEMS as ONCE
from functions.gateway.edge.idempotency import Made, TheKey
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.jobs.options import JobOptions
from functions.gateway.moment import Timestamp
from functions.gateway.payload import Payload
from functions.gateway.uploading import incoming
from functions.gateway.uploading import view as uploadview
from functions.gateway.uploading.body import Dropped, pieces
from functions.gateway.uploading.hold import holding
from functions.gateway.uploading.reception import Excess, Reception
from functions.gateway.uploading.view import SIGNED_S, Upload
from functions.gateway.world import TheWorld, World
from functions.jobs.intake import Found, Lost
from functions.jobs.refusal import refuse
from functions.jobs.uploading import Method
from functions.ports import MAX_PARTS

router = APIRouter(tags=["uploads"])

_SIGNED_PARTS: Final = 1000

UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="An upload's id.")]


class NewUpload(Payload):
    name: Annotated[str, Field(min_length=1, max_length=1024, description="The file's name.")]
    method: Annotated[
        Method,
        Field(
            description="`post`: one form straight to the bucket. `multipart`: parts straight to "
            "the bucket. `tus`: through the gateway, resumable. `direct`: through the gateway, in "
            "one request. The first two need a store that clients can reach."
        ),
    ] = "tus"
    size_bytes: Annotated[
        int | None, Field(ge=0, le=2**53, description="Needed for `multipart`.")
    ] = None
    content_type: Annotated[str, Field(max_length=100, pattern="^[!-~]*(; ?[!-~]+)*$")] = ""
    options: JobOptions = JobOptions()


class Numbers(Payload):
    """Of the parts."""

    numbers: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_PARTS)]],
        Field(min_length=1, max_length=_SIGNED_PARTS),
    ]


class SignedPart(BaseModel):
    number: Annotated[int, Field(description="Of the part, from 1.")]
    url: Annotated[str, Field(description="Where to PUT the part.")]
    size_bytes: Annotated[int, Field(description="What it has to have.")]


class SignedParts(BaseModel):
    parts: list[SignedPart]
    expires: Timestamp


@router.post(
    "/uploads",
    summary="Begin an upload",
    status_code=201,
    response_model=Upload,
    responses=responses("refused", *ONCE),
)
def create_upload(
    asked: NewUpload, request: Request, world: TheWorld, caller: Uploader, key: TheKey
) -> Any:
    """Begin an upload. What becomes of it is a job, with these options."""
    if asked.method == "multipart" and asked.size_bytes is None:
        raise Problem("invalid", "`size_bytes` is needed for `multipart`.")
    options = asked.options.model_dump(exclude_unset=True)
    wanted = incoming.Asked(
        name=asked.name,
        method=asked.method,
        size_bytes=asked.size_bytes,
        content_type=asked.content_type,
        options=incoming.options_of({}, options),
    )

    def make(name: str) -> Made:
        found = incoming.begin(world, caller.tenant, wanted, upload=name)
        return Made(
            uploadview.open_(request, world, found.uploading, ()),
            headers={"location": address.upload(name)},
        )

    return key.answer(caller, asked, make)


@router.get("/uploads/{upload}", summary="Get an upload", responses=responses("not-found", "gone"))
def get_upload(upload: UploadId, request: Request, world: TheWorld, caller: Uploader) -> Upload:
    """How far an upload is."""
    found = incoming.find(world, caller.tenant, upload)
    if found is None:
        return uploadview.completed(
            request, world, upload, _completed(world, caller.tenant, upload)
        )
    try:
        parts = incoming.intake(world).parts(found.uploading)
    except Lost:
        # Also when its object was made, and whoever made it could not tell of it.
        created = incoming.finish(world, found.uploading)
        return uploadview.completed(request, world, upload, created)
    return uploadview.open_(request, world, found.uploading, parts)


@router.post(
    "/uploads/{upload}/parts",
    summary="Presign parts",
    responses=responses("not-found", "conflict"),
)
def sign_parts(upload: UploadId, asked: Numbers, world: TheWorld, caller: Uploader) -> SignedParts:
    """Addresses that parts may be PUT to, for a quarter of an hour."""
    uploading = _found(world, caller.tenant, upload, "multipart").uploading
    signed = []
    for number in asked.numbers:
        try:
            size_bytes = uploading.length_of(number)
        except ValueError as error:
            raise Problem("invalid", f"In an upload of this size, {error}.") from None
        url = world.uploads.sign_part(
            uploading.key, uploading.upload, number, size_bytes=size_bytes, ttl_s=SIGNED_S
        )
        signed.append(SignedPart(number=number, url=url, size_bytes=size_bytes))
    return SignedParts(parts=signed, expires=timestamp(world.clock() + SIGNED_S))


@router.post(
    "/uploads/{upload}/complete",
    summary="Complete an upload",
    responses=responses("not-found", "conflict", "gone"),
)
def complete_upload(
    upload: UploadId, request: Request, world: TheWorld, caller: Uploader
) -> Upload:
    """Make the object of what was taken, and a job of the object. Again is harmless."""
    found = incoming.find(world, caller.tenant, upload)
    if found is None:
        created = _completed(world, caller.tenant, upload)
    else:
        created = incoming.finish(world, found.uploading)
    return uploadview.completed(request, world, upload, created)


@router.delete(
    "/uploads/{upload}",
    summary="Abort an upload",
    status_code=204,
    responses=responses("not-found", "conflict"),
)
def abort_upload(upload: UploadId, world: TheWorld, caller: Uploader) -> None:
    """Drop the upload and what was taken."""
    found = incoming.find(world, caller.tenant, upload)
    if found is None:
        created = _completed(world, caller.tenant, upload)
        raise Problem("conflict", f"It is complete. Cancel the job {created.job}, if need be.")
    incoming.intake(world).abort(found.uploading)


@router.put(
    "/uploads/{upload}/content",
    summary="Send a file in one request",
    response_model=Upload,
    responses=responses("not-found", "conflict", "gone", "refused"),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def put_content(upload: UploadId, request: Request, world: TheWorld, caller: Uploader) -> Any:
    """The whole file, in one request; an upload that breaks off begins anew."""
    holder = incoming.new_id(world)
    with request.app.state.places.one(caller.tenant) as widen:
        async with holding(world.state, upload, holder=holder) as hold:
            found = await asyncio.to_thread(_found, world, caller.tenant, upload, "direct")
            uploading = found.uploading
            widen(incoming.width(world, uploading))
            reception = Reception(
                incoming.intake(world), uploading, incoming.limit_bytes(world, uploading)
            )
            try:
                await reception.take(pieces(request, hold))
                await reception.end()
            except Dropped:
                raise Problem("too-slow", "The file did not arrive whole. Send it again.") from None
            except Excess:
                raise Problem(
                    "too-large", f"There is room for {reception.limit_bytes} bytes, and no more."
                ) from None
            except Lost:
                raise incoming.gone() from None
            if not reception.offset_bytes:
                raise refuse("source_empty")
            created = await asyncio.to_thread(incoming.finish, world, uploading, reception.written)
    return uploadview.completed(request, world, upload, created)


def _found(world: World, tenant: str, upload: str, method: Method) -> Found:
    """The open upload. Raises Problem: not-found, conflict for one of another kind."""
    found = incoming.find(world, tenant, upload)
    if found is None:
        _completed(world, tenant, upload)
        raise Problem("conflict", "The upload is complete.")
    if found.uploading.method != method:
        raise Problem("conflict", f"The upload is `{found.uploading.method}`, not `{method}`.")
    return found


def _completed(world: World, tenant: str, upload: str) -> ObjectCreated:
    """Raises Problem: not-found for an upload that is not complete either."""
    created = incoming.completed(world, tenant, upload)
    if created is None:
        raise incoming.missing()
    return created
