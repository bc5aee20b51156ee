"""The gateway as an ASGI application: routes, problems, limits. Pure wiring over a World."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from functions.gateway.address import API
from functions.gateway.edge import answer, openapi, problem
from functions.gateway.edge.envelope import Edge
from functions.gateway.edge.meters import Meters
from functions.gateway.edge.readiness import DEADLINE_S, Readiness
from functions.gateway.live.watch import Watches
from functions.gateway.routes import (
    endpoints,
    health,
    jobs,
    media,
    page,
    plans,
    profiles,
    progress,
    session,
    tus,
    uploads,
)
from functions.gateway.uploading.places import Places
from functions.gateway.world import World
from functions.jobs import layout


def create(world: World) -> FastAPI:
    """The application over `world`."""
    app = _Gateway(
        title="Kinora",
        version="1",
        description=openapi.DESCRIPTION,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
        # Spans of a job are made where its events are handled.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.world = world
    app.state.places = Places(world.settings.receptions)
    app.state.meters = Meters(world.store, world.clock)
    app.state.ending = asyncio.Event()
    """Set when the process is told to end: streams close then, and are taken up elsewhere."""
    app.state.watches = Watches(app.state.ending)
    app.state.readiness = Readiness(
        {
            "object_store": lambda: world.store.head(layout.READY),
            "state_store": lambda: world.state.held("ready"),
            "broker": world.knock,
        },
        deadline_s=DEADLINE_S,
    )
    app.add_middleware(
        Edge,
        settings=world.settings,
        bucket=world.uploads.origin,
        meters=app.state.meters,
        random=world.random,
    )
    if world.settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=world.settings.origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("*",),
            expose_headers=("*",),
            # A key stands in a header; the cookie is for our own pages alone.
            allow_credentials=False,
            max_age=600,
        )
    everywhere = problem.responses(*problem.EVERYWHERE)
    for routes in (jobs, progress, uploads, tus, profiles, plans, endpoints):
        app.include_router(routes.router, prefix=API, responses=everywhere)
    for routes in (health, session, media, page):
        app.include_router(routes.router)
    answer.install(app)
    return app


class _Gateway(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if not self.openapi_schema:
            self.openapi_schema = openapi.complete(super().openapi())
        return self.openapi_schema
