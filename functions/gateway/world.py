"""Everything outside of the gateway that its routes work with, in one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from eventing.publish import Publish
from functions.gateway.access.credentials import Keys
from functions.gateway.access.limits import Rates
from functions.gateway.access.quota import Quotas
from functions.gateway.access.session import Sessions
from functions.gateway.access.token import Tokens
from functions.gateway.jobs.preview import Previews
from functions.gateway.settings import Settings
from functions.jobs.acceptance import Acceptance
from functions.jobs.seal import Seal
from functions.ports import Clock, ObjectStore, StateStore, Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    store: ObjectStore
    state: StateStore
    uploads: Uploads
    publish: Publish
    knock: Callable[[], None]
    """Raises Unavailable unless the broker answers."""
    reach: Callable[[str], object]
    """Looks up where a URL leads. Raises Forbidden where no webhook goes."""
    clock: Clock
    random: Callable[[int], bytes]
    """So many random bytes that nobody can guess (`secrets.token_bytes`)."""
    acceptance: Acceptance
    seal: Seal
    keys: Keys
    sessions: Sessions
    tokens: Tokens | None
    """None where only API keys are taken."""
    rates: Rates
    quotas: Quotas
    previews: Previews
    settings: Settings


async def world_of(request: Request) -> World:
    # Not a plain function: those cost a change of thread each.
    world = request.app.state.world
    assert isinstance(world, World)
    return world


TheWorld = Annotated[World, Depends(world_of)]
"""A route's parameter of this type is given the world."""
