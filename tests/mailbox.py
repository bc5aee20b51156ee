"""A tenant's endpoints in memory, and what comes to them: for tests of the notifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from eventing.contract import Event, JobFailed, WebhookDue
from functions.jobs import ending, layout, record
from functions.jobs.seal import Seal
from functions.notifier.handler import Notifier
from functions.ports import Answer, Post
from functions.sweeper.due import due
from functions.webhooks.endpoint import Endpoint
from functions.webhooks.health import Patience
from functions.webhooks.log import DeliveryLog, Entry
from functions.webhooks.outbox import Message, Outbox
from functions.webhooks.retry import Schedule
from functions.webhooks.signature import Key
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.flow.faults import Fault, FaultyState, FaultyStore
from tests.webhooks import SEAL, SECRET, put_endpoint

JOB = "1" * 32
TOLD = JobFailed(job=JOB, tenant="t1", code="deadline", reason="Too late.")
TOOK_IT = Answer(status=204)
FAILED = Answer(status=500, error="It answered 500.", excerpt="oh no", ms=12)
HUNG = Answer(status=0, error="There was no answer within 15 seconds.", ms=15_000, hung=True)


@dataclass
class Receivers:
    """A Webhook. Each endpoint gives its answers in turn, the last of them for ever."""

    clock: ManualClock
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    got: list[tuple[str, Post]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while the posts are on their way."""
    before_the_next: Callable[[], None] = lambda: None
    """What happens before an answer that takes longer than others."""

    def __call__(self, posts: Sequence[Post]) -> Iterator[tuple[int, Answer]]:
        answers = [self._answer(post) for post in posts]
        self.meanwhile()
        return self._come(answers)

    def _come(self, answers: Sequence[Answer]) -> Iterator[tuple[int, Answer]]:
        passed_ms = 0
        # In the order in which they come.
        for place, answer in sorted(enumerate(answers), key=lambda each: each[1].ms):
            if answer.ms > passed_ms:
                self.before_the_next()
            self.clock.advance((answer.ms - passed_ms) / 1000)
            passed_ms = answer.ms
            yield place, answer

    def _answer(self, post: Post) -> Answer:
        name = post.url.removeprefix("https://").partition(".")[0]
        self.got.append((name, post))
        left = self.answers.get(name, [TOOK_IT])
        return left.pop(0) if len(left) > 1 else left[0]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.got]


@dataclass
class Mailbox:
    """A job that has just ended, and its tenant's endpoints."""

    tenant: str = "t1"
    clock: ManualClock = field(default_factory=ManualClock)
    schedule: Schedule = field(default_factory=Schedule)
    seal: Seal | None = SEAL
    store: MemoryStore = field(init=False)
    state: MemoryState = field(init=False)
    receivers: Receivers = field(init=False)
    pauses: list[float] = field(default_factory=list)
    workers: int = 0

    def __post_init__(self) -> None:
        self.store = MemoryStore(clock=self.clock)
        self.state = MemoryState(clock=self.clock)
        self.receivers = Receivers(self.clock)
        self.end(JOB)

    def end(self, job: str) -> JobFailed:
        """A job that failed, of which nobody was told."""
        ending.decide(
            self.store, job=job, tenant=self.tenant, state="failed", code="deadline",
            reason="Too late.", now_s=self.clock(),
        )  # fmt: skip
        self.store.create(layout.open_marker(job), b"")
        return replace(TOLD, job=job)

    def endpoint(self, name: str, *events: str, answers: Sequence[Answer] = ()) -> Endpoint:
        if answers:
            self.receivers.answers[name] = [*answers]
        return put_endpoint(self.store, name, *events)

    def change(self, name: str, changed: Callable[[Endpoint], Endpoint]) -> None:
        key = layout.endpoint("t1", name)
        self.store.put(key, record.dump(changed(self.read_endpoint(name))))

    def read_endpoint(self, name: str) -> Endpoint:
        return record.load(self.store.get(layout.endpoint("t1", name)), Endpoint)

    def handle(self, event: Event = TOLD, fault: Fault | None = None) -> None:
        fault = fault or Fault()
        self.workers += 1
        notifier = Notifier(
            store=FaultyStore(self.store, fault),
            state=FaultyState(self.state, fault),
            clock=self.clock,
            pause=self._pause,
            webhook=lambda posts: fault.around(lambda: self.receivers(posts)),
            worker=f"worker-{self.workers}",
            seal=self.seal,
            schedule=self.schedule,
            patience=Patience(),
        )
        if isinstance(event, WebhookDue):
            assert list(notifier.webhook_due(event)) == []
        else:
            assert isinstance(event, JobFailed)
            assert list(notifier.verdict(event)) == []

    def tick(self, seconds: float = 60.0) -> int:
        """Time passes, and what is due by then is handled. How many messages that were."""
        self.clock.advance(seconds)
        events = list(due(self.store, now_s=self.clock(), limit=100))
        for event in events:
            self.handle(event)
        return len(events)

    def message(self, job: str = JOB) -> Message | None:
        return Outbox(store=self.store).read("t1", job)

    def states(self, job: str = JOB) -> dict[str, str]:
        message = self.message(job)
        return {each.endpoint: each.state for each in message.deliveries} if message else {}

    def log(self, name: str) -> list[Entry]:
        """The newest first."""
        return [entry for _, entry in DeliveryLog(store=self.store).page("t1", name, limit=1000)]

    @property
    def reminders(self) -> list[str]:
        return [info.key for info in self.store.list(layout.DUE_PREFIX)]

    @property
    def open(self) -> bool:
        return self.store.head(layout.open_marker(JOB)) is not None

    def keys(self) -> list[Key]:
        return [Key(scheme="v1", secret=SECRET)]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
