"""docs/openapi.json: the API as the gateway itself describes it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from functions.gateway.app import create
from functions.gateway.settings import Settings
from functions.gateway.world import World
from functions.jobs import acceptance
from functions.jobs.seal import KEY_BYTES, Seal


def document() -> dict[str, Any]:
    """What GET /api/v1/openapi.json answers."""
    settings = Settings(
        store="",
        state="",
        sink="",
        acceptance=acceptance.Settings(
            profiles=(), tenants={}, priorities={}, max_source_bytes=acceptance.MAX_SOURCE_BYTES
        ),
        seal=Seal((bytes(KEY_BYTES),)),
    )
    # Nothing is asked of the world: routes are described, not called.
    world = SimpleNamespace(
        settings=settings,
        uploads=SimpleNamespace(origin=""),
        store=None,
        state=None,
        clock=None,
        random=None,
        knock=None,
    )
    return create(cast(World, world)).openapi()


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
