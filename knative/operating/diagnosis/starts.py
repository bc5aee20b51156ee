"""What a start from zero costs: images that have to be fetched, and how long pods took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Final

from knative.operating.diagnosis.capacity import suits
from knative.operating.diagnosis.facts import Facts, Object, pod_of
from knative.operating.diagnosis.finding import Finding, fine, poor
from knative.operating.pod import of_function

_SLOW_S: Final = 10.0


def findings(facts: Facts) -> Iterator[Finding]:
    yield _images(facts)
    yield _pods(facts)


def _images(facts: Facts) -> Finding:
    what = "images"
    held = {node["metadata"]["name"]: _held(node) for node in facts.nodes}
    absent: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for service in facts.services:
        for container in pod_of(service)["containers"]:
            image = container["image"]
            for node in facts.nodes:
                if not suits(pod_of(service), node):
                    continue
                size = held[node["metadata"]["name"]].get(_plain(image))
                if size is None:
                    absent[image] = absent.get(image, 0) + 1
                else:
                    sizes[image] = size
    told = ", ".join(f"{_short(image)} {size / 1e6:.0f} MB" for image, size in sizes.items())
    if absent:
        return poor(
            what,
            f"not on every node: {', '.join(sorted(map(_short, absent)))}",
            "The first pod on such a node waits until its image is fetched.",
            "Nothing, if that is rare; else have nodes fetch images before (a DaemonSet).",
        )
    return fine(what, told or "none is used yet")


def _pods(facts: Facts) -> Finding:
    what = "starts"
    took_s = [pod.started_in_s for pod in of_function(facts.pods) if pod.started_in_s is not None]
    if not took_s:
        return fine(what, "no function has a pod now: nothing runs, nothing to measure")
    middle_s = median(took_s)
    told = f"{len(took_s)} pods took {middle_s:.1f} s to be ready, at most {max(took_s):.1f}"
    if middle_s < _SLOW_S:
        return fine(what, told)
    return poor(
        what,
        told,
        "Each job from zero passes four functions, one start after the other.",
        "See what pods wait for: `kinora knative status`; images, nodes that are added, full CPUs.",
    )


def _held(node: Object) -> Mapping[str, int]:
    """Bytes of the images that a node has; it names the fifty largest."""
    return {
        _plain(name): int(each.get("sizeBytes", 0))
        for each in (node.get("status") or {}).get("images", ())
        for name in each.get("names") or ()
    }


def _plain(image: str) -> str:
    """Without the registry that is meant where none is named."""
    return image.removeprefix("docker.io/").removeprefix("library/")


def _short(image: str) -> str:
    return image.rpartition("/")[2]
