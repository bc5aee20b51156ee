"""One accepted and planned job, whose tasks are done by hand: for tests of what comes after."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from eventing.contract import Event, JobEncoded, ObjectCreated, TaskCompleted, TaskReady
from functions.assembler.handler import Assembler
from functions.jobs import admission, ending, layout, record
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Plan
from functions.jobs.profile import Options
from functions.jobs.receipt import Receipt
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.flow.faults import Fault, FaultyState, FaultyStore
from tests.flow.media import Encoder, Film, plan_of


@dataclass
class Stage:
    film: Film = field(default_factory=Film)
    tenant: str = "t1"
    limit: int = 3
    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(init=False)
    state: MemoryState = field(init=False)
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.plan = self.accept(self.film)

    @property
    def job(self) -> str:
        return self.plan.job

    def accept(self, film: Film, *, planned: bool = True) -> Plan:
        """A further job, as ingest and chunker leave one."""
        key = f"{self.tenant}/{film.name or 'film'}.mp4"
        self.store.put(f"uploads/{key}", film.content())
        info = self.store.head(f"uploads/{key}")
        assert info is not None
        event = ObjectCreated(bucket="uploads", key=key, etag=info.etag)
        manifest = Manifest(
            job=event.job,
            tenant=self.tenant,
            source=SourceObject(
                bucket="uploads", key=key, version="", etag=info.etag, size_bytes=info.size_bytes
            ),
            options=Options(progressive=film.progressive),
            profile=None,
            accepted_s=self.clock(),
        )
        self.store.create(layout.open_marker(event.job), record.dump(event))
        self.store.create(layout.manifest(event.job), record.dump(manifest))
        plan = plan_of(manifest, film, 1)
        if planned:
            self.store.create(layout.plan(event.job, 1), record.dump(plan))
            admission.register(self.state, plan, manifest, set())
        return plan

    def manifest(self) -> Manifest:
        return record.load(self.store.get(layout.manifest(self.job)), Manifest)

    def cancel(self) -> None:
        """What a gateway does."""
        verdict = ending.decide(
            self.store,
            job=self.job,
            tenant=self.tenant,
            state="cancelled",
            code="cancelled",
            reason="By request.",
            now_s=self.clock(),
        )
        list(ending.conclude(self.store, self.state, verdict))

    def do(self, task: str, *, plan: Plan | None = None) -> TaskCompleted:
        """The task's receipt, and the event that tells of it."""
        plan = plan or self.plan
        encoder = Encoder(store=self.store, state=self.state, clock=self.clock, worker="w")
        ready = TaskReady(job=plan.job, generation=plan.generation, task=task)
        (told,) = encoder.task_ready(ready)
        assert isinstance(told, TaskCompleted)
        return told

    def do_all(self) -> list[TaskCompleted]:
        return [self.do(task.id) for task in self.plan.tasks]

    def encoded(self) -> JobEncoded:
        """The event that follows the last task's."""
        return JobEncoded(job=self.job, generation=self.plan.generation)

    def finish(self) -> list[Event]:
        """Every task is done, and what they left is assembled."""
        self.do_all()
        return list(self.assembler().job_encoded(self.encoded()))

    def change_receipt(self, task: str, change: dict[str, int]) -> None:
        """Put a receipt there that differs in the facts of its first track's last segment."""
        key = layout.receipt(self.job, 1, task)
        receipt = record.load(self.store.get(key), Receipt)
        (track, *others) = receipt.tracks
        last = replace(track.segments[-1], **change)  # type: ignore[arg-type]
        track = replace(track, segments=(*track.segments[:-1], last))
        self.store.put(key, record.dump(replace(receipt, tracks=(track, *others))))

    def receipts(self) -> dict[str, Receipt]:
        prefix = layout.receipts_prefix(self.job, self.plan.generation)
        return {
            info.key.removeprefix(prefix): record.load(self.store.get(info.key), Receipt)
            for info in self.store.list(prefix)
        }

    def text(self, name: str) -> str:
        """An output, "" while it is not there."""
        key = layout.media(self.job, name)
        return self.store.get(key).decode() if self.store.head(key) else ""

    def assembler(self, fault: Fault | None = None, *, worker: str = "w") -> Assembler:
        fault = fault or Fault()
        return Assembler(
            store=FaultyStore(self.store, fault),
            state=FaultyState(self.state, fault),
            clock=self.clock,
            worker=worker,
            window=Window(limit=self.limit),
        )
