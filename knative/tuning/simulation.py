"""Jobs through admission, activator, autoscaler and pods, event by event.

The autoscaler is the model that equals Knative's own. Around it: a task that was admitted waits in
the activator until a pod has room; a pod takes the cold start to be ready; one that is to go takes
nothing more, ends what it has and is there until its drain is over. The activator is always in the
path, as for every encoder. Times are milliseconds after the first job.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from knative.autoscaling.autoscaler import Activity, Autoscaler
from knative.autoscaling.concurrency import Concurrency
from knative.tuning.pod import Pod
from knative.tuning.setup import Setup
from knative.tuning.turns import Turns
from knative.tuning.workload import Arrival, Work

DRAIN_MS: Final = 30_000
"""A pod stays that long after it was told to go, whatever it does."""

_Event = Literal["arrival", "planned", "tick", "ready", "done", "gone"]


@dataclass(frozen=True, slots=True)
class Count:
    """Pods, from a moment on."""

    at_ms: int
    ready: int
    starting: int
    leaving: int

    @property
    def pods(self) -> int:
        return self.ready + self.starting + self.leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happened."""

    job_ms: tuple[int, ...]
    """Of each job, from its arrival to the end of its last task."""
    answer_ms: int
    """The longest that a request took, its time in the activator included."""
    counts: tuple[Count, ...]
    """Whenever it changed."""
    pods_started: int
    cold_starts: int
    """Times that somebody came and no pod was there."""
    end_ms: int

    @property
    def pod_ms(self) -> int:
        """Pods times milliseconds, those that start and those that leave as well."""
        ends = [count.at_ms for count in self.counts[1:]] + [self.end_ms]
        return sum(
            count.pods * (end - count.at_ms) for count, end in zip(self.counts, ends, strict=True)
        )

    @property
    def most_pods(self) -> int:
        """That took requests or were to, at a time."""
        return max((count.ready + count.starting for count in self.counts), default=0)


@dataclass(slots=True, eq=False)
class _Job:
    arrival: Arrival
    number: int
    stage: int = -1
    left: int = 0
    """Tasks of the stage that are not done."""


@dataclass(frozen=True, slots=True)
class _Task:
    job: _Job
    came_ms: int


