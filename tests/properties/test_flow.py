"""The laws of the flow, against everything that at-least-once delivery and dying processes do.

`KINORA_FLOW_EXAMPLES` and `KINORA_FLOW_STEPS` make the search longer.
"""

from __future__ import annotations

import os
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eventing.contract import TaskReady
from tests.flow import media
from tests.flow.broker import RETRIES, Delivery
from tests.flow.faults import Fault, Kind
from tests.flow.media import ALWAYS, Film
from tests.flow.site import Gpu, Site

EXAMPLES = int(os.environ.get("KINORA_FLOW_EXAMPLES", "100"))
STEPS = int(os.environ.get("KINORA_FLOW_STEPS", "50"))

KINDS: tuple[Kind, ...] = ("none", "crash", "lost reply", "refused")
PICK = st.integers(0, 10_000)
FILMS = st.builds(
    Film,
    chunks=st.integers(1, 4),
    rungs=st.integers(1, 2),
    split=st.booleans(),
    sounds=st.integers(0, 2),
    prepare=st.booleans(),
    failing=st.sampled_from(["", "", "v0000", "v0001", "a1", "m1", "p1"]),
    failures=st.sampled_from([0, 1, 2, ALWAYS]),
    final=st.booleans(),
    gpu=st.booleans(),
    progressive=st.booleans(),
)
GPUS: tuple[Gpu, ...] = get_args(Gpu)
TENANTS = st.sampled_from(["t1", "t2"])


class Flow(RuleBasedStateMachine):
    """Films come in, and everything goes wrong at any moment."""

    def __init__(self, site: Site | None = None) -> None:
        super().__init__()
        self.site = site or Site()
        self.dropped = 0
        self.cancelled: set[str] = set()

    @rule(film=FILMS, tenant=TENANTS, told=st.booleans())
    def a_film_is_dropped(self, film: Film, tenant: str, told: bool) -> None:
        if self.dropped < 4:
            self.dropped += 1
            self.site.drop(_named(film, f"film-{self.dropped}"), tenant=tenant, tell=told)

    @rule(what=st.sampled_from(["empty", "text", "nobody's", "sidecar"]))
    def something_is_dropped_that_cannot_be_taken(self, what: str) -> None:
        film = Film(name=what).content()
        match what:
            case "empty":
                self.site.upload("t1/empty.mp4", b"")
            case "text":
                self.site.upload("t1/notes.mp4", b"just some words")
            case "nobody's":
                self.site.upload("nobody.mp4", film)
            case "sidecar":
                self.site.upload("t1/odd.mp4.json", b'{"colour": "blue"}')
                self.site.upload("t1/odd.mp4", film)

    @precondition(lambda self: self.site.broker.pending)
    @rule(pick=PICK)
    def an_event_is_delivered(self, pick: int) -> None:
        self.site.deliver(pick)

    @precondition(lambda self: self.site.broker.pending)
    @rule(pick=PICK, kind=st.sampled_from(KINDS), at=st.integers(1, 25))
    def a_process_fails_at_one_of_its_calls(self, pick: int, kind: Kind, at: int) -> None:
        self.site.deliver(pick, Fault(kind=kind, at=at))

    @precondition(lambda self: len(self.site.broker.pending) > 1)
    @rule(pick=PICK, other=PICK, at=st.integers(1, 25))
    def one_process_overtakes_another(self, pick: int, other: int, at: int) -> None:
        def overtake() -> None:
            if self.site.broker.pending:
                self.site.deliver(other)

        self.site.deliver(pick, Fault(kind="overtaken", at=at, overtake=overtake))

    @precondition(lambda self: self.site.broker.pending)
    @rule(pick=PICK, which=PICK, at=st.integers(1, 25))
    def a_job_is_cancelled_meanwhile(self, pick: int, which: int, at: int) -> None:
        self.site.deliver(
            pick, Fault(kind="overtaken", at=at, overtake=lambda: self._cancel(which))
        )

    @precondition(lambda self: self.site.broker.accepted)
    @rule(pick=PICK)
    def an_event_arrives_again(self, pick: int) -> None:
        accepted = self.site.broker.accepted
        for delivery in self.site.broker.deliveries(accepted[pick % len(accepted)]):
            self.site.repeat(delivery)

    @precondition(lambda self: self.site.broker.pending)
    @rule(pick=PICK)
    def the_broker_loses_an_event(self, pick: int) -> None:
        self.site.broker.take(pick)
        self.site.faults += 1

    @precondition(lambda self: self._encodes())
    @rule(pick=PICK)
    def an_encoder_hangs(self, pick: int) -> None:
        encodes = self._encodes()
        self.site.deliver(encodes[pick % len(encodes)], hangs=True)

    @rule(gpu=st.sampled_from(GPUS))
    def the_gpus_are_otherwise(self, gpu: Gpu) -> None:
        self.site.turn_gpu(gpu)

    @rule()
    def the_state_store_is_flushed(self) -> None:
        self.site.state.flush()
        self.site.faults += 1

    @rule()
    def a_tick_comes(self) -> None:
        self.site.tick()

    @invariant()
    def what_is_always_true_is_true(self) -> None:
        self.site.check()

    def teardown(self) -> None:
        self.site.settle()
        self.site.check_settled()
        self.site.check_told()
        for job, manifest in self.site.manifests().items():
            verdict = self.site.verdict(job)
            assert verdict is not None
            if manifest.profile is None:
                assert verdict.state == "rejected"
            elif job not in self.cancelled:
                expected = "failed" if self.site.film(job).hopeless else "completed"
                assert verdict.state == expected, verdict

    def _encodes(self) -> list[int]:
        """Which of the pending deliveries go to an encoder."""
        pending = self.site.broker.pending
        return [at for at, each in enumerate(pending) if each.event.type == TaskReady.type]

    def _cancel(self, which: int) -> None:
        jobs = sorted(self.site.manifests())
        if jobs:
            job = jobs[which % len(jobs)]
            self.cancelled.add(job)
            self.site.cancel(job)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(film=FILMS, gpu=st.sampled_from(GPUS[:2]), choices=st.data())
