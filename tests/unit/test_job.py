"""An event from a file is handled as one from a broker, and the exit code says how it went."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from eventing import codec, job
from eventing.cloudevent import CloudEvent
from eventing.contract import Event, TaskCompleted, TaskReady
from eventing.envelope import unwrap
from eventing.errors import Rejected, Unavailable
from eventing.host import Handler, Host
from eventing.serve import Settings
from tests.contract.event_samples import JOB, event_of

READY = TaskReady(job=JOB, generation=1, task="a1", length="long")
EVENT = codec.encode(event_of(READY), mode="structured").body
COMPLETED = TaskCompleted(job=JOB, generation=1, task="a1")


class Slept(list[float]):
    """Waits by noting how long, and calls what changes meanwhile."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def host(handler: Handler, publish: Callable[[CloudEvent], None] = lambda event: None) -> Host:
    return Host("encoder", {TaskReady: handler}, publish=publish)


def raising(*errors: Exception) -> Handler:
    """Raises one after the other, and then handles the event."""
    left = list(errors)

    def handle(ready: TaskReady) -> Iterator[Event]:
        if left:
            raise left.pop(0)
        yield COMPLETED

    return handle


def test_what_the_handler_tells_is_published_and_the_job_is_done() -> None:
    told: list[CloudEvent] = []
    taken: list[TaskReady] = []

    def handle(ready: TaskReady) -> Iterator[Event]:
        taken.append(ready)
        yield COMPLETED

    slept = Slept()
    assert job.handle(host(handle, told.append), EVENT, sleep=slept) == job.DONE
    assert taken == [READY]
    assert [unwrap(event) for event in told] == [COMPLETED]
    assert told[0].extensions["producer"] == "encoder"
    assert slept == []


def test_what_is_not_there_yet_is_waited_for() -> None:
    handler = raising(Unavailable("a", retry_after_s=5), Unavailable("b", retry_after_s=0))
    slept = Slept()
    assert job.handle(host(handler), EVENT, sleep=slept) == job.DONE
    assert slept == [5, 1]


def test_a_broker_that_takes_no_event_is_waited_for_too() -> None:
    answers: list[Exception] = [Unavailable("the broker took no event")]

    def publish(event: CloudEvent) -> None:
        if answers:
            raise answers.pop()

    slept = Slept()
    assert job.handle(host(raising(), publish), EVENT, sleep=slept) == job.DONE
    assert slept == [1]


def test_what_stays_away_longer_than_patience_lasts_is_left_to_another_pod() -> None:
    handler = raising(*(Unavailable("full", retry_after_s=30) for _ in range(9)))
    slept = Slept()
    assert job.handle(host(handler), EVENT, sleep=slept) == job.NOT_NOW
    assert slept == [30, 30, 30, 30]
    assert sum(slept) <= job.PATIENCE_S


@pytest.mark.parametrize(
    ("handler", "event", "code"),
    [
        (raising(Rejected("task_unknown", "The plan has no such task.")), EVENT, job.REFUSED),
        (raising(), b"no event", job.REFUSED),
        (raising(), EVENT.replace(b"task.ready.v1", b"task.ready.v9"), job.REFUSED),
        (raising(), EVENT.replace(b'"a1"', b'"A 1"'), job.REFUSED),
        (raising(ZeroDivisionError()), EVENT, job.DEFECT),
    ],
)
def test_what_will_never_work_and_what_is_a_defect_are_told_apart(
    handler: Handler, event: bytes, code: int
) -> None:
    slept = Slept()
    assert job.handle(host(handler), event, sleep=slept) == code
    assert slept == []


def test_the_exit_codes_are_as_many_as_the_ways_to_end() -> None:
    codes: Sequence[int] = (job.DONE, job.DEFECT, job.REFUSED, job.NOT_NOW, job.STOPPED)
    assert len(set(codes)) == 5
    assert job.STOPPED == 143


@pytest.mark.parametrize("argv", [[], ["a", "b"]])
def test_one_module_is_named(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        job.main(argv)
    assert caught.value.code == "usage: python -m eventing.job MODULE"


@pytest.mark.parametrize("folder", ["", "absent"])
def test_an_event_that_is_not_there_ends_the_process_with_a_sentence(
    folder: str, tmp_path: Path
) -> None:
    env = {**os.environ, "K_EVENT_PATH": str(tmp_path / folder) if folder else ""}
    ran = subprocess.run(
        [sys.executable, "-m", "eventing.job", "functions.encoder.main"],
        env=env,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == job.DEFECT
    assert ran.stderr.startswith("there is no event to handle: " if folder else "K_EVENT_PATH is ")
    assert ran.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("KINORA_CONCURRENCY", "0"),
        ("KINORA_TIMEOUT_S", "-1"),
        ("KINORA_PARENT_DEATH", "1.5"),
        ("KINORA_LOG_LEVEL", "loud"),
    ],
)
def test_a_setting_of_the_process_that_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be .* not '{value}'$"):
        Settings.read({name: value})


def test_a_setting_that_is_empty_counts_as_not_set() -> None:
    names = ("PORT", "KINORA_CONCURRENCY", "KINORA_TIMEOUT_S", "KINORA_LOG_LEVEL")
    assert Settings.read(dict.fromkeys(names, "")) == Settings.read({})
