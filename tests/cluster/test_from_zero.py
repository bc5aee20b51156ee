"""A file put into the bucket, from zero pods to streams and a webhook, and back to zero."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from eventing import contract
from functions.jobs import layout
from tests.cluster.installation import NAMESPACE, Installation
from tests.cluster.podlogs import PodLogs, following
from tests.cluster.podwatch import PodWatch, watching
from tests.e2e.command import until
from tests.e2e.inbox import Receiver

pytestmark = pytest.mark.cluster

ASLEEP_S = 45.0
FLOW = ("source", "ingest", "chunker", "encoder", "assembler", "notifier")


def throughout(what: str, true: Callable[[], bool], *, for_s: float) -> None:
    """Fails as soon as it is not."""
    end_s = time.monotonic() + for_s
    while time.monotonic() < end_s:
        assert true(), f"not throughout {for_s:g} s: {what}"
        time.sleep(0.5)


def test_a_file_in_the_bucket_becomes_streams_from_zero_and_nothing_stays(
    installation: Installation, inbox: Receiver, clip: Path, figures: list[str]
) -> None:
    with installation.without_sweeps():
        installation.quiet()
        with watching(installation.kube) as pods:
            began_s = time.monotonic()
            dropped = installation.drop(clip, "zero.mp4", options={"chunk-segments": "1"})
            until("it is a job", lambda: bool(installation.job_of(dropped)), every_s=0.1)
            job = installation.job_of(dropped)
            media = f"{layout.MEDIA}/{job}/"
            until(
                "there is a segment",
                lambda: any(key.endswith(".m4s") for key in installation.below(media)),
                every_s=0.1,
            )
            segment_s = time.monotonic() - began_s
            installation.ended([dropped])
            done_s = time.monotonic() - began_s
            until("its webhook is delivered", lambda: bool(inbox.verdicts(job)), every_s=0.1)
            told_s = time.monotonic() - began_s
            installation.quiet()
            zero_s = time.monotonic() - began_s
            asleep = "no function has a pod"
            throughout(asleep, lambda: not installation.functions(), for_s=ASLEEP_S)
    installation.assert_exact(job, clip)
    told = inbox.verdicts(job)
    assert {each.event["type"] for each in told} == {contract.JobCompleted.type}
    assert len({each.id for each in told}) == 1
    assert not inbox.unverified
    assert len(installation.report(job)["tasks"]) == 7
    figures += [
        *_told(pods, began_s),
        f"first segment {segment_s:.1f} s, done {done_s:.1f} s, told {told_s:.1f} s,"
        f" zero pods {zero_s:.1f} s after the file, and for {ASLEEP_S:g} s more",
    ]


def _told(pods: PodWatch, began_s: float) -> list[str]:
    """When the first pod of each function appeared, and what it took to become ready."""
    lines = ["function   first pod  ready after"]
    for function in FLOW:
        seen = [pod for pod in pods.of(function) if pod.first_s >= began_s]
        assert seen, f"{function} has had no pod"
        first = min(seen, key=lambda pod: pod.first_s)
        lines.append(
            f"{function:10} {first.first_s - began_s:7.1f} s {first.ready_s - first.first_s:9.1f} s"
        )
    return lines


def test_a_tick_wakes_the_sweeper_and_nobody_else(installation: Installation) -> None:
    with ExitStack() as stack:
        with installation.without_tick():
            installation.quiet()
            pods = stack.enter_context(watching(installation.kube))
            logs = stack.enter_context(following(NAMESPACE))
            since_s = time.monotonic()
        until("the sweeper has swept", lambda: _has_swept(pods, logs, since_s), every_s=0.2)
        with installation.without_tick():
            installation.quiet()
        assert pods.functions(since_s=since_s) == {"sweeper"}


def _has_swept(pods: PodWatch, logs: PodLogs, since_s: float) -> bool:
    """A pod that appeared since then."""
    names = [pod.name for pod in pods.of("sweeper") if pod.first_s >= since_s]
    return any("handled" in line.text for name in names for line in logs.of(name))
