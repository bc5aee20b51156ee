"""Somebody who asks all the time for what is another tenant's, whatever is broken meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx2

from functions.jobs import layout
from tests.e2e.services import Town

_PAUSE_S: Final = 0.3


@dataclass(slots=True)
class Onlooker:
    """Looks with the key of `tenant`, and without any."""

    town: Town
    tenant: str
    theirs: tuple[str, ...] = ()
    """Paths of what other tenants have, as it becomes known."""
    seen: list[str] = field(default_factory=list)
    """Whatever it should not have been shown."""
    looks: int = 0
    """That were answered, one way or the other."""

    def look(self) -> None:
        with self.town.api_of(self.tenant) as mine:
            self._own_only(mine, "/jobs", "jobs")
            for path in self.theirs:
                self._closed(mine, path, 404)
        with httpx2.Client(
            base_url=f"{self.town.url}/api/v1", timeout=30, trust_env=False
        ) as nobody:
            for path in ("/jobs", "/webhooks", *self.theirs):
                self._closed(nobody, path, 401)

    def _own_only(self, client: httpx2.Client, path: str, name: str) -> None:
        answer = _get(client, path)
        if answer is None:
            return
        self.looks += 1
        if answer.status_code >= 500:
            return
        if answer.status_code != 200:
            self.seen.append(f"{path}: {answer.status_code} for {self.tenant}'s own")
            return
        for job in answer.json()[name]:
            own = str(job["source"]).startswith(f"{layout.UPLOADS}/{self.tenant}/")
            if job["tenant"] != self.tenant or not own:
                self.seen.append(f"{path} shows {self.tenant} {job['source']} of {job['tenant']}")

    def _closed(self, client: httpx2.Client, path: str, status: int) -> None:
        answer = _get(client, path)
        if answer is None:
            return
        self.looks += 1
        if answer.status_code < 500 and answer.status_code != status:
            self.seen.append(f"{path}: {answer.status_code} instead of {status}")


def _get(client: httpx2.Client, path: str) -> httpx2.Response | None:
    try:
        return client.get(path)
    except httpx2.TransportError:
        return None


@contextmanager
def looking(town: Town, *tenants: str) -> Iterator[dict[str, Onlooker]]:
    """One of each tenant, looking until the end."""
    onlookers = {tenant: Onlooker(town, tenant) for tenant in tenants}
    over = threading.Event()
    broken: list[Exception] = []

    def run(onlooker: Onlooker) -> None:
        try:
            while not over.wait(_PAUSE_S):
                onlooker.look()
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=run, args=(each,)) for each in onlookers.values()]
    for thread in threads:
        thread.start()
    try:
        yield onlookers
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not broken, broken
