"""The source that a request names: an object by its address, or a file that was uploaded."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from functions.gateway.edge.problem import Problem
from functions.gateway.payload import Alternative
from functions.gateway.uploading import incoming
from functions.gateway.world import World
from functions.jobs import layout, naming
from functions.jobs.manifest import SourceObject


class NamedSource(Alternative):
    """Of a tenant's own, whichever way it is named."""

    ALTERNATIVES: ClassVar[tuple[str, ...]] = ("object", "upload")

    object: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            description="Where the source lies, as `uploads/<tenant>/film.mp4`.",
        ),
    ] = ""
    upload: Annotated[
        str,
        Field(pattern="^[0-9a-f]{32}$", description="The id of an upload that is completed."),
    ] = ""


def source_of(world: World, tenant: str, named: NamedSource) -> SourceObject:
    """The source as it is now.

    Raises Problem: not-found where there is none that is this tenant's, conflict for an upload
    that is not completed.
    """
    if named.given == "upload":
        return _uploaded(world, tenant, named.upload)
    return _at(world, tenant, named.object)


def _at(world: World, tenant: str, address: str) -> SourceObject:
    """The object under `<bucket>/<key>`."""
    bucket, _, key = address.partition("/")
    info = None
    # Of our own buckets only the uploads hold sources; in the others a key names no tenant.
    if (
        (bucket == layout.UPLOADS or bucket in world.acceptance.tenants)
        and naming.is_addressable(address)
        and naming.tenant_of(bucket, key, world.acceptance.tenants) == tenant
    ):
        info = world.store.head(address)
    if info is None:
        raise Problem(
            "not-found",
            f"There is no object {address} that is yours; yours begin with"
            f" {layout.UPLOADS}/{tenant}/.",
        )
    return SourceObject.of(info)


def _uploaded(world: World, tenant: str, upload: str) -> SourceObject:
    created = incoming.completed(world, tenant, upload)
    if created is not None:
        return _at(world, tenant, f"{created.bucket}/{created.key}")
    if incoming.find(world, tenant, upload) is None:
        raise incoming.missing()
    raise Problem(
        "conflict", "The upload is not completed. Once it is, a job is made of it in any case."
    )
