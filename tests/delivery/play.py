"""Plays the whole table in one broker, every row at once, and tells what became of each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from aiohttp import web

from eventing.cloudevent import CloudEvent
from eventing.codec import Malformed, decode, encode
from knative.local.broker.ingress import serve
from tests.delivery.case import (
    BROKERS_DEAD,
    CASE,
    Answer,
    Case,
    Post,
    Record,
    Result,
    Said,
    Seen,
    of_case,
)

BROKER: Final = "table"
DELIVERY: Final = {"retry": 2, "backoffPolicy": "exponential", "backoffDelay": "PT0.2S"}
"""The broker's, which holds for triggers without one of their own."""
QUIET_S: Final = 3.0
"""Longer than any wait in the table: when nothing came for that long, nothing more will."""
_LONGEST_S: Final = 90.0
_PROBE: Final = "probe"
"""A case that no trigger asks for."""
_TRIES: Final = 30
_BASE: Final = Path(__file__).resolve().parents[2] / "knative/base/triggers.yaml"
_ANNOTATIONS: Final = next(
    document["metadata"].get("annotations", {})
    for document in yaml.safe_load_all(_BASE.read_text())
    if document["kind"] == "Broker"
)
_CONNECTIONS: Final = 16
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0)

Install = Callable[[str, Sequence[Mapping[str, Any]]], Awaitable[str]]
"""Set the broker and these Triggers up, for receivers below an address; gives the ingress of the
broker, like `http://host/namespace/name`, once all is ready."""


@dataclass(slots=True)
class _Receivers:
    cases: Mapping[str, Case]
    seen: dict[str, dict[str, list[Seen]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    answered: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    last_s: float = field(default_factory=time.monotonic)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = _told(headers, await request.read())
        case = event.extensions[CASE]
        name = request.path.rpartition("/")[2]
        self.last_s = time.monotonic()
        self.seen[case][name].append(Seen(event, headers, self.last_s))
        answer = self._answer(case, name, event.id)
        match answer:
            case "cut":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "silence":
                await self.over.wait()
                return web.Response()
            case int():
                return web.Response(status=answer)
            case Said(event=None):
                return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
            case Said():
                assert answer.event is not None
                message = encode(of_case(answer.event, case), mode=answer.mode)
                return web.Response(
                    status=answer.status, body=message.body, headers=message.headers
                )
        raise AssertionError(answer)

    def _answer(self, case: str, name: str, event: str) -> Answer:
        scripts = self.cases[case].answers.get(name, {}) if case in self.cases else {}
        script = scripts.get(event) or scripts.get("*") or [204]
        turn = self.answered[case, name, event]
        self.answered[case, name, event] += 1
        return script[min(turn, len(script) - 1)]

    async def quiet(self, for_s: float) -> None:
        """That nothing more comes is seen by waiting, and by nothing else."""
        self.last_s = time.monotonic()
        async with asyncio.timeout(_LONGEST_S):
            while time.monotonic() - self.last_s < for_s:
                await asyncio.sleep(for_s / 20)

    def result(self, case: Case, statuses: Sequence[int]) -> Result:
        seen = self.seen[case.name]
        return Result(
            seen={name: dict(Counter(each.event.id for each in seen[name])) for name in seen},
            statuses=() if set(statuses) == {202} else tuple(statuses),
            facts=_looked(case, seen),
        )


async def play(
    cases: Sequence[Case],
    install: Install,
    *,
    host: str = "127.0.0.1",
    quiet_s: float = QUIET_S,
) -> dict[str, Result]:
    """By the case's name. Receivers listen on `host`."""
    receivers = _Receivers({case.name: case for case in cases})
    async with (
        serve(receivers.handle, host=host) as base,
        aiohttp.ClientSession(timeout=_TIMEOUT) as client,
    ):
        manifests = [
            trigger.manifest(case.name, BROKER, base) for case in cases for trigger in case.triggers
        ]
        ingress = await install(base, manifests)
        await _known(client, ingress, receivers)
        room = asyncio.Semaphore(_CONNECTIONS)

        async def told(case: Case, post: Post) -> int:
            async with room:
                return await _posted(client, ingress, case.name, post)

        statuses = [
            await asyncio.gather(*(told(case, post) for post in case.posts)) for case in cases
        ]
        try:
            await receivers.quiet(quiet_s)
        finally:
            receivers.over.set()
    return {
        case.name: receivers.result(case, each) for case, each in zip(cases, statuses, strict=True)
    }


def _told(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event of a request; of one that is malformed what it is known by."""
    try:
        return decode(headers, body)
    except Malformed:
        return CloudEvent(
            id=headers["ce-id"],
            source=headers["ce-source"],
            type=headers["ce-type"],
            extensions={CASE: headers[f"ce-{CASE}"]},
        )


def _looked(case: Case, seen: Record) -> Any:
    """What the case looks at; where that never came, what is missing."""
    try:
        return case.look(seen) if case.look else None
    except (LookupError, ValueError) as missing:
        return f"not seen: {missing!r}"


async def _known(client: aiohttp.ClientSession, ingress: str, receivers: _Receivers) -> None:
    """Wait until all that deliver know every trigger. A trigger is ready before that, and what it
    should have been asked for is a dead letter until then."""
    for number in range(_TRIES):
        event = CloudEvent(id=str(number), source="/s", type=_PROBE)
        await _posted(client, ingress, _PROBE, Post(event=event))
        await receivers.quiet(1.0)
        if not receivers.seen.pop(_PROBE, None):
            return
    raise TimeoutError("some trigger is not known where events are delivered")


async def _posted(client: aiohttp.ClientSession, ingress: str, case: str, post: Post) -> int:
    origin, _, path = ingress.partition("//")[2].partition("/")
    namespace = path.partition("/")[0]
    asked = post.path.format(broker=f"/{path}", namespace=f"/{namespace}")
    headers, body = post.request(case)
    async with client.request(
        post.method,
        f"http://{origin}{asked}",
        data=body,
        headers=headers,
        skip_auto_headers=["Content-Type"],
    ) as response:
        await response.read()
        return response.status


def broker(receivers: str) -> dict[str, Any]:
    """Its manifest, with what the base's has for its class; its dead letters go to a receiver for
    all cases."""
    sink = {"uri": f"{receivers}/{BROKERS_DEAD}"}
    return {
        "apiVersion": "eventing.knative.dev/v1",
        "kind": "Broker",
        "metadata": {"name": BROKER, "annotations": _ANNOTATIONS},
        "spec": {"delivery": {**DELIVERY, "deadLetterSink": sink}},
    }
