"""The gateway over fakes, for tests of its routes: real credentials, a clock that stands still,
and everything that was published at hand.

    gateway = Gateway()
    acme = gateway.client("acme")
    assert acme.get("/api/v1/jobs").status_code == 200
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from typing import Any

from starlette.testclient import TestClient

from eventing.cloudevent import CloudEvent
from eventing.contract import Event, digest
from eventing.envelope import unwrap
from eventing.errors import Unavailable
from functions.adapters.limiter import CountingLimiter
from functions.adapters.reach import Reach
from functions.gateway.access.credentials import Keys
from functions.gateway.access.limits import Limits, Rates
from functions.gateway.access.quota import Quotas
from functions.gateway.access.session import Sessions
from functions.gateway.access.token import Tokens
from functions.gateway.app import create
from functions.gateway.jobs.preview import Previews, Surveys
from functions.gateway.settings import Settings
from functions.gateway.world import World
from functions.jobs import acceptance, apikey, ending, layout
from functions.jobs.apikey import SCOPES, Scope
from functions.jobs.catalogue import BUILT_IN
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.seal import Seal
from functions.jobs.verdict import State
from functions.planning.survey import Survey
from functions.ports import Limiter, ObjectInfo, Uploads
from tests.fakes import ManualClock, MemoryState, MemoryStore, MemoryUploads

ORIGIN = "http://127.0.0.1:8080"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08moov" * 4
"""What is taken for a film by who looks at its first bytes alone."""
PUBLIC = ["93.184.215.14"]
NO_LIMITS = Limits(
    caller_per_minute=0,
    tenant_per_minute=0,
    guesses_per_minute=0,
    open_jobs=0,
    open_uploads=0,
    open_streams=0,
)


class NothingToSee:
    """Surveys of a gateway without a prober."""

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey:
        raise Unavailable("no ffprobe for this machine", retry_after_s=60)


class Gateway:
    """An application and what is around it."""

    def __init__(
        self,
        *,
        uploads: Callable[[MemoryStore], Uploads] | None = None,
        tokens: Tokens | None = None,
        limiter: Limiter | None = None,
        surveys: Surveys | None = None,
        **changes: Any,
    ) -> None:
        """`changes` are fields of Settings; without them nothing is limited."""
        self.clock = ManualClock()
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.uploads: Uploads = uploads(self.store) if uploads else MemoryUploads(self.store)
        self.addresses: dict[str, list[str]] = {}
        """By host name; what is not named has a public one."""
        self.published: list[CloudEvent] = []
        self.publish: Callable[[CloudEvent], None] = self.published.append
        """Replace it by something that raises to have no broker."""
        self.knock: Callable[[], None] = lambda: None
        seal = Seal((b"k" * 32,))
        self.settings = replace(
            Settings(
                store="memory",
                state="memory",
                sink="http://broker.invalid",
                acceptance=acceptance.Settings(
                    profiles=(BUILT_IN,),
                    tenants={},
                    priorities={},
                    max_source_bytes=acceptance.MAX_SOURCE_BYTES,
                ),
                seal=seal,
                public_url=ORIGIN,
                limits=NO_LIMITS,
            ),
            **changes,
        )
        self.world = World(
            store=self.store,
            state=self.state,
            uploads=self.uploads,
            publish=lambda event: self.publish(event),
            knock=lambda: self.knock(),
            reach=Reach(resolve=lambda host, port: self.addresses.get(host, PUBLIC)),
            clock=self.clock,
            random=secrets.token_bytes,
            acceptance=self.settings.acceptance.over(self.store),
            seal=seal,
            keys=Keys(self.store, self.clock),
            sessions=Sessions(seal),
            tokens=tokens,
            rates=Rates(self.settings.limits, limiter or CountingLimiter.in_memory()),
            quotas=Quotas(self.store, self.clock, self.settings.limits),
            previews=Previews(surveys or NothingToSee(), self.settings.bounds),
            settings=self.settings,
        )
        self.app = create(self.world)
        self._jobs = count(1)

    @property
    def events(self) -> list[Event]:
        """What was published, as payloads."""
        return [unwrap(event) for event in self.published]

    def key(
        self, tenant: str = "acme", scopes: Iterable[Scope] = SCOPES, *, ttl_s: float | None = None
    ) -> str:
        """The text of a new API key."""
        text, key = apikey.issue(
            tenant,
            id_bytes=secrets.token_bytes(apikey.ID_BYTES),
            secret=secrets.token_bytes(apikey.SECRET_BYTES),
            scopes=scopes,
            now_s=self.clock(),
            expires_s=None if ttl_s is None else self.clock() + ttl_s,
        )
        apikey.keep(self.store, key)
        return text

    def visitor(self, *, defects: bool = False) -> TestClient:
        """Somebody who shows nothing. With `defects` a defect is an answer, not an error here."""
        return TestClient(self.app, base_url=ORIGIN, raise_server_exceptions=not defects)

    def client(
        self, tenant: str = "acme", scopes: Iterable[Scope] = SCOPES, *, defects: bool = False
    ) -> TestClient:
        """Somebody with a key."""
        found = self.visitor(defects=defects)
        found.headers["authorization"] = f"Bearer {self.key(tenant, scopes)}"
        return found

    def film(self, tenant: str = "acme", name: str = "film.mp4", data: bytes = MP4) -> str:
        """An object in the uploads; returns its key at the port."""
        at = f"{layout.UPLOADS}/{tenant}/{name}"
        self.store.put(at, data)
        return at

    def info(self, at: str) -> ObjectInfo:
        found = self.store.head(at)
        assert found is not None
        return found

    def job(self, tenant: str = "acme", name: str = "", *, state: State | None = None) -> str:
        """A job that was accepted now, and has ended so where a state is given."""
        name = name or f"film-{next(self._jobs)}.mp4"
        info = self.info(self.film(tenant, name))
        bucket, _, key = info.key.partition("/")
        source = SourceObject(
            bucket=bucket, key=key, version="", etag=info.etag, size_bytes=info.size_bytes
        )
        job = digest("test", info.key, info.etag)
        options, profile = self.world.acceptance.judge(source)
        self.store.create(layout.open_marker(job), b"{}")
        manifest: Manifest = self.world.acceptance.freeze(
            job, source, options=options, profile=profile, now_s=self.clock()
        )
        self.world.acceptance.enlist(manifest)
        if state is not None:
            ending.decide(
                self.store,
                job=job,
                tenant=tenant,
                state=state,
                code="completed" if state == "completed" else "decode_failed",
                reason="" if state == "completed" else "The picture could not be decoded.",
                now_s=self.clock(),
            )
            self.store.delete(layout.open_marker(job))
        return job
