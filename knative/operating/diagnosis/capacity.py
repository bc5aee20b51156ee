"""Whether the nodes hold what the functions ask for, and whether the namespace may have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from knative.operating import placement
from knative.operating.diagnosis.facts import Facts, Object, annotation, pod_of
from knative.operating.diagnosis.finding import Finding, fine, missing, poor
from knative.operating.placement import GPU
from knative.operating.quantity import quantity

_QUEUE_PROXY: Final = {"cpu": 0.025, "memory": 0.0}
"""What Knative's own container beside each function asks for."""
_COUNTED: Final = ("cpu", "memory", GPU)


def findings(facts: Facts) -> Iterator[Finding]:
    yield _fits(facts)
    yield _quota(facts)
    yield _limits(facts)
    if any(_gpus(each) for each in facts.services):
        yield _gpu(facts)


def requests(service: Object) -> dict[str, float]:
    """What one pod of a function asks for: cores, bytes, GPUs."""
    total = dict(_QUEUE_PROXY)
    for container in pod_of(service)["containers"]:
        resources = container.get("resources", {})
        # What is limited and not requested is requested as it is limited.
        asked = {**resources.get("limits", {}), **resources.get("requests", {})}
        for name, amount in asked.items():
            total[name] = total.get(name, 0.0) + quantity(amount)
    return total


def suits(pod: Object, node: Object) -> bool:
    """Whether the node's labels and taints let the pod go there."""
    if placement.is_cordoned(node) or placement.lacking(pod, node):
        return False
    return next(placement.unborne(pod, node), None) is None


def _fits(facts: Facts) -> Finding:
    what = "capacity"
    homeless = []
    for service in facts.services:
        asked = requests(service)
        suiting = [node for node in facts.nodes if suits(pod_of(service), node)]
        if _gpus(service):
            continue  # told on its own
        if not any(_holds(node, asked) for node in suiting):
            homeless.append(f"{service['metadata']['name']} ({_said(asked)})")
    if not facts.nodes:
        return poor(
            what,
            "nodes cannot be seen",
            "Whether pods find a place cannot be told.",
            "Use an account that may list nodes.",
        )
    if homeless:
        return missing(
            what,
            f"no node holds a pod of {', '.join(homeless)}",
            "It stays pending, and what it is to do with it.",
            "Add a larger node, or lower the requests in your overlay.",
        )
    free = _free_cores(facts)
    most = sum(
        int(annotation(each, "max-scale", "0") or 0) * requests(each)["cpu"]
        for each in facts.services
        if each["metadata"]["name"].startswith("encoder") and not _gpus(each)
    )
    if most > free:
        return poor(
            what,
            f"{free:.1f} cores are free, all encoders ask for {most:.1f}",
            "Admission counts on them: tasks wait in the queue for pods that stay pending.",
            "Lower `encoders` of kinora-settings, or let nodes be added (cluster autoscaler).",
        )
    return fine(what, f"{free:.1f} cores are free, all encoders ask for {most:.1f}")


def _free_cores(facts: Facts) -> float:
    """Not asked for by anything but the functions themselves."""
    total = sum(_has(node, "cpu") for node in facts.nodes if suits({}, node))
    for pod in facts.pods:
        ours = "serving.knative.dev/service" in pod["metadata"].get("labels", {})
        if ours or pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for container in pod["spec"]["containers"]:
            asked = container.get("resources", {}).get("requests", {})
            total -= quantity(asked.get("cpu", 0))
    return total


def _quota(facts: Facts) -> Finding:
    what = "quotas"
    short = []
    for quota in facts.quotas:
        status = quota.get("status") or {}
        for name, hard in status.get("hard", {}).items():
            resource = name.removeprefix("requests.")
            if resource not in _COUNTED:
                continue
            wanted = sum(
                requests(each).get(resource, 0.0)
                * max(1, int(annotation(each, "max-scale", "1") or 1))
                for each in facts.services
            )
            if quantity(hard) < wanted:
                short.append(f"{name} is {hard} ({quota['metadata']['name']})")
    if not short:
        return fine(what, "none" if not facts.quotas else "enough for all functions at max-scale")
    return poor(
        what,
        "; ".join(short),
        "Not all pods that the functions may ask for are admitted; Knative tries on and on.",
        "Raise the quota of the namespace, or lower max-scale in your overlay.",
    )


def _limits(facts: Facts) -> Finding:
    what = "limit ranges"
    for found in facts.limit_ranges:
        for each in found["spec"].get("limits", ()):
            if each.get("type") != "Container":
                continue
            if "cpu" in each.get("default", {}):
                return poor(
                    what,
                    f"{found['metadata']['name']} limits every container to "
                    f"{each['default']['cpu']} cores",
                    "Functions have no limit of CPU on purpose: it slows each start from zero.",
                    "Take `default.cpu` out of it, or install elsewhere.",
                )
            over = [
                service["metadata"]["name"]
                for service in facts.services
                for container in pod_of(service)["containers"]
                for name, most in each.get("max", {}).items()
                if quantity(container.get("resources", {}).get("limits", {}).get(name, 0))
                > quantity(most)
            ]
            if over:
                return missing(
                    what,
                    f"{found['metadata']['name']} allows less than {', '.join(over)} needs",
                    "Its pods are refused.",
                    "Raise `max` of the limit range.",
                )
    return fine(what, "none that matter")


def _gpu(facts: Facts) -> Finding:
    what = "GPU"
    why = "Tasks for a GPU wait for their deadline, and are then done on CPUs, as reports say."
    wanting = [each for each in facts.services if _gpus(each)]
    for service in wanting:
        pod, name = pod_of(service), service["metadata"]["name"]
        runtime = pod.get("runtimeClassName")
        if runtime and runtime not in facts.runtime_classes:
            return missing(
                what,
                f"{name} asks for the runtime class {runtime}, and there is none",
                "Its pods are refused.",
                "Install the GPU operator, or take runtimeClassName out of your overlay.",
            )
        having = [node for node in facts.nodes if _has(node, GPU)]
        suiting = [node for node in having if suits(pod, node)]
        if not having:
            return poor(
                what,
                f"no node has {GPU}",
                why,
                "Add a node with GPUs and their device plugin, or drop components/gpu-encoder.",
            )
        if not suiting:
            return poor(
                what,
                f"{len(having)} nodes have GPUs, and {name} may go to none of them",
                why,
                "Compare its nodeSelector and tolerations with the nodes' labels and taints.",
            )
    count = sum(_has(node, GPU) for node in facts.nodes)
    most = sum(int(annotation(each, "max-scale", "0") or 0) for each in wanting)
    if most > count:
        return poor(
            what,
            f"{count:.0f} GPUs for up to {most} encoders",
            "Admission counts on all of them: some tasks wait for a GPU that never comes.",
            f"Set `gpus` of kinora-settings to {count:.0f}.",
        )
    return fine(what, f"{count:.0f} for up to {most} encoders")


def _gpus(service: Object) -> float:
    return requests(service).get(GPU, 0.0)


def _has(node: Object, resource: str) -> float:
    return quantity((node.get("status") or {}).get("allocatable", {}).get(resource, 0))


def _holds(node: Object, asked: Mapping[str, float]) -> bool:
    return all(_has(node, name) >= amount for name, amount in asked.items() if amount)


def _said(asked: Mapping[str, float]) -> str:
    parts: Sequence[str] = [
        f"{amount / 2**30:.1f} GiB" if name == "memory" else f"{amount:g} {name}"
        for name, amount in asked.items()
        if amount
    ]
    return ", ".join(parts)
