"""A process that pulls its tasks, as a pod that KEDA starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from eventing import codec, job
from eventing.contract import TaskCompleted
from eventing.envelope import unwrap
from functions.adapters.directory import DirectoryStore
from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.state import RedisState
from functions.adapters.sqlite import SqliteState
from functions.ports import StateStore, Waiting
from knative.local.manifests import BASE
from tests import planned, servers
from tests.clips import ffmpeg
from tests.integration.served import DEADLINE_S, until
from tests.planned import JOB
from tests.receivers import receiver

SCALED_JOB: Any = yaml.safe_load(
    (BASE.parent / "components/keda-encoder/scaledjob.yaml").read_text()
)


def admitted(state: StateStore, count: int) -> None:
    state.enqueue(
        [
            Waiting(
                job=JOB,
                generation=1,
                task=f"a{number}",
                tenant="acme",
                accelerator="cpu",
                order=number,
            )
            for number in range(1, count + 1)
        ]
    )
    state.admit("cpu", cause="start", limit=count, ttl_s=900)


def test_every_task_with_a_slot_is_encoded_and_told_of(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    ffmpeg(*("-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=500:d=1"),
        *("-map", "0", "-map", "1", "-c:a", "aac", str(clip)),
    )  # fmt: skip
    planned.plan(DirectoryStore(tmp_path / "site"), clip, renditions=())
    state = SqliteState(tmp_path / "state.sqlite")
    admitted(state, 2)
    with receiver() as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "eventing.pull", "functions.encoder.main"],
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PYTHONWARNINGS": "error",
                "K_SINK": sink.url,
                "KINORA_STORE": str(tmp_path / "site"),
                "KINORA_STATE": str(tmp_path / "state.sqlite"),
                "KINORA_SCRATCH": str(tmp_path / "scratch"),
            },
        )
        try:
            until(lambda: len(sink.got) == 2, "both tasks are told of")
            # Nothing completes them here, so they keep their slots and are due no second time.
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_S) == job.STOPPED
        finally:
            process.kill()
            process.wait()
        told = [unwrap(codec.decode(request.headers, request.body)) for request in sink.got]
    assert told == [TaskCompleted(job=JOB, generation=1, task=task) for task in ("a1", "a2")]
    state.close()


@pytest.mark.servers
def test_keda_counts_what_has_a_slot(redis_server: servers.Redis) -> None:
    """The key that the ScaledJob names has as many members as there are tasks with a slot."""
    (trigger,) = SCALED_JOB["spec"]["triggers"]
    prefix = f"{uuid4()}"
    state = RedisState(RedisAddress.at(f"{redis_server.url}?prefix={prefix}"))
    admitted(state, 3)
    key = trigger["metadata"]["listName"].replace("{kinora}", f"{{{prefix}}}")
    with redis_server.asked() as client:
        assert client.type(key) == "zset"
        assert client.zcard(key) == len(state.granted("cpu")) == 3
        state.complete(JOB, 1, "a1", total=3)
        assert client.zcard(key) == 2
    state.close()
