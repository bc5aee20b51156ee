"""Whoever waits for a verdict is told of it, and then the job is no longer open.

The open marker goes last: until then a sweep tells of the verdict again. What an endpoint did not
take stays owed, as a record of its own, for `webhook.due` to come back to. While no way to deliver
is configured, everything for an endpoint stays owed, and the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eventing import contract
from functions.jobs import ending, layout, record
from functions.jobs.endpoint import Endpoint
from functions.jobs.owed import Owed
from functions.jobs.verdict import Verdict
from functions.notifier import message
from functions.ports import Clock, ObjectStore, StateStore, Webhook

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifier:
    """Handles the verdicts and `WebhookDue`."""

    store: ObjectStore
    state: StateStore
    clock: Clock
    webhook: Webhook | None = None

    def verdict(self, event: contract.Verdict) -> Iterator[contract.Event]:
        marker = layout.open_marker(event.job)
        verdict = ending.read(self.store, event.job)
        if verdict is not None and self.store.head(marker) is not None:
            self._tell(verdict, self._endpoints(verdict))
            # Events that were late may have left something of the job in the state store.
            self.state.forget(event.job)
            ending.discard(self.store, verdict)
            self.store.delete(marker)
        yield from ()

    def webhook_due(self, event: contract.WebhookDue) -> Iterator[contract.Event]:
        verdict = ending.read(self.store, event.job)
        owed = record.read(self.store, layout.owed(event.tenant, event.job), Owed)
        if verdict is not None and verdict.tenant == event.tenant and owed is not None:
            endpoints = self._endpoints(verdict)
            self._tell(
                verdict,
                {name: each for name, each in endpoints.items() if name in owed.endpoints},
            )
        yield from ()

    def _tell(self, verdict: Verdict, endpoints: Mapping[str, Endpoint]) -> None:
        if not verdict.tenant:
            return
        untold = tuple(
            name for name, endpoint in endpoints.items() if not self._delivered(verdict, endpoint)
        )
        key = layout.owed(verdict.tenant, verdict.job)
        if untold:
            self.store.put(key, record.dump(Owed(endpoints=untold)))
        else:
            self.store.delete(key)

    def _delivered(self, verdict: Verdict, endpoint: Endpoint) -> bool:
        facts = {"job": verdict.job, "tenant": verdict.tenant}
        if self.webhook is None:
            _log.warning("owed: no way to deliver webhooks is configured", extra={"facts": facts})
            return False
        letter = message.write(verdict, now_s=self.clock())
        answer = self.webhook(endpoint.url, headers=letter.headers, body=letter.body)
        if 200 <= answer.status < 300:
            return True
        told = {**facts, "status": answer.status, "error": answer.error}
        _log.warning("owed: a webhook was not taken", extra={"facts": told})
        return False

    def _endpoints(self, verdict: Verdict) -> dict[str, Endpoint]:
        """Those that want to know, by name."""
        if not verdict.tenant:
            return {}
        prefix = layout.endpoints_prefix(verdict.tenant)
        found = {}
        for info in self.store.list(prefix):
            endpoint = record.load(self.store.get(info.key), Endpoint)
            if message.wants(endpoint, verdict):
                found[info.key.removeprefix(prefix)] = endpoint
        return found
