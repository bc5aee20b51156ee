"""`kinora knative gpu`: what there is of GPUs, and who waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from rich.console import RenderableType

    from knative.operating.cluster import Cluster
    from knative.operating.gpu import Capacity, Waiting


def gpu(
    records: Annotated[
        bool,
        typer.Option(
            "--records", help="Only who waits, from KINORA_STORE; asks nothing of a cluster."
        ),
    ] = False,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Show nodes with GPUs, who uses them, which jobs wait for one, and what to do.

    Jobs are read from KINORA_STORE, or where it is not set by a pod of the cluster.
    """
    import time

    from knative.cli import output
    from knative.cli.operating.records import objects_here
    from knative.operating import awaited

    now_s = time.time()
    store = objects_here()
    if records:
        if store is None:
            raise Complaint("Set KINORA_STORE to the address of the store.")
        waiting = list(awaited.gpus(store))
        if as_json:
            output.write_json(awaited.as_values(waiting))
        else:
            output.show(*jobs(waiting, now_s=now_s))
        return
    unread = ""
    with reach.cluster(context) as cluster:
        found = _capacity(cluster, namespace)
        try:
            waiting = list(awaited.gpus(store)) if store else _asked(cluster, namespace)
        except Complaint as complaint:
            waiting, unread = [], complaint.reason
    if as_json:
        output.write_json(as_values(found, waiting, unread))
        return
    output.show(*tables(found, waiting, now_s=now_s))
    if unread:
        output.tell(unread)


def _capacity(cluster: Cluster, namespace: str) -> Capacity:
    from knative.operating import gpu as gpus
    from knative.operating import kinds
    from knative.operating.revision import Service

    service = cluster.get(kinds.SERVICE, gpus.ENCODER, namespace)
    return gpus.capacity(
        cluster.list(kinds.NODE),
        cluster.list(kinds.POD),
        None if service is None else Service.of(service),
    )


def _asked(cluster: Cluster, namespace: str) -> list[Waiting]:
    from knative.cli.operating.records import from_inside
    from knative.operating import awaited

    said = from_inside(cluster, namespace, "gateway", ["knative", "gpu", "--records", "--json"])
    return awaited.of_values(said[0])


def tables(found: Capacity, waiting: Sequence[Waiting], *, now_s: float) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from knative.operating import gpu as gpus

    shown: list[RenderableType] = []
    if found.nodes:
        table = Table(box=None, pad_edge=False)
        for heading in ("node", "GPUs", "used", "free", "taints"):
            table.add_column(
                heading, justify="right" if heading in ("GPUs", "used", "free") else "left"
            )
        for node in found.nodes:
            table.add_row(
                node.name,
                str(node.allocatable),
                str(node.used),
                str(node.free),
                Text(" ".join(node.taints)),
            )
        shown += [table, ""]
    if found.encoder:
        states = ", ".join(f"{pod.name} {pod.state}" for pod in found.pods) or "none now"
        shown += [f"{gpus.ENCODER}: {found.encoder}; {states}"]
    shown += jobs(waiting, now_s=now_s)
    shown += [Text(line) for line in gpus.advice(found, waiting)]
    return shown


def jobs(waiting: Sequence[Waiting], *, now_s: float) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    from knative.cli import wording

    if not waiting:
        return ["No task waits for a GPU."]
    table = Table(box=None, pad_edge=False)
    for heading in ("job", "tenant", "tasks", "waits"):
        table.add_column(heading, justify="right" if heading in ("tasks", "waits") else "left")
    for each in sorted(waiting, key=lambda each: each.since_s):
        table.add_row(
            wording.short(each.job),
            Text(each.tenant),
            str(each.tasks),
            wording.span(max(0.0, now_s - each.since_s)),
        )
    return [table]


def as_values(found: Capacity, waiting: Sequence[Waiting], unread: str) -> dict[str, Any]:
    from knative.operating import awaited
    from knative.operating import gpu as gpus

    return {
        "allocatable": found.allocatable,
        "free": found.free,
        "nodes": [
            {
                "node": node.name,
                "allocatable": node.allocatable,
                "used": node.used,
                "ready": node.ready,
                "taints": list(node.taints),
                "suits": node.suits,
                "why": node.why,
            }
            for node in found.nodes
        ],
        "encoder": found.encoder or None,
        "pods": [
            {"pod": pod.name, "state": pod.state, "node": pod.node, "trouble": pod.trouble}
            for pod in found.pods
        ],
        "waiting": None if unread else awaited.as_values(waiting),
        "unread": unread,
        "advice": gpus.advice(found, waiting),
    }
