"""One tick of the sweeper over a stage."""

from __future__ import annotations

from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, Event
from eventing.envelope import unwrap
from functions.jobs.admission import Window
from functions.sweeper.handler import Limits, Sweeper
from tests.fakes import MemoryUploads
from tests.flow.faults import Fault, FaultyState, FaultyStore
from tests.flow.stage import Stage

STALE_S = 90.0


def sweep(
    stage: Stage, *, tick: str = "tick-1", fault: Fault | None = None, limits: Limits | None = None
) -> list[Event]:
    fault = fault or Fault()
    sweeper = Sweeper(
        store=FaultyStore(stage.store, fault),
        state=FaultyState(stage.state, fault),
        uploads=MemoryUploads(stage.store),
        clock=stage.clock,
        window=Window(limit=stage.limit),
        stale_s=STALE_S,
        limits=limits or Limits(),
    )
    told = sweeper.tick(CloudEvent(id=tick, source="/ping", type=TICK))
    return [unwrap(each) if isinstance(each, CloudEvent) else each for each in told]


def bare(stage: Stage) -> Stage:
    """The same stage without its job."""
    for info in list(stage.store.list("")):
        stage.store.delete(info.key)
    stage.state.flush()
    return stage
