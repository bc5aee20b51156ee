"""The gateway from its environment to its server: what it is made of, chosen and put together."""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial

from eventing import log
from eventing.publish import Publisher
from functions.adapters import binaries, connect, descriptors, jwks, knock, process, scratch
from functions.adapters.reach import FewAtATime, Reach
from functions.gateway.access.credentials import Keys
from functions.gateway.access.limits import Rates
from functions.gateway.access.quota import Quotas
from functions.gateway.access.session import Sessions
from functions.gateway.access.token import Tokens
from functions.gateway.app import create
from functions.gateway.edge.server import MAX_DESCRIPTORS, Server
from functions.gateway.jobs.preview import Previews, within_a_request
from functions.gateway.settings import Settings
from functions.gateway.world import World
from functions.jobs import rates as learned
from functions.planning.surveyor import Surveyor

_log = logging.getLogger(__name__)


def assembled() -> tuple[Server, Callable[[], None]]:
    """A server that only has to run, and what is to be done after it. Ends the process where a
    setting is wrong."""
    log.start(os.environ.get("KINORA_LOG_LEVEL", "INFO"))
    try:
        settings = Settings.read(os.environ)
    except ValueError as error:
        sys.exit(f"the gateway does not start: {error}")
    store = connect.object_store(settings.store)
    # Somebody waits; what the broker does not take by then, the sweeper tells it later.
    publisher = Publisher(settings.sink, deadline_s=5.0, attempt_timeout_s=3.0)
    issuer = settings.issuer
    world = World(
        store=store,
        state=connect.state_store(settings.state),
        uploads=connect.uploads(settings.store),
        publish=publisher,
        knock=knock.at(settings.sink),
        reach=FewAtATime(Reach(allow=settings.allow)),
        clock=time.time,
        random=secrets.token_bytes,
        acceptance=settings.acceptance.over(store),
        seal=settings.seal,
        keys=Keys(store, time.time),
        sessions=Sessions(settings.seal),
        tokens=Tokens(issuer, jwks.at(issuer.jwks)) if issuer else None,
        rates=Rates(settings.limits, connect.rate_limits(settings.state)),
        quotas=Quotas(store, time.time, settings.limits),
        previews=Previews(
            Surveyor(
                store=store,
                process=within_a_request(process.run),
                ffprobe=binaries.ffprobe,
                ffmpeg=binaries.ffmpeg,
                scratch=partial(scratch.folder, settings.scratch),
                bounds=settings.bounds,
            ),
            settings.bounds,
            partial(learned.read, store),
        ),
        settings=settings,
    )
    if settings.open_to:
        _log.warning(
            "open to everybody on this machine, without keys",
            extra={"facts": {"tenant": settings.open_to}},
        )
    server = Server(
        create(world),
        address=settings.host,
        port=settings.port,
        descriptors=descriptors.raised(MAX_DESCRIPTORS),
    )
    return server, publisher.close
