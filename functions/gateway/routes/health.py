"""/health, /ready and /metrics."""

from __future__ import annotations

import hmac
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from functions.gateway.access.caller import unauthorized
from functions.gateway.edge import meters
from functions.gateway.edge.meters import Meters
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.edge.readiness import Readiness, Word
from functions.gateway.world import TheWorld

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    alive: Literal[True] = True


class Checks(BaseModel):
    """`silent`: no answer in time."""

    object_store: Word
    state_store: Word
    broker: Word


class Ready(BaseModel):
    ready: Literal[True] = True
    checks: Checks


@router.get("/health", summary="Check that the process lives")
async def get_health() -> Alive:
    """This process answers. Says nothing of what it needs: that is `/ready`."""
    return Alive()


@router.get("/ready", summary="Check what is needed", responses=responses("unavailable"))
def get_readiness(request: Request) -> Ready:
    """The object store can be reached, without which nothing can be told, taken or played.

    The state store and the broker are looked at too. While one of them is away uploads wait, but
    jobs are taken, told of and played: no reason to be sent nothing.
    """
    readiness = request.app.state.readiness
    assert isinstance(readiness, Readiness)
    checks = readiness.look()
    if checks["object_store"] != "ok":
        raise Problem(
            "unavailable",
            "The object store cannot be reached.",
            headers={"retry-after": "5"},
            checks=checks,
        )
    return Ready(checks=Checks.model_validate(checks))


@router.get(
    "/metrics",
    summary="Get metrics",
    response_class=Response,
    responses={
        200: {
            "description": "One family after the other.",
            "content": {meters.MEDIA_TYPE: {"schema": {"type": "string"}}},
        },
        **responses("unauthorized"),
    },
)
def get_metrics(request: Request, world: TheWorld) -> Response:
    """Counters of this process and of what is open, in Prometheus's text format."""
    wanted = world.settings.metrics_token
    shown = request.headers.get("authorization", "")
    if wanted and not hmac.compare_digest(shown.encode(), f"Bearer {wanted}".encode()):
        raise unauthorized("Send the token of KINORA_METRICS_TOKEN as `Authorization: Bearer …`.")
    found = request.app.state.meters
    assert isinstance(found, Meters)
    return Response(found.text(), media_type=meters.MEDIA_TYPE)
