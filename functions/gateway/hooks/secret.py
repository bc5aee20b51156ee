"""Secrets of an endpoint: made, shown once, and replaced while the old ones count on for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from functions.gateway.world import World
from functions.webhooks import endpoint as endpoints
from functions.webhooks.endpoint import Endpoint, Scheme, Secret
from functions.webhooks.signature import SECRET_BYTES, Key

_NONCE_BYTES: Final = 12
_MOST: Final = 6
"""What deliveries carry signatures of, at most, however often it is rotated."""


def new(world: World, tenant: str, endpoint: str, schemes: Sequence[Scheme]) -> tuple[Secret, ...]:
    """One for each of the schemes."""
    about = endpoints.about(tenant, endpoint)
    made = []
    for scheme in dict.fromkeys(schemes):
        key = Key(scheme=scheme, secret=world.random(SECRET_BYTES))
        sealed = world.seal.seal(key.secret, about=about, nonce=world.random(_NONCE_BYTES))
        made.append(
            Secret(scheme=scheme, sealed=sealed, created_s=world.clock(), public=key.public)
        )
    return tuple(made)


def shown(world: World, endpoint: Endpoint) -> str:
    """The newest secret, as its receiver needs it; of two kinds, the one that is a secret."""
    current = [each for each in endpoint.secrets if each.expires_s is None]
    chosen = min(current, key=lambda each: each.scheme)
    about = endpoints.about(endpoint.tenant, endpoint.id)
    return Key(scheme=chosen.scheme, secret=world.seal.open(chosen.sealed, about=about)).shown


def rotated(
    endpoint: Endpoint, secrets: tuple[Secret, ...], *, now_s: float, overlap_s: float
) -> Endpoint:
    """With these secrets before those it has, which count for `overlap_s` more.

    Again is harmless.
    """
    if endpoint.secrets[: len(secrets)] == secrets:
        return endpoint
    old = tuple(
        _until(each, now_s + overlap_s)
        for each in endpoint.secrets
        if each.counts(now_s) and overlap_s
    )
    return replace(endpoint, secrets=(*secrets, *old)[:_MOST])


def _until(secret: Secret, expires_s: float) -> Secret:
    return replace(secret, expires_s=min(expires_s, secret.expires_s or expires_s))
