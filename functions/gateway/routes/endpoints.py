"""Webhook endpoints: create, rotate, pause, test, delivery log, replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Query

from functions.gateway import address
from functions.gateway.access.caller import WebhookWriter
from functions.gateway.edge.idempotency import PROBLEMS as ONCE
from functions.gateway.edge.idempotency import Made, TheKey
from functions.gateway.edge.problem import Problem, responses
from functions.gateway.hooks import replay, secret
from functions.gateway.hooks import view as endpointview
from functions.gateway.hooks.resume import resume
from functions.gateway.hooks.view import (
    AllAgain,
    Deliveries,
    EndpointChange,
    EndpointId,
    EndpointMade,
    Endpoints,
    EndpointView,
    NewEndpoint,
    OneAgain,
    Replayed,
    Rotation,
    Sent,
)
from functions.gateway.jobs import submit
from functions.gateway.world import TheWorld, World
from functions.jobs import layout, record, swap
from functions.webhooks import endpoint as endpoints
from functions.webhooks import health, notice
from functions.webhooks.destination import Forbidden
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.log import DeliveryLog
from functions.webhooks.outbox import Outbox

router = APIRouter(tags=["webhooks"])


@router.post(
    "/webhooks",
    summary="Create an endpoint",
    status_code=201,
    response_model=EndpointMade,
    responses=responses(*ONCE),
)
def create_endpoint(asked: NewEndpoint, world: TheWorld, caller: WebhookWriter, key: TheKey) -> Any:
    """Let a URL be told how jobs end. The secret is shown in this answer and never again."""

    def make(name: str) -> Made:
        _require_reachable(world, asked.url)
        prefix = layout.endpoints_prefix(caller.tenant)
        others = [each for each in world.store.list(prefix) if not each.key.endswith(name)]
        if len(others) >= endpoints.LIMIT:
            raise Problem("conflict", f"There are {endpoints.LIMIT} endpoints: remove one first.")
        ours = Endpoint(
            id=name,
            tenant=caller.tenant,
            url=asked.url,
            description=asked.description,
            events=tuple(dict.fromkeys(asked.events)),
            secrets=secret.new(world, caller.tenant, name, asked.schemes),
            created_s=world.clock(),
        )
        endpoint = record.settle(world.store, layout.endpoint(caller.tenant, name), ours)
        return Made(
            endpointview.made(endpoint, secret.shown(world, endpoint), now_s=world.clock()),
            headers={"location": address.webhook(name)},
        )

    return key.answer(caller, asked, make)


@router.get("/webhooks", summary="List endpoints")
def list_endpoints(world: TheWorld, caller: WebhookWriter) -> Endpoints:
    """The tenant's endpoints, the newest first."""
    listed = list(world.store.list(layout.endpoints_prefix(caller.tenant)))
    found = [record.read(world.store, info.key, Endpoint) for info in listed]
    there = sorted((each for each in found if each is not None), key=lambda each: -each.created_s)
    return Endpoints(endpoints=[endpointview.view(each, now_s=world.clock()) for each in there])


@router.get("/webhooks/{endpoint}", summary="Get an endpoint", responses=responses("not-found"))
def get_endpoint(endpoint: EndpointId, world: TheWorld, caller: WebhookWriter) -> EndpointView:
    """One endpoint."""
    return endpointview.view(_find(world, caller.tenant, endpoint), now_s=world.clock())


@router.patch(
    "/webhooks/{endpoint}", summary="Change an endpoint", responses=responses("not-found")
)
def update_endpoint(
    endpoint: EndpointId,
    asked: EndpointChange,
    world: TheWorld,
    caller: WebhookWriter,
    afterwards: BackgroundTasks,
) -> EndpointView:
    """Pause it, let it go on, enable it again, or change where it is and what it is told of. What
    waits for one that goes on, or is enabled again, is due at once."""
    if asked.url is not None:
        _require_reachable(world, asked.url)

    def changed(found: Endpoint) -> Endpoint:
        if asked.url is not None:
            found = replace(found, url=asked.url)
        if asked.description is not None:
            found = replace(found, description=asked.description)
        if asked.events is not None:
            found = replace(found, events=tuple(dict.fromkeys(asked.events)))
        if asked.paused is not None:
            found = replace(found, paused=asked.paused)
        return found if asked.disabled is None else health.enabled(found)

    key = layout.endpoint(caller.tenant, endpoint)
    new = swap.change(world.store, key, Endpoint, changed)
    if new is None:
        raise _unknown()
    if False in (asked.paused, asked.disabled) and not new.paused and not new.disabled:
        # Hundreds of requests to the store: nobody waits for them.
        afterwards.add_task(resume, world, new)
    return endpointview.view(new, now_s=world.clock())


