"""Uploads as requests see them: begun where that is allowed, told of when their object is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from eventing.cloudevent import timestamp
from eventing.contract import ObjectCreated
from eventing.envelope import wrap
from functions.gateway.access.limits import too_many
from functions.gateway.edge.problem import Problem
from functions.gateway.uploading import filename
from functions.gateway.world import World
from functions.jobs import layout, options
from functions.jobs.intake import Found, Incomplete, Intake, Lost
from functions.jobs.refusal import in_units, refuse
from functions.jobs.uploading import Method, Uploading, part_bytes
from functions.ports import MAX_PARTS, Part

PRODUCER: Final = "gateway"
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client wants to upload."""

    name: str
    method: Method
    size_bytes: int | None = None
    content_type: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `Options`, with their types right."""
    metadata: Mapping[str, str] = field(default_factory=dict)


def intake(world: World) -> Intake:
    return Intake(world.store, world.uploads)


def begin(world: World, tenant: str, asked: Asked, *, upload: str) -> Found:
    """A new upload, or the one of this id. Raises Rejected for what could never become a job,
    Problem for what this store does not do, what is too large and too many at a time."""
    _judge(world, asked)
    if asked.method in ("post", "multipart") and not world.uploads.origin:
        raise Problem(
            "invalid",
            f"Clients cannot write to this store, as `{asked.method}` needs it: use `tus` or"
            " `direct`.",
        )
    name = filename.safe(asked.name)
    if (found := find(world, tenant, upload)) is not None:
        return found
    limit = world.settings.limits.open_uploads
    if limit:
        begun = world.store.list(layout.uploading(tenant, ""))
        if sum(1 for _ in islice(begun, limit)) >= limit:
            raise too_many(f"{limit} uploads are open. Complete or delete one.", 60)
    now_s = world.clock()
    least = max(world.settings.part_bytes, world.uploads.part_bytes)
    return intake(world).begin(
        Uploading(
            id=upload,
            tenant=tenant,
            method=asked.method,
            key=f"{layout.uploaded_prefix(tenant, upload)}{name}",
            size_bytes=asked.size_bytes,
            part_bytes=part_bytes(asked.size_bytes, least=least),
            options=asked.options,
            content_type=asked.content_type,
            metadata=asked.metadata,
            created_s=now_s,
            expires_s=now_s + world.settings.upload_ttl_s,
        )
    )


def find(world: World, tenant: str, upload: str) -> Found | None:
    """The upload's record, None where it is complete, expired, or never was."""
    found = intake(world).find(tenant, upload) if _is_id(upload) else None
    if found is not None and found.uploading.expires_s <= world.clock():
        return None  # the sweep is about to abort it
    return found


def completed(world: World, tenant: str, upload: str) -> ObjectCreated | None:
    """What was told of an upload that is complete."""
    return intake(world).completed(tenant, upload) if _is_id(upload) else None


def finish(
    world: World, uploading: Uploading, parts: Sequence[Part] | None = None
) -> ObjectCreated:
    """Make the object, tell of it, forget the upload. Raises Problem: conflict while something is
    missing, gone where the store dropped it."""
    work = intake(world)
    try:
        created = work.complete(uploading, parts)
    except Incomplete as error:
        raise Problem("conflict", str(error)) from None
    except Lost:
        raise gone() from None
    world.publish(wrap(created, producer=PRODUCER, time=timestamp(world.clock())))
    work.conclude(uploading)
    return created


def new_id(world: World) -> str:
    return world.random(_ID_BYTES).hex()


def limit_bytes(world: World, uploading: Uploading) -> int:
    """The most that the object may have."""
    if uploading.size_bytes is not None:
        return uploading.size_bytes
    return min(world.acceptance.max_source_bytes, uploading.part_bytes * MAX_PARTS)


def width(world: World, uploading: Uploading) -> int:
    """How many ordinary uploads keep as much in memory."""
    return -(-uploading.part_bytes // world.settings.part_bytes)


def judge_size(world: World, size_bytes: int) -> None:
    """Raises Rejected for no bytes, Problem (too-large) for too many."""
    if size_bytes == 0:
        raise refuse("source_empty")
    if size_bytes > world.acceptance.max_source_bytes:
        raise Problem(
            "too-large",
            f"The file is {in_units(size_bytes)}, and the limit is"
            f" {in_units(world.acceptance.max_source_bytes)}.",
        )


def missing() -> Problem:
    return Problem("not-found", "There is no such upload: it never was, or has expired.")


def gone() -> Problem:
    return Problem("gone", "The upload was aborted or has expired. Begin it again.")


def options_of(metadata: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options that are named in metadata `kinora-…` or asked for, with their types right.

    Raises Rejected (`options_invalid`).
    """
    parsed = options.parse(metadata, None, sidecar_name="", asked=asked)
    named = {
        name.removeprefix(options.METADATA_PREFIX).replace("-", "_")
        for name in metadata
        if name.startswith(options.METADATA_PREFIX)
    }
    return {name: getattr(parsed, name) for name in sorted(named | asked.keys())}


def _judge(world: World, asked: Asked) -> None:
    profile = asked.options.get("profile")
    if profile is not None and profile not in world.acceptance.profiles:
        known = ", ".join(sorted(world.acceptance.profiles))
        raise refuse("profile_unknown", profile=profile, known=known)
    if asked.size_bytes is not None:
        judge_size(world, asked.size_bytes)


def _is_id(text: str) -> bool:
    return len(text) == 2 * _ID_BYTES and all(char in "0123456789abcdef" for char in text)