@dataclass(slots=True, eq=False)
class _Site:
    setup: Setup
    cold_start_ms: int
    drain_ms: int
    slots: int
    now_ms: int = 0
    events: list[tuple[int, int, _Event, object]] = field(default_factory=list)
    order: itertools.count[int] = field(default_factory=itertools.count)
    turns: Turns[_Job] = field(default_factory=Turns)
    in_flight: int = 0
    queue: deque[tuple[_Task, Work]] = field(default_factory=deque)
    pods: list[Pod[_Task]] = field(default_factory=list)
    """That take requests or will, oldest first."""
    leaving: list[Pod[_Task]] = field(default_factory=list)
    wanted: int = 0
    reported: float = 0.0
    """Of the next sample, what was told of when the first request arrived."""
    busy_ms: int = 0
    """The last tick at which something was in flight."""
    ticking: bool = False
    ended_ms: dict[int, int] = field(default_factory=dict)
    answer_ms: int = 0
    counts: list[Count] = field(default_factory=list)
    started: int = 0
    cold_starts: int = 0
    autoscaler: Autoscaler = field(init=False)
    activity: Activity = field(init=False)
    concurrency: Concurrency = field(init=False)

    def __post_init__(self) -> None:
        scaling = self.setup.scaling
        # The revision has been there for long: its first pods came and went, or are there.
        settled = replace(scaling, initial_scale=scaling.min_scale)
        self.autoscaler = Autoscaler(settled, now_ms=0)
        self.activity = Activity(settled, now_ms=0)
        self.concurrency = Concurrency(scaling.bucket_ms, keep_ms=scaling.window_ms, now_ms=0)
        self.wanted = scaling.min_scale
        for _ in range(scaling.min_scale):
            self.pods.append(Pod(self.setup.cores, 0, ready=True))

    # Time.

    def at(self, at_ms: int, event: _Event, what: object = None) -> None:
        heapq.heappush(self.events, (at_ms, next(self.order), event, what))

    def run(self) -> None:
        self.count()
        while self.events:
            self.now_ms, _, event, what = heapq.heappop(self.events)
            match event, what:
                case "arrival", _Job():
                    self.at(self.now_ms + what.arrival.lead_ms, "planned", what)
                case "planned", _Job():
                    self.plan(what)
                case "tick", _:
                    self.tick()
                case "ready", Pod():
                    what.ready = what.ready or not what.leaving
                case "done", (Pod() as pod, int(changes)) if pod.changes == changes:
                    self.done(pod)
                case "gone", Pod():
                    if not len(what):
                        self.leaving.remove(what)
            self.dispatch()
            self.count()

    def count(self) -> None:
        ready = sum(pod.ready for pod in self.pods)
        now = Count(self.now_ms, ready, len(self.pods) - ready, len(self.leaving))
        if self.counts and self.counts[-1].at_ms == self.now_ms:
            self.counts.pop()
        if not self.counts or replace(self.counts[-1], at_ms=self.now_ms) != now:
            self.counts.append(now)

    # Jobs.

    def plan(self, job: _Job) -> None:
        """Its next stage, or its end."""
        job.stage += 1
        if job.stage == len(job.arrival.stages):
            self.ended_ms[job.number] = self.now_ms
            return
        works = job.arrival.stages[job.stage]
        job.left = len(works)
        self.turns.add(job.arrival.tenant, job, works)
        self.admit()

    def admit(self) -> None:
        while self.in_flight < self.slots and (due := self.turns.take()):
            self.in_flight += 1
            job, work = due
            self.queue.append((_Task(job, self.now_ms), work))
            self.concurrency.change(self.now_ms, 1)
            if not self.pods:
                self.arrived()
        if not self.ticking and self.concurrency.now:
            self.ticking = True
            self.at(self.now_ms + self.setup.scaling.tick_ms, "tick")

    def done(self, pod: Pod[_Task]) -> None:
        for task in pod.ended(self.now_ms):
            self.answer_ms = max(self.answer_ms, self.now_ms - task.came_ms)
            self.concurrency.change(self.now_ms, -1)
            self.in_flight -= 1
            task.job.left -= 1
            if not task.job.left:
                self.plan(task.job)
            self.admit()
        self.foretell(pod)

    # Requests.

    def dispatch(self) -> None:
        limit = self.setup.scaling.container_concurrency
        for pod in self.pods:
            while self.queue and pod.ready and (not limit or len(pod) < limit):
                pod.begin(self.now_ms, *self.queue.popleft())
                self.foretell(pod)

    def foretell(self, pod: Pod[_Task]) -> None:
        done_ms = pod.next_ms()
        if done_ms is not None:
            self.at(done_ms, "done", (pod, pod.changes))
        elif pod.leaving:
            self.at(max(self.now_ms, pod.since_ms + self.drain_ms), "gone", pod)

    # Scaling.

    def arrived(self) -> None:
        """At zero the first request is told of at once, not with the next sample."""
        self.cold_starts += 1
        self.concurrency.samples(self.now_ms)
        self.autoscaler.record(self.now_ms, 1.0)
        self.reported = 1.0
        self.decide()

    def tick(self) -> None:
        for bucket_ms, average in self.concurrency.samples(self.now_ms):
            already, self.reported = self.reported, 0.0
            self.autoscaler.record(bucket_ms, max(0.0, average - already))
        self.decide()
        if self.concurrency.now:
            self.busy_ms = self.now_ms
        # Once nothing is left to decide, nothing is until somebody comes: the windows are empty.
        scaling = self.setup.scaling
        settled_ms = self.busy_ms + 2 * scaling.window_ms + scaling.scale_down_delay_ms
        if len(self.pods) == self.wanted == scaling.min_scale and (
            not self.pods or self.now_ms > settled_ms
        ):
            self.ticking = False
        else:
            self.at(self.now_ms + self.setup.scaling.tick_ms, "tick")

    def decide(self) -> None:
        ready = sum(pod.ready for pod in self.pods)
        decision = self.autoscaler.decide(self.now_ms, ready)
        wanted = self.activity.scale(self.now_ms, decision, ready)
        self.wanted = self.wanted if wanted is None else wanted
        while len(self.pods) < self.wanted:
            pod: Pod[_Task] = Pod(self.setup.cores, self.now_ms)
            self.pods.append(pod)
            self.started += 1
            self.at(self.now_ms + self.cold_start_ms, "ready", pod)
        while len(self.pods) > self.wanted:
            # Kubernetes asks nobody who is busy: what is not ready goes first, then the youngest.
            pod = next((p for p in reversed(self.pods) if not p.ready), self.pods[-1])
            self.pods.remove(pod)
            self.leaving.append(pod)
            pod.leaving, pod.since_ms = True, self.now_ms
            if not len(pod):
                self.foretell(pod)


def simulate(
    arrivals: Sequence[Arrival],
    setup: Setup,
    *,
    cold_start_ms: int,
    span_ms: int = 0,
    drain_ms: int = DRAIN_MS,
    slots: int | None = None,
) -> Course:
    """Play these jobs; what is kept for nobody is counted until `span_ms` at least.

    `slots` is how many tasks may be in flight; None: as many as the setup's admission lets in.
    """
    site = _Site(setup, cold_start_ms, drain_ms, setup.slots if slots is None else slots)
    for number, arrival in enumerate(arrivals):
        site.at(arrival.at_ms, "arrival", _Job(arrival, number))
    site.run()
    return Course(
        job_ms=tuple(
            site.ended_ms[number] - arrival.at_ms for number, arrival in enumerate(arrivals)
        ),
        answer_ms=site.answer_ms,
        counts=tuple(site.counts),
        pods_started=site.started,
        cold_starts=site.cold_starts,
        end_ms=max(span_ms, site.now_ms),
    )
