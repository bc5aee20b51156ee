"""Every function on one site, one delivery at a time, and what must be true of it all."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import (
    TICK,
    JobAccepted,
    JobCancelled,
    JobCompleted,
    JobEncoded,
    JobFailed,
    JobRejected,
    ObjectCreated,
    SourcePrepared,
    TaskCompleted,
    TaskFailed,
    TaskReady,
    WebhookDue,
)
from eventing.envelope import unwrap, wrap
from eventing.host import ANY, Handler, Host
from functions.assembler.attempts import ATTEMPTS
from functions.assembler.handler import Assembler
from functions.assembler.report import Report
from functions.deadletter.handler import DeadLetter
from functions.ingest.handler import Ingest
from functions.jobs import catalogue, ending, layout, leases, naming, record
from functions.jobs.acceptance import Acceptance
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest
from functions.jobs.plan import Plan
from functions.jobs.receipt import Receipt
from functions.jobs.verdict import Verdict
from functions.media.encoding.accelerator import ACCELERATORS
from functions.media.streams import hls
from functions.notifier.handler import Notifier
from functions.ports import StateStore
from functions.sweeper.handler import Sweeper
from tests.fakes import ManualClock, MemoryState, MemoryStore, MemoryUploads
from tests.flow import media
from tests.flow.broker import GPU_ENCODER, Delivery, MemoryBroker
from tests.flow.faults import Fault, FaultyState, FaultyStore, Killed
from tests.flow.listener import LISTENS, SEAL, Listener
from tests.flow.media import Film

TICK_S: Final = 60.0
LIMIT: Final = 4
VERDICTS: Final = (JobCompleted, JobRejected, JobFailed, JobCancelled)
PROFILES: Final = catalogue.read([catalogue.BUILT_IN])


Gpu = Literal["works", "is broken", "cannot be reached", "is not there"]


class LosableState(StateStore, Protocol):
    """What a site needs of its state store besides."""

    def flush(self) -> None:
        """Lose everything, as a store may at any moment."""

    def remembered(self) -> set[str]:
        """The jobs of which anything but a lease is noted."""


@dataclass(slots=True)
class Site:
    clock: ManualClock = field(default_factory=ManualClock)
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    make_state: Callable[[ManualClock], LosableState] = lambda clock: MemoryState(clock=clock)
    store: MemoryStore = field(init=False)
    state: LosableState = field(init=False)
    work: Counter[str] = field(default_factory=Counter)
    """Attempts at each task that really began."""
    faults: int = 0
    """How many faults struck; each may cost one attempt."""
    failing: int = 0
    """Films that were dropped and that fail."""
    ticks: int = 0
    workers: int = 0
    hangs: bool = False
    gpu: Gpu = "works"
    """What becomes of tasks for one."""
    verdicts: dict[str, bytes] = field(default_factory=dict)
    """As first seen."""
    told: dict[str, bytes] = field(default_factory=dict)
    """Of each job, the data of the first verdict event."""
    listener: Listener = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)
        self.state = self.make_state(self.clock)
        self.listener = Listener(self.store)

    # What happens to a site.

    def upload(self, key: str, data: bytes, *, tell: bool = True) -> ObjectCreated:
        address = f"{layout.UPLOADS}/{key}"
        self.store.put(address, data)
        info = self.store.head(address)
        assert info is not None
        event = ObjectCreated(
            bucket=layout.UPLOADS, key=key, etag=info.etag, size_bytes=info.size_bytes
        )
        if tell:
            self.broker.publish(wrap(event, producer="source", time="2026-01-01T00:00:00Z"))
        return event

    def drop(self, film: Film, *, tenant: str = "t1", tell: bool = True) -> ObjectCreated:
        self.failing += film.failures > 0
        key = f"{tenant}/{film.name or 'film'}.mp4"
        if film.progressive:
            self.store.put(naming.sidecar(f"{layout.UPLOADS}/{key}"), b'{"progressive": true}')
        return self.upload(key, film.content(), tell=tell)

    def cancel(self, job: str) -> None:
        """What a gateway does, whole or not at all."""
        manifest = self.manifests().get(job)
        if manifest is None:
            return
        verdict = ending.decide(
            self.store,
            job=job,
            tenant=manifest.tenant,
            state="cancelled",
            code="cancelled",
            reason="By request.",
            now_s=self.clock(),
        )
        for event in ending.conclude(self.store, self.state, verdict):
            self._publish(wrap(event, producer="gateway", time="2026-01-01T00:00:00Z"))

    def tick(self) -> None:
        """Time passes and the next tick is on its way. One that finds what the one before it found
        tells the same: a task that fails may get one more attempt for it."""
        self.clock.advance(TICK_S)
        if any(delivery.event.type == TICK for delivery in self.broker.pending):
            self.faults += self.failing
        self.ticks += 1
        self.broker.publish(CloudEvent(id=f"tick-{self.ticks}", source="/ping", type=TICK))

    def deliver(self, index: int, fault: Fault | None = None, *, hangs: bool = False) -> None:
        """One pending delivery, to a process of its own. An encoder that hangs works on, and is
        not heard of again."""
        delivery = self.broker.take(index)
        fault = fault or Fault()
        self.hangs = hangs
        if delivery.function == GPU_ENCODER and self.gpu in ("cannot be reached", "is not there"):
            self.broker.failed(delivery)
            return
        if not self._run(delivery, fault):
            self.broker.failed(delivery)
        # Its own attempt, and the second one that comes to nothing where the task fails.
        self.faults += 2 * hangs
        self.faults += fault.struck

    def turn_gpu(self, gpu: Gpu) -> None:
        """From now on it is so with the machines that have one."""
        self.gpu = gpu
        self.broker.gpus = gpu != "is not there"

    def repeat(self, delivery: Delivery) -> None:
        """Deliver once more. A task that fails may get one more attempt for it."""
        self.broker.pending.append(delivery)
        self.faults += bool(self._fails(delivery.event))

    def settle(self, *, rounds: int = 60) -> None:
        """No more faults: deliver and tick until nothing is open. Fails if that never comes."""
        for _ in range(rounds):
            self.deliver_all()
            if self.is_quiet() and not self.listener.waiting():
                return
            self.tick()
        raise AssertionError(
            f"still open: {[*self.keys(layout.OPEN_PREFIX)]}, {self.listener.waiting()}"
        )

    def deliver_all(self, *, limit: int = 3000) -> None:
        for _ in range(limit):
            if not self.broker.pending:
                return
            self.deliver(0)
            self.check()
        raise AssertionError("events that breed events")

    def is_quiet(self) -> bool:
        unheard = [key for key in self._sources() if not self._has_job(key)]
        return not (
            unheard or [*self.keys(layout.OPEN_PREFIX)] or [*self.keys(layout.PARKED_PREFIX)]
        )

    # What can be seen of it.

    def keys(self, prefix: str) -> list[str]:
        return [info.key for info in self.store.list(prefix)]

    def manifests(self) -> Mapping[str, Manifest]:
        return {
            key.split("/")[2]: record.load(self.store.get(key), Manifest)
            for key in self.keys(f"{layout.WORK}/jobs/")
            if key.endswith("/job.json")
        }

    def verdict(self, job: str) -> Verdict | None:
        return ending.read(self.store, job)

    def film(self, job: str) -> Film:
        return Film.read(self.store.get(self.manifests()[job].source.address))

    def _sources(self) -> list[str]:
        return [key for key in self.keys(f"{layout.UPLOADS}/") if not key.endswith(".json")]

    def _has_job(self, key: str) -> bool:
        info = self.store.head(key)
        assert info is not None
        bucket, _, name = key.partition("/")
        event = ObjectCreated(bucket=bucket, key=name, etag=info.etag)
        return self.store.head(layout.manifest(event.job)) is not None

    # Laws.

    def check(self) -> None:
        """What is true at any moment."""
        for key in self.keys(f"{layout.WORK}/jobs/"):
            if key.endswith("/verdict.json"):
                body = self.store.get(key)
                assert self.verdicts.setdefault(key, body) == body, "a verdict changed"
        self.listener.check()
        held = [slot for job in self.manifests() for slot in self.state.slots(job)]
        for accelerator in ACCELERATORS:
            count = sum(slot.accelerator == accelerator for slot in held)
            assert count <= LIMIT, f"{count} tasks in flight, at most {LIMIT}"

    def check_settled(self) -> None:
        """What is true once nothing is open any more."""
        manifests = self.manifests()
        for job in manifests:
            verdict = self.verdict(job)
            assert verdict is not None, f"no verdict on {job}"
            assert job in self.told, f"nobody was told of {job}"
            if verdict.state == "completed":
                self._check_streams(job)
            assert not self.state.slots(job)
            assert not self.state.progress(job)
        for accelerator in ACCELERATORS:
            waiting = self.state.admit(accelerator, cause="probe", limit=1000, ttl_s=1)
            assert not waiting, "a task waits"
        self.clock.advance(2 * media.LEASE_S)
        for job in manifests:
            assert not self.state.held(leases.planning(job))
            assert not self.state.held(leases.assembly(job))
        needed = sum(self._needed(job) for job in manifests)
        done = sum(self.work.values())
        assert done <= needed + self.faults, f"{done} attempts, {needed} needed: {self.work}"

    def check_told(self) -> None:
        """I4, once every delivery is done: whoever listens was told of every verdict."""
        jobs = {job for job, manifest in self.manifests().items() if manifest.tenant == LISTENS}
        assert self.listener.took == jobs
        assert len(self.listener.sent) <= 2 * len(jobs) + self.faults, "sent more than needed"

    def check_nothing_is_left(self) -> None:
        """What is true besides if no event was lost on the way."""
        assert not self.state.remembered()
        for job in self.manifests():
            verdict = self.verdict(job)
            if verdict is None or verdict.state != "completed":
                assert not self.keys(layout.media(job, "")), "outputs without a result"

    def _fails(self, event: CloudEvent) -> bool:
        job = self.manifests().get(unwrap(event).job) if event.type != TICK else None
        return job is not None and job.profile is not None and self.film(job.job).failures > 0

    def _needed(self, job: str) -> int:
        """Attempts at its tasks that the job asks for at most, without any fault."""
        plans = [
            record.load(self.store.get(key), Plan) for key in self.keys(layout.plans_prefix(job))
        ]
        if not plans:
            return 0
        tasks = {(plan.generation_of(task), task.id) for plan in plans for task in plan.tasks}
        film = self.film(job)
        failing = sum(media.base(task) == film.failing for _, task in tasks)
        return len(tasks) + failing * min(film.failures, ATTEMPTS)

    def _check_streams(self, job: str) -> None:
        """I2 and I3: what a completed job names is there, whole and as planned."""
        film = self.film(job)
        latest = max(self.keys(layout.plans_prefix(job)))
        plan = record.load(self.store.get(latest), Plan)
        for name in (layout.MASTER, layout.MANIFEST, layout.REPORT):
            assert self.store.head(layout.media(job, name)) is not None, name
        self._check_file(job, film)
        frames: Counter[str] = Counter()
        named: dict[str, list[str]] = {}
        inits: dict[str, str] = {}
        for task in plan.tasks:
            key = layout.receipt(job, plan.generation_of(task), task.id)
            for track in record.load(self.store.get(key), Receipt).tracks:
                init = track.init.key
                assert inits.setdefault(track.rendition, init) == init, "two kinds of init"
                frames[track.rendition] += track.frames
                for stored in (track.init, *(segment.stored for segment in track.segments)):
                    body = self.store.get(stored.key)
                    assert hashlib.sha256(body).hexdigest() == stored.sha256
                named.setdefault(track.rendition, []).extend(
                    f"{segment.number:05d} {hls.name_of(segment.stored)}"
                    for segment in track.segments
                )
        assert {*named} == {each.name for each in plan.video} | {each.name for each in plan.audio}
        for rendition in plan.video:
            assert frames[rendition.name] == film.frames
        for name, segments in named.items():
            text = self.store.get(layout.media_playlist(job, name)).decode()
            assert hls.ended(text)
            listed = [line for line in text.splitlines() if not line.startswith("#")]
            assert listed == [each.split(" ")[1] for each in sorted(segments)]

    def _check_file(self, job: str, film: Film) -> None:
        """The one MP4 is there where it was asked for, is named, and is no other."""
        files = [key for key in self.keys(layout.media(job, "")) if "/progressive-" in key]
        verdict = self.verdict(job)
        if verdict is None:
            return  # told of before it was written: the publish fails for that
        assert bool(verdict.progressive) is film.progressive
        assert verdict.progressive in (*files, "")
        report = record.load(self.store.get(layout.media(job, layout.REPORT)), Report)
        assert [file.key for file in report.files] == [verdict.progressive] * film.progressive
        for file in report.files:
            assert hashlib.sha256(self.store.get(file.key)).hexdigest() == file.sha256

    # How a delivery runs.

    def _run(self, delivery: Delivery, fault: Fault) -> bool:
        """True if the function answered 2xx. A defect in a handler fails the test."""
        self.workers += 1
        handlers = self._handlers(f"worker-{self.workers}", fault)[delivery.function]
        host = Host(
            delivery.function,
            handlers,
            publish=lambda event: fault.around(lambda: self._publish(event)),
            clock=self.clock,
        )
        message = codec.encode(delivery.event)
        try:
            response = host.respond(message.headers, message.body)
        except Killed:
            return False
        assert response.status in (204, 503), response.body.decode()
        return response.status == 204

    def _publish(self, event: CloudEvent) -> None:
        if event.type == TaskReady.type and self._fails(event):
            # Told again while it is still on its way, as what caused it was: one attempt more.
            self.faults += any(each.event.id == event.id for each in self.broker.pending)
        self.broker.publish(event)
        kinds = {kind.type for kind in VERDICTS}
        if event.type in kinds:
            payload = unwrap(event)
            assert self.told.setdefault(payload.job, event.data or b"") == event.data
            assert self.verdict(payload.job) is not None, "told of a verdict that is not there"
            if isinstance(payload, JobCompleted):
                self._check_streams(payload.job)

    def _handlers(self, worker: str, fault: Fault) -> dict[str, dict[type | str, Handler]]:
        store, state = FaultyStore(self.store, fault), FaultyState(self.state, fault)
        window = Window(limit=LIMIT, gpu_limit=LIMIT, ttl_s=900)
        ingest = Ingest(
            store=store,
            state=state,
            clock=self.clock,
            acceptance=Acceptance(store=store, profiles=PROFILES),
        )
        chunker = media.Chunker(store=store, state=state, worker=worker, window=window)
        encoder = media.Encoder(
            store=store,
            state=state,
            clock=self.clock,
            worker=worker,
            work=self.work,
            gpu_works=self.gpu == "works",
            hangs=self.hangs,
        )
        assembler = Assembler(
            store=store, state=state, clock=self.clock, worker=worker, window=window
        )
        notifier = Notifier(
            store=store,
            state=state,
            clock=self.clock,
            pause=self.clock.advance,
            webhook=lambda posts: fault.around(lambda: self.listener(posts)),
            worker=worker,
            seal=SEAL,
        )
        sweeper = Sweeper(
            store=store,
            state=state,
            uploads=MemoryUploads(self.store),
            clock=self.clock,
            window=window,
        )
        deadletter = DeadLetter(store=store)
        told: dict[type | str, Handler] = dict.fromkeys(VERDICTS, notifier.verdict)
        return {
            "ingest": {ObjectCreated: ingest.object_created},
            "chunker": {
                JobAccepted: chunker.job_accepted,
                SourcePrepared: chunker.source_prepared,
            },
            "encoder": {TaskReady: encoder.task_ready},
            GPU_ENCODER: {TaskReady: encoder.task_ready},
            "assembler": {
                TaskCompleted: assembler.task_completed,
                TaskFailed: assembler.task_failed,
                JobEncoded: assembler.job_encoded,
            },
            "notifier": {**told, WebhookDue: notifier.webhook_due},
            "sweeper": {TICK: sweeper.tick},
            "deadletter": {ANY: deadletter.undeliverable},
        }
