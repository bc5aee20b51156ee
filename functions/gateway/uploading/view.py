"""An upload as the API tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import Request
from pydantic import BaseModel, Field

from eventing.cloudevent import timestamp
from eventing.contract import ObjectCreated
from functions.gateway import address
from functions.gateway.address import base_url
from functions.gateway.moment import Timestamp
from functions.gateway.uploading import incoming
from functions.gateway.world import World
from functions.jobs import layout
from functions.jobs.uploading import Method, Uploading
from functions.ports import Part

SIGNED_S: Final = 900
"""How long what is presigned may be used."""


class Form(BaseModel):
    url: str
    fields: Annotated[
        dict[str, str], Field(description="In this order, followed by the field `file`.")
    ]
    expires: Timestamp


class TakenPart(BaseModel):
    number: int
    size_bytes: int


class UploadLinks(BaseModel):
    self: str
    complete: str
    parts: Annotated[str | None, Field(description="Where parts are presigned (`multipart`).")]
    content: Annotated[str | None, Field(description="Where the file is PUT (`direct`).")]
    tus: Annotated[str | None, Field(description="For tus 1.0 clients (`tus`).")]
    job: Annotated[str | None, Field(description="What became of it.")]


class Upload(BaseModel):
    upload: Annotated[str, Field(description="Its id.")]
    state: Literal["open", "completed"]
    method: Annotated[Method | None, Field(description="Null for what is complete.")]
    object: Annotated[str, Field(description="Where the object is, or will be.")]
    size_bytes: Annotated[int | None, Field(description="Null where it was not announced.")]
    offset_bytes: Annotated[int, Field(description="Taken so far, from the start, without a gap.")]
    part_bytes: Annotated[
        int | None, Field(description="Of every part but the last (`multipart`).")
    ]
    parts: Annotated[list[TakenPart], Field(description="Taken so far (`multipart`).")]
    form: Annotated[Form | None, Field(description="What to post (`post`), signed anew.")]
    created: Annotated[Timestamp | None, Field(description="Null for what is complete.")]
    expires: Annotated[
        Timestamp | None, Field(description="It is aborted then; null for what is complete.")
    ]
    job: Annotated[str | None, Field(description="Id of the job that it became.")]
    links: UploadLinks


def open_(request: Request, world: World, uploading: Uploading, parts: Sequence[Part]) -> Upload:
    """One that is open; a form is signed anew each time."""
    base, multipart = base_url(request, world), uploading.method == "multipart"
    form = None
    if uploading.method == "post":
        signed = world.uploads.sign_post(
            uploading.key,
            max_bytes=incoming.limit_bytes(world, uploading),
            ttl_s=SIGNED_S,
            content_type=uploading.content_type,
        )
        expires = timestamp(world.clock() + SIGNED_S)
        form = Form(url=signed.url, fields=dict(signed.fields), expires=expires)
    return Upload(
        upload=uploading.id,
        state="open",
        method=uploading.method,
        object=uploading.key,
        size_bytes=uploading.size_bytes,
        offset_bytes=uploading.offset_bytes(parts),
        part_bytes=uploading.part_bytes if multipart else None,
        parts=[TakenPart(number=part.number, size_bytes=part.size_bytes) for part in parts]
        if multipart
        else [],
        form=form,
        created=timestamp(uploading.created_s),
        expires=timestamp(uploading.expires_s),
        job=None,
        links=_links(base, uploading.id, method=uploading.method, job=None),
    )


def completed(request: Request, world: World, upload: str, created: ObjectCreated) -> Upload:
    """One of which its object is left."""
    base = base_url(request, world)
    return Upload(
        upload=upload,
        state="completed",
        method=None,
        object=f"{layout.UPLOADS}/{created.key}",
        size_bytes=created.size_bytes,
        offset_bytes=created.size_bytes,
        part_bytes=None,
        parts=[],
        form=None,
        created=None,
        expires=None,
        job=created.job,
        links=_links(base, upload, method=None, job=created.job),
    )


def _links(base: str, upload: str, *, method: Method | None, job: str | None) -> UploadLinks:
    at = base + address.upload(upload)
    return UploadLinks(
        self=at,
        complete=f"{at}/complete",
        parts=f"{at}/parts" if method == "multipart" else None,
        content=f"{at}/content" if method == "direct" else None,
        tus=base + address.tus(upload) if method == "tus" else None,
        job=base + address.job(job) if job else None,
    )
