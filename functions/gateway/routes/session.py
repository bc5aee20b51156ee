"""Signing a browser in with a key, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from eventing.cloudevent import timestamp
from functions.gateway.access import session
from functions.gateway.access.caller import by_key, require_same_origin
from functions.gateway.access.session import Session
from functions.gateway.edge import problem
from functions.gateway.moment import Timestamp
from functions.gateway.payload import Payload
from functions.gateway.world import TheWorld, World

router = APIRouter(
    tags=["session"],
    responses=problem.responses("too-slow", "too-large", "invalid", "internal", "unavailable"),
)


class SignIn(Payload):
    key: Annotated[str, Field(min_length=1, max_length=200, description="An API key.")]


class SignedIn(BaseModel):
    tenant: str
    scopes: list[str]
    expires: Annotated[Timestamp, Field(description="After that the key is asked for again.")]


@router.post(
    "/session",
    summary="Sign in",
    responses=problem.responses("unauthorized", "forbidden", "too-many"),
)
def sign_in(asked: SignIn, request: Request, response: Response, world: TheWorld) -> SignedIn:
    """Show a key once; the browser is known by a cookie from then on."""
    # Else a page elsewhere could sign a browser in as somebody else.
    require_same_origin(request, world)
    key = by_key(request, world, asked.key.strip())
    expires_s = world.clock() + world.settings.session_ttl_s
    if key.expires_s is not None:
        expires_s = min(expires_s, key.expires_s)
    found = Session(key.tenant, key.id, int(expires_s))
    response.set_cookie(
        session.COOKIE,
        world.sessions.text(found),
        max_age=max(0, int(expires_s - world.clock())),
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_secure(request, world),
    )
    response.headers["cache-control"] = "no-store"
    return SignedIn(tenant=key.tenant, scopes=list(key.scopes), expires=timestamp(found.expires_s))


@router.delete(
    "/session", summary="Sign out", status_code=204, responses=problem.responses("forbidden")
)
def sign_out(request: Request, response: Response, world: TheWorld) -> None:
    """Forget the key. Without a session nothing happens."""
    require_same_origin(request, world)
    response.delete_cookie(
        session.COOKIE,
        path="/",
        httponly=True,
        samesite="strict",
        secure=_is_secure(request, world),
    )


def _is_secure(request: Request, world: World) -> bool:
    return request.url.scheme == "https" or world.settings.public_url.startswith("https:")
