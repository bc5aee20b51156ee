"""Where things are at the gateway: the one place that spells the API's own paths."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from functions.gateway.world import World

API: Final = "/api/v1"


def base_url(request: Request, world: World) -> str:
    """Where clients reach the gateway, without a slash at the end."""
    return world.settings.public_url or str(request.base_url).rstrip("/")


def job(name: str) -> str:
    return f"{API}/jobs/{name}"


def upload(name: str) -> str:
    return f"{API}/uploads/{name}"


def tus(upload: str) -> str:
    return f"{API}/tus/{upload}"


def webhook(endpoint: str) -> str:
    return f"{API}/webhooks/{endpoint}"
