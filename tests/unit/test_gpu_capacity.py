"""What there is of GPUs, who waits, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.jobs import layout, record
from knative.cli.operating import gpu as command
from knative.operating import awaited, gpu
from knative.operating.gpu import Waiting
from knative.operating.revision import SCALE, Service
from tests.fakes import MemoryStore
from tests.unit import cli_samples
from tests.unit import cluster_samples as samples

TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
LABELS = {"accelerator": "nvidia"}
WAITING = [Waiting(job="1" * 32, tenant="acme", tasks=3, since_s=samples.NOW_S - 90)]


def encoder(most: int = 1) -> Service:
    found = samples.service(gpu.ENCODER, template={f"{SCALE}max-scale": str(most)})
    found["spec"]["template"]["spec"] |= {
        "nodeSelector": LABELS,
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }
    return Service.of(found)


def pods(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return list(found)


def test_a_node_that_suits_counts_what_pods_use_of_it() -> None:
    found = gpu.capacity(
        [samples.node("a", 4, labels=LABELS, taints=[TAINT]), samples.node("b", 0)],
        pods(
            samples.pod("x", revision="encoder-gpu-00001", node="a", gpus=1),
            samples.pod("y", revision="other-00001", node="a", gpus=2),
        ),
        encoder(),
    )
    (node,) = found.nodes
    assert (node.allocatable, node.used, node.free, node.suits) == (4, 3, 1, True)
    assert [pod.name for pod in found.pods] == ["x"]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (samples.node("a", 1, taints=[TAINT]), "lacks the label accelerator=nvidia"),
        (
            samples.node("a", 1, labels=LABELS, taints=[{"key": "spot", "effect": "NoExecute"}]),
            "does not tolerate its taint spot:NoExecute",
        ),
        (samples.node("a", 1, labels=LABELS, ready="False"), "not ready"),
    ],
)
def test_a_node_that_does_not_suit_says_why_and_counts_nothing(
    node: dict[str, Any], words: str
) -> None:
    found = gpu.capacity([node], [], encoder())
    assert (found.allocatable, found.free) == (0, 0)
    assert words in found.nodes[0].why
    assert any(words in line for line in gpu.advice(found, WAITING))


def test_a_taint_that_only_prefers_other_nodes_is_no_obstacle() -> None:
    soft = {"key": "busy", "effect": "PreferNoSchedule"}
    found = gpu.capacity([samples.node("a", 1, labels=LABELS, taints=[soft])], [], encoder())
    assert found.free == 1


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (gpu.capacity([], [], None), "nothing takes them"),
        (gpu.capacity([], [], encoder()), "install the device plugin"),
        (
            gpu.capacity([samples.node("a", 1, labels=LABELS)], [], encoder(most=3)),
            "scale encoder-gpu --max 1",
        ),
        (
            gpu.capacity(
                [samples.node("a", 2, labels=LABELS)],
                pods(
                    samples.pod(
                        "p", revision="encoder-gpu-00001", node="", unschedulable="0/1 nodes"
                    )
                ),
                encoder(),
            ),
            "p is Pending: Unschedulable: 0/1 nodes",
        ),
        (
            gpu.capacity(
                [samples.node("a", 2, labels=LABELS)],
                pods(samples.pod("p", revision="encoder-gpu-00001", node="a", gpus=1)),
                encoder(),
            ),
            "scale encoder-gpu --max 2",
        ),
    ],
)
def test_there_is_advice_for_whoever_waits(found: gpu.Capacity, words: str) -> None:
    assert any(words in line for line in gpu.advice(found, WAITING))


def test_where_all_is_well_nothing_is_advised() -> None:
    found = gpu.capacity([samples.node("a", 1, labels=LABELS)], [], encoder())
    assert gpu.advice(found, []) == []


def test_who_waits_is_in_the_records_of_open_jobs() -> None:
    store = MemoryStore()
    job = cli_samples.JOB
    cli_samples.accept(store)
    store.put(layout.open_marker(job), b"")
    plan = cli_samples.plan()
    tasks = [replace_accelerator(task) for task in plan.tasks]
    store.create(layout.plan(job, 1), record.dump(replace(plan, tasks=tuple(tasks))))
    (waits,) = awaited.gpus(store)
    assert (waits.job, waits.tenant, waits.tasks) == (job, "local", len(tasks))
    store.create(layout.receipt(job, 1, tasks[0].id), b"{}")
    assert next(awaited.gpus(store)).tasks == len(tasks) - 1
    cli_samples.finish(store, cli_samples.verdict())
    assert list(awaited.gpus(store)) == []


def replace_accelerator(task: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(task, accelerator="gpu")


def test_what_a_pod_of_the_cluster_found_is_what_would_have_been_found_here() -> None:
    assert awaited.of_values(awaited.as_values(WAITING)) == WAITING


def test_people_see_nodes_and_who_waits_since_when() -> None:
    found = gpu.capacity([samples.node("a", 1, labels=LABELS, taints=[TAINT])], [], encoder())
    text = samples.printed(command.tables(found, WAITING, now_s=samples.NOW_S))
    assert "nvidia.com/gpu=present:NoSchedule" in text
    assert "1111" in text
    assert "1:30" in text
    values = command.as_values(found, WAITING, "")
    assert (values["allocatable"], values["waiting"][0]["tasks"]) == (1, 3)
    assert command.as_values(found, [], "no store")["waiting"] is None
