"""Whatever has pods, whichever kind of object starts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.policy import Objects, Rule, name_of

SERVICE: Final = "serving.knative.dev/v1"
_TEMPLATES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    (SERVICE, "Service"): ("spec", "template"),
    ("batch/v1", "Job"): ("spec", "template"),
    ("sinks.knative.dev/v1alpha1", "JobSink"): ("spec", "job", "spec", "template"),
    ("keda.sh/v1alpha1", "ScaledJob"): ("spec", "jobTargetRef", "template"),
}
"""Where each kind keeps what its pods look like."""
WITHOUT_PODS: Final = {
    "Broker",
    "Certificate",
    "ClusterDomainClaim",
    "ConfigMap",
    "DomainMapping",
    "NetworkPolicy",
    "PingSource",
    "PodDisruptionBudget",
    "Trigger",
}


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods of one kind."""

    found: Any

    @property
    def name(self) -> str:
        return name_of(self.found)

    @property
    def is_service(self) -> bool:
        """Answers requests; else it is a Job, which ends."""
        return bool(self.found["apiVersion"] == SERVICE)

    @property
    def template(self) -> Any:
        place = self.found
        for step in _TEMPLATES[self.found["apiVersion"], self.found["kind"]]:
            place = place[step]
        return place

    @property
    def job(self) -> Any:
        """What bounds a Job: the object that its template is in."""
        place = self.found
        for step in _TEMPLATES[self.found["apiVersion"], self.found["kind"]][:-1]:
            place = place[step]
        return place

    @property
    def pod(self) -> Any:
        return self.template["spec"]

    @property
    def labels(self) -> dict[str, str]:
        """Those of its pods; Knative adds the Service's name."""
        given = dict(self.template.get("metadata", {}).get("labels", {}))
        own = {"serving.knative.dev/service": self.found["metadata"]["name"]}
        return {**given, **own} if self.is_service else given

    @property
    def container(self) -> Any:
        (container,) = self.pod["containers"]
        return container

    @property
    def function(self) -> str:
        """Which function runs in it, whatever it is called; "" for other programs."""
        for word in self.container["command"]:
            if word.startswith("functions."):
                return str(word.split(".")[1])
        return ""

    @property
    def env(self) -> dict[str, Any]:
        """Values, or where they come from, by variable."""
        return {
            entry["name"]: entry["valueFrom"] if "valueFrom" in entry else entry.get("value", "")
            for entry in self.container.get("env", [])
        }


def workloads(found: Objects) -> Iterator[Workload]:
    for each in found:
        if (each["apiVersion"], each["kind"]) in _TEMPLATES:
            yield Workload(each)


def services(found: Objects) -> Iterator[Workload]:
    return (each for each in workloads(found) if each.is_service)


def nothing_is_of_a_kind_that_nobody_looks_at(found: Objects) -> Iterator[str]:
    for each in found:
        if (each["apiVersion"], each["kind"]) not in _TEMPLATES and each[
            "kind"
        ] not in WITHOUT_PODS:
            yield f"{name_of(each)}: rules know no {each['kind']}"


RULES: Final[tuple[Rule, ...]] = (nothing_is_of_a_kind_that_nobody_looks_at,)
