"""Webhook endpoints that are ill in every way there is, beside one that is well.

All of them are told of the same jobs. The one that is well is told at once; each other is told as
soon as it is well again, under the same ids; and where a redirect or a rebound name leads,
nothing arrives.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from standardwebhooks import Webhook

from tests import receivers
from tests.e2e.command import until
from tests.e2e.services import Town
from tests.receivers import Handler, Receiver, receiver

NAME: Final = "rebinds.test"
HERE: Final = "127.0.0.1"
ELSEWHERE: Final = "127.0.0.2"
"""An address that webhooks may not go to."""
_BUSY_S: Final = 2


@dataclass(slots=True)
class Patient:
    """An endpoint of a tenant, and who listens there."""

    kind: str
    town: Town
    tenant: str
    there: Receiver
    complaint: str
    """What the delivery log says of an attempt."""
    id: str = ""
    secret: str = ""
    taken: list[str] = field(default_factory=list)
    """Ids of the messages that it took."""

    def heal(self) -> None:
        def take(handler: Handler) -> None:
            self.taken.append(str(handler.headers["webhook-id"]))
            handler.answer(204)

        self.there.reply = take

    def assert_well(self, ids: set[str], jobs: set[str]) -> None:
        """Each message arrived, and none but those; each was signed."""
        until(f"{self.kind}: every message is taken", lambda: ids <= set(self.taken))
        assert set(self.taken) <= ids
        for got in self.there.got:
            event = Webhook(self.secret).verify(got.body, got.headers)
            assert got.headers["webhook-id"] in ids
            assert event["data"]["job"] in jobs
            assert event["data"]["tenant"] == self.tenant

    def is_refused(self) -> bool:
        """The log has an attempt that ended as it has to."""
        shown = self._ask("GET", "/deliveries")["deliveries"]
        return any(self.complaint in str(each["error"]) for each in shown)

    @property
    def disabled(self) -> str:
        return str(self._ask("GET")["disabled"])

    def enable_and_replay(self, since: str) -> None:
        self._ask("PATCH", json={"disabled": False})
        cursor = ""
        while cursor is not None:
            cursor = self._ask("POST", "/replay", json={"since": since, "cursor": cursor})["next"]

    def remove(self) -> None:
        self._ask("DELETE")

    def _ask(self, method: str, path: str = "", **body: Any) -> Any:
        with self.town.api_of(self.tenant) as api:
            answer = api.request(method, f"/webhooks/{self.id}{path}", **body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@dataclass(slots=True)
class Ward:
    """All of them."""

    patients: dict[str, Patient]
    elsewhere: list[Receiver]
    """Where nothing may arrive."""
    names: Path
    early: list[str]
    """Messages that came before the time that was asked for."""

    def rebind(self, *addresses: str) -> None:
        """From now on NAME stands for any of these."""
        whole = self.names.with_suffix(".new")
        whole.write_text(json.dumps({NAME: addresses}))
        whole.replace(self.names)

    def assert_nothing_elsewhere(self) -> None:
        assert not [each.got for each in self.elsewhere if each.got]
        assert not self.early


@contextmanager
def ward(town: Town, tenant: str, choose: random.Random, names: Path) -> Iterator[Ward]:
    """Registered in some order; removed at the end."""
    found = Ward(patients={}, elsewhere=[], names=names, early=[])
    with ExitStack() as stack:
        inner = stack.enter_context(receiver(host=ELSEWHERE))
        illnesses: dict[str, receivers.Reply] = {
            "hangs": receivers.hang,
            "drips": receivers.drip_head,
            "500": _saying(500),
            "429": _busy(found.early),
            "410": _saying(410),
            "302": _saying(302, location=f"http://{ELSEWHERE}:{inner.port}/latest/meta-data"),
            "rebinds": _saying(204),
        }
        complaints = {
            "hangs": "There was no answer within",
            "drips": "There was no answer within",
            "302": "redirects are not followed",
            "rebinds": f"{NAME} stands for {ELSEWHERE}",
        }
        # The same port at the other address: a second look-up would find somebody there.
        shared = receivers.free_port(HERE, ELSEWHERE)
        for kind in choose.sample(sorted(illnesses), len(illnesses)):
            port = shared if kind == "rebinds" else 0
            there = stack.enter_context(receiver(illnesses[kind], port=port))
            found.patients[kind] = Patient(
                kind=kind,
                town=town,
                tenant=tenant,
                there=there,
                complaint=complaints.get(kind, f"It answered {kind}."),
            )
        rebound = stack.enter_context(receiver(host=ELSEWHERE, port=shared))
        found.elsewhere += [inner, rebound]
        found.rebind(HERE)
        for patient in found.patients.values():
            url = patient.there.url
            if patient.kind == "rebinds":
                url = url.replace(HERE, NAME)
                patient.heal()
            with town.api_of(tenant) as api:
                answer = api.post("/webhooks", json={"url": url})
            assert answer.status_code == 201, answer.text
            patient.id, patient.secret = answer.json()["endpoint"], answer.json()["secret"]
        found.rebind(ELSEWHERE)
        yield found
        for patient in found.patients.values():
            patient.remove()


def _saying(status: int, **headers: str) -> receivers.Reply:
    def reply(handler: Handler) -> None:
        handler.answer(status, b"", **headers)

    return reply


def _busy(early: list[str]) -> receivers.Reply:
    """429, and whoever comes back before the time that it asks for is noted."""
    last_s: dict[str, float] = {}

    def reply(handler: Handler) -> None:
        name, now_s = str(handler.headers["webhook-id"]), time.monotonic()
        if now_s - last_s.get(name, -_BUSY_S) < _BUSY_S:
            early.append(name)
        last_s[name] = now_s
        handler.answer(429, retry_after=str(_BUSY_S))

    return reply