@router.delete(
    "/webhooks/{endpoint}",
    summary="Remove an endpoint",
    status_code=204,
    responses=responses("not-found"),
)
def delete_endpoint(endpoint: EndpointId, world: TheWorld, caller: WebhookWriter) -> None:
    """Tell it of nothing any more. Its delivery log goes with it."""
    _find(world, caller.tenant, endpoint)
    world.store.delete(layout.endpoint(caller.tenant, endpoint))
    DeliveryLog(store=world.store).clear(caller.tenant, endpoint)


@router.post(
    "/webhooks/{endpoint}/rotate",
    summary="Rotate an endpoint's secret",
    response_model=EndpointMade,
    responses=responses("not-found", *ONCE),
)
def rotate_secret(
    endpoint: EndpointId,
    world: TheWorld,
    caller: WebhookWriter,
    key: TheKey,
    asked: Rotation | None = None,
) -> Any:
    """Make a new secret, shown in this answer and never again. The old one counts a while longer:
    deliveries carry both signatures."""
    rotation = asked or Rotation()

    def make(name: str) -> Made:
        now_s = world.clock()
        found = _find(world, caller.tenant, endpoint)
        current = [each.scheme for each in found.secrets if each.expires_s is None]
        secrets = secret.new(world, caller.tenant, endpoint, rotation.schemes or current)

        def changed(found: Endpoint) -> Endpoint:
            return secret.rotated(found, secrets, now_s=now_s, overlap_s=rotation.overlap_s)

        new = swap.change(world.store, layout.endpoint(caller.tenant, endpoint), Endpoint, changed)
        if new is None:
            raise _unknown()
        return Made(endpointview.made(new, secret.shown(world, new), now_s=now_s), status=200)

    return key.answer(caller, rotation, make)


@router.post(
    "/webhooks/{endpoint}/test",
    summary="Send a test message",
    status_code=202,
    response_model=Sent,
    responses=responses("not-found", *ONCE),
)
def send_test(endpoint: EndpointId, world: TheWorld, caller: WebhookWriter, key: TheKey) -> Any:
    """Send a message of the type `dev.kinora.webhook.test.v1`, whatever it wants to be told of."""

    def make(name: str) -> Made:
        _require_enabled(found := _find(world, caller.tenant, endpoint))
        if found.paused:
            raise Problem("conflict", "The endpoint is paused: let it go on first.")
        message = notice.trial(caller.tenant, endpoint, nonce=name, now_s=world.clock())
        there = Outbox(store=world.store).create(message)
        submit.tell(world, [there.reminder])
        return Made(Sent(message=there.id), status=202)

    return key.answer(caller, None, make)


@router.get(
    "/webhooks/{endpoint}/deliveries", summary="List deliveries", responses=responses("not-found")
)
def list_deliveries(
    endpoint: EndpointId,
    world: TheWorld,
    caller: WebhookWriter,
    limit: Annotated[int, Query(ge=1, le=100, description="At most so many.")] = 50,
    cursor: Annotated[
        str,
        Query(
            max_length=100,
            pattern="^[0-9a-z-]*$",
            description="`next` of the page before; none for the first.",
        ),
    ] = "",
) -> Deliveries:
    """What was sent and what was answered, the newest first: a thousand attempts, or a month."""
    _find(world, caller.tenant, endpoint)
    log = DeliveryLog(store=world.store)
    page = list(log.page(caller.tenant, endpoint, after=cursor, limit=limit))
    return Deliveries(
        deliveries=[endpointview.delivery(entry) for _, entry in page],
        next=page[-1][0] if len(page) == limit else None,
    )


@router.post(
    "/webhooks/{endpoint}/replay",
    summary="Send messages again",
    status_code=202,
    responses=responses("not-found", "conflict"),
)
def replay_deliveries(
    endpoint: EndpointId, asked: OneAgain | AllAgain, world: TheWorld, caller: WebhookWriter
) -> Replayed:
    """Send a message again, or how every job ended since a time. `webhook-id` is the same."""
    found = _find(world, caller.tenant, endpoint)
    _require_enabled(found)
    if isinstance(asked, OneAgain):
        replay.one(world, found, asked.message)
        return Replayed(messages=1, next=None)
    sent, following = replay.since(world, found, asked.since.timestamp(), asked.cursor)
    return Replayed(messages=sent, next=following or None)


def _find(world: World, tenant: str, endpoint: str) -> Endpoint:
    found = record.read(world.store, layout.endpoint(tenant, endpoint), Endpoint)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> Problem:
    return Problem("not-found", "There is no such endpoint.")


def _require_enabled(endpoint: Endpoint) -> None:
    if endpoint.disabled:
        raise Problem("conflict", "The endpoint is disabled: enable it again first.")


def _require_reachable(world: World, url: str) -> None:
    """Raises Problem (invalid) for a URL that nothing would be delivered to."""
    try:
        world.reach(url)
    except Forbidden as error:
        errors = [{"field": "body.url", "problem": str(error)}]
        raise Problem("invalid", str(error), errors=errors) from None
