"""Who asks, and what they may do: by API key, token or session, or by reaching an open gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer, SecurityScopes

from functions.gateway.access import session
from functions.gateway.access.token import Invalid
from functions.gateway.edge.problem import Problem
from functions.gateway.world import TheWorld, World
from functions.jobs.apikey import SCOPES, ApiKey

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An API key (`kinora keys create`), or a token of the identity provider.",
)
_cookie = APIKeyCookie(
    name=session.COOKIE,
    auto_error=False,
    scheme_name="session",
    description="A browser that was shown a key by `POST /session`; from our own pages only.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    tenant: str
    scopes: frozenset[str]
    subject: str
    """The key, token or cookie behind the request, for limits and logs."""


def identified(request: Request, world: TheWorld) -> Caller | None:
    """Who asks, None for somebody who shows nothing, or a session that is over.

    For pages, which send people to sign in. Raises Problem for wrong credentials.
    """
    if shown := request.headers.get("authorization"):
        return _by_header(request, world, shown)
    if (cookie := request.cookies.get(session.COOKIE)) and (found := _by_cookie(world, cookie)):
        require_same_origin(request, world)
        return found
    if world.settings.open_to:
        # Whoever reaches a loopback address; `edge` sees to it that no other site's page does.
        return Caller(
            tenant=world.settings.open_to, scopes=frozenset(SCOPES), subject="anybody here"
        )
    return None


def caller(
    request: Request,
    needed: SecurityScopes,
    world: TheWorld,
    # Only for the OpenAPI document: what is shown is read above.
    bearer: Annotated[object, Depends(_bearer)],
    cookie: Annotated[object, Depends(_cookie)],
) -> Caller:
    """Raises Problem: unauthorized without valid credentials, forbidden without the scopes,
    too-many for more requests than are allowed."""
    found = identified(request, world)
    if found is None:
        raise unauthorized("Send an API key as `Authorization: Bearer …`.")
    request.state.tenant, request.state.subject = found.tenant, found.subject
    world.rates.request(tenant=found.tenant, subject=found.subject)
    if missing := [scope for scope in needed.scopes if scope not in found.scopes]:
        raise Problem(
            "forbidden",
            f"The credentials lack the scope `{missing[0]}`.",
            scope=missing[0],
        )
    return found


def unauthorized(detail: str) -> Problem:
    """The answer to who shows nothing, or nothing valid (RFC 6750, section 3)."""
    return Problem("unauthorized", detail, headers={"www-authenticate": 'Bearer realm="kinora"'})


def by_key(request: Request, world: World, text: str) -> ApiKey:
    """The key of this text. Raises Problem: unauthorized, too-many for whoever guesses."""
    found = world.keys.find(text)
    if found is None:
        world.rates.guess(request.client.host if request.client else "")
        raise unauthorized("There is no such key: it was never made, was revoked, or has expired.")
    return found


def require_same_origin(request: Request, world: World) -> None:
    """Raises Problem where another site's page lets a browser send what changes something.

    SameSite=Strict keeps the cookie away from other sites; this also holds off other ports and
    subdomains of ours, which are the same site.
    """
    if request.method in SAFE or is_same_origin(request, world.settings.public_url):
        return
    raise Problem("forbidden", "A page of another origin may not do this.")


def is_same_origin(request: Request, public_url: str) -> bool:
    """False for what a browser says comes from a page elsewhere; true for other clients."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return origin in {_origin(str(request.base_url)), _origin(public_url)}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _by_header(request: Request, world: World, shown: str) -> Caller:
    scheme, _, text = shown.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        raise unauthorized("`Authorization` has to be `Bearer …`.")
    if text.startswith("kinora_"):
        return _of_key(by_key(request, world, text))
    if world.tokens is None:
        raise unauthorized("This is no API key, and no tokens are taken here.")
    try:
        token = world.tokens.read(text)
    except Invalid as error:
        world.rates.guess(request.client.host if request.client else "")
        raise unauthorized(f"The token is not accepted: {error}.") from None
    return Caller(tenant=token.tenant, scopes=token.scopes, subject=token.subject)


def _by_cookie(world: World, cookie: str) -> Caller | None:
    found = world.sessions.read(cookie, now_s=world.clock())
    key = world.keys.named(found.tenant, found.key_id) if found else None
    return _of_key(key) if key else None


def _of_key(key: ApiKey) -> Caller:
    return Caller(tenant=key.tenant, scopes=frozenset(key.scopes), subject=f"key:{key.id}")


JobReader = Annotated[Caller, Security(caller, scopes=["jobs:read"])]
JobWriter = Annotated[Caller, Security(caller, scopes=["jobs:write"])]
Uploader = Annotated[Caller, Security(caller, scopes=["uploads:write"])]
WebhookWriter = Annotated[Caller, Security(caller, scopes=["webhooks:write"])]
ProfileReader = Annotated[Caller, Security(caller, scopes=["profiles:read"])]
"""A route's parameter of one of these types is given the caller, who has that scope."""

Visitor = Annotated[Caller | None, Depends(identified)]
"""For pages: the caller, or None for somebody who has to sign in first."""