def test_duplicates_disorder_and_deaths_need_no_sweep(
    film: Film, gpu: Gpu, choices: st.DataObject
) -> None:
    """The sweep is for what was lost. Redelivery alone repairs the rest, so nobody waits for it;
    also where a worker says that it has no GPU that works."""
    site = Site()
    site.turn_gpu(gpu)
    job = site.drop(film).job
    again, deaths, cancels = 25, 10, 1
    while site.broker.pending:
        index = choices.draw(st.integers(0, len(site.broker.pending) - 1))
        delivery = site.broker.pending[index]
        fault = Fault()
        match choices.draw(st.sampled_from(["once", "again", "death", "cancel"])):
            case "again" if again:
                again -= 1
                site.repeat(delivery)
            case "death" if deaths and _may_die(delivery):
                deaths -= 1
                fault = Fault(kind="crash", at=choices.draw(st.integers(1, 25)))
            case "cancel" if cancels:
                cancels -= 1
                at = choices.draw(st.integers(1, 12))
                fault = Fault(kind="overtaken", at=at, overtake=lambda: _call_off(site, job))
        site.deliver(index, fault)
        if fault.dead:
            site.clock.advance(2 * media.LEASE_S)
        site.check()
    assert site.verdict(job) is not None
    assert site.is_quiet()
    site.check_nothing_is_left()
    site.check_settled()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(film=FILMS, delivered=st.integers(0, 40), at=st.integers(1, 25), picks=st.data())
def test_a_state_store_that_loses_everything_in_mid_job_costs_two_ticks(
    film: Film, delivered: int, at: int, picks: st.DataObject
) -> None:
    """Also one that loses it between two calls of one handler."""
    site = Site()
    job = site.drop(film).job
    for _ in range(delivered):
        if len(site.broker.pending) > 0:
            site.deliver(picks.draw(st.integers(0, len(site.broker.pending) - 1)))
    if site.broker.pending:
        site.deliver(0, Fault(kind="overtaken", at=at, overtake=site.state.flush))
    site.state.flush()
    site.deliver_all()
    for _ in range(2):
        if site.verdict(job) is None:
            site.tick()
            site.deliver_all()
    assert site.verdict(job) is not None
    site.settle()
    site.check_settled()


def _call_off(site: Site, job: str) -> None:
    """Cancel the job, and let the notifier close it at once."""
    site.cancel(job)
    for delivery in [each for each in site.broker.pending if each.function == "notifier"]:
        site.deliver(site.broker.pending.index(delivery))


def _may_die(delivery: Delivery) -> bool:
    """A dead chunker's or encoder's lease is left to the sweep; too many deaths lose an event."""
    mortal = delivery.function in ("ingest", "assembler", "notifier")
    return mortal and delivery.failed < RETRIES


def _named(film: Film, name: str) -> Film:
    return Film(**{**{field: getattr(film, field) for field in film.__slots__}, "name": name})


TestFlow = Flow.TestCase
TestFlow.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
