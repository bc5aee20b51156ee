"""Objects of a cluster as values: what operating looks at of each, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Object = Mapping[str, Any]
Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One of an object's conditions."""

    type: str
    status: Status
    reason: str = ""
    message: str = ""
    since_s: float = 0.0
    """When it became so, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Target:
    """One line of a Service's traffic."""

    revision: str
    percent: int
    tag: str = ""
    latest: bool = False
    """Whether it follows whatever revision is the latest that is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Knative Service."""

    name: str
    conditions: tuple[Condition, ...]
    url: str
    traffic: tuple[Target, ...]
    """As it is routed, not as it was asked for."""
    wanted: tuple[Target, ...]
    """As it was asked for; empty means all to the latest."""
    latest_ready: str
    """Names of revisions, "" for none."""
    latest_created: str
    labels: Mapping[str, str]

    @classmethod
    def of(cls, found: Object) -> Service:
        status = found.get("status", {})
        return cls(
            name=found["metadata"]["name"],
            conditions=conditions(found),
            url=status.get("url", ""),
            traffic=targets(status.get("traffic", ())),
            wanted=targets(found.get("spec", {}).get("traffic", ())),
            latest_ready=status.get("latestReadyRevisionName", ""),
            latest_created=status.get("latestCreatedRevisionName", ""),
            labels=found["metadata"].get("labels", {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision of a Knative Service."""

    name: str
    service: str
    generation: int
    """Of its Service's configuration: larger is newer."""
    conditions: tuple[Condition, ...]
    annotations: Mapping[str, str]
    images: tuple[str, ...]
    concurrency: int
    """containerConcurrency; 0 is without limit."""
    timeout_s: int
    replicas: int
    """Pods that are ready, and those asked for."""
    desired: int
    created_s: float

    @classmethod
    def of(cls, found: Object) -> Revision:
        meta, spec, status = found["metadata"], found.get("spec", {}), found.get("status", {})
        labels = meta.get("labels", {})
        return cls(
            name=meta["name"],
            service=labels.get("serving.knative.dev/service", ""),
            generation=int(labels.get("serving.knative.dev/configurationGeneration", "0")),
            conditions=conditions(found),
            annotations=meta.get("annotations", {}),
            images=tuple(each["image"] for each in spec.get("containers", ())),
            concurrency=spec.get("containerConcurrency", 0),
            timeout_s=spec.get("timeoutSeconds", 300),
            replicas=status.get("actualReplicas", 0),
            desired=status.get("desiredReplicas", 0),
            created_s=seconds(meta.get("creationTimestamp")),
        )

    @property
    def active(self) -> bool:
        """Whether requests go to it, or may at any moment; one without pods may be active."""
        active = condition(self.conditions, "Active")
        return active is not None and active.status == "True"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What became of one container of a pod."""

    name: str
    image: str
    ready: bool
    restarts: int
    waiting: str = ""
    """Why it does not run (`ImagePullBackOff` …), "" where it runs."""
    said: str = ""
    """What Kubernetes says of that."""
    exit_code: int | None = None
    """How it ended, now or the last time."""
    ended: str = ""
    """Why it ended: `Completed`, `Error`, `OOMKilled` …"""
    started_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    namespace: str
    phase: str
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`."""
    node: str
    """"" while it waits for one."""
    ip: str
    service: str
    """Of which Knative Service, and revision, it is; "" for none."""
    revision: str
    labels: Mapping[str, str]
    containers: tuple[Container, ...]
    conditions: tuple[Condition, ...]
    resources: Mapping[str, float]
    """What all its containers ask for: cores under `cpu`, bytes under `memory`, and others."""
    created_s: float
    ends: bool
    """Whether it was told to end."""

    @classmethod
    def of(cls, found: Object) -> Pod:
        meta, spec, status = found["metadata"], found.get("spec", {}), found.get("status", {})
        labels = meta.get("labels", {})
        states = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
        asked: dict[str, float] = {}
        for container in spec.get("containers", ()):
            for name, amount in container.get("resources", {}).get("requests", {}).items():
                asked[name] = asked.get(name, 0.0) + quantity(amount)
        return cls(
            name=meta["name"],
            namespace=meta.get("namespace", ""),
            phase=status.get("phase", "Unknown"),
            node=spec.get("nodeName", ""),
            ip=status.get("podIP", ""),
            service=labels.get("serving.knative.dev/service", ""),
            revision=labels.get("serving.knative.dev/revision", ""),
            labels=labels,
            containers=tuple(map(_container, states)),
            conditions=conditions(found),
            resources=asked,
            created_s=seconds(meta.get("creationTimestamp")),
            ends="deletionTimestamp" in meta,
        )

    @property
    def ready(self) -> bool:
        found = condition(self.conditions, "Ready")
        return found is not None and found.status == "True" and not self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of Kubernetes: something that happened to an object."""

    kind: str
    name: str
    """Of the object."""
    reason: str
    message: str
    warning: bool
    count: int
    last_s: float

    @classmethod
    def of(cls, found: Object) -> Happening:
        about = found.get("involvedObject", {})
        last = found.get("lastTimestamp") or found.get("eventTime") or found.get("firstTimestamp")
        return cls(
            kind=about.get("kind", ""),
            name=about.get("name", ""),
            reason=found.get("reason", ""),
            message=found.get("message", ""),
            warning=found.get("type") == "Warning",
            count=found.get("count") or 1,
            last_s=seconds(last or found["metadata"].get("creationTimestamp")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    name: str
    broker_class: str
    conditions: tuple[Condition, ...]
    address: str
    delivery: Mapping[str, Any]

    @classmethod
    def of(cls, found: Object) -> Broker:
        annotations = found["metadata"].get("annotations", {})
        return cls(
            name=found["metadata"]["name"],
            broker_class=annotations.get("eventing.knative.dev/broker.class", ""),
            conditions=conditions(found),
            address=found.get("status", {}).get("address", {}).get("url", ""),
            delivery=found.get("spec", {}).get("delivery", {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    name: str
    broker: str
    conditions: tuple[Condition, ...]
    attributes: Mapping[str, str]
    """Its exact filter."""
    subscriber: str
    """`<kind>/<name>` of whom it delivers to, or an address."""
    delivery: Mapping[str, Any]

    @classmethod
    def of(cls, found: Object) -> Trigger:
        spec = found.get("spec", {})
        to = spec.get("subscriber", {})
        ref = to.get("ref")
        return cls(
            name=found["metadata"]["name"],
            broker=spec.get("broker", ""),
            conditions=conditions(found),
            attributes=spec.get("filter", {}).get("attributes", {}),
            subscriber=f"{ref['kind']}/{ref['name']}" if ref else to.get("uri", ""),
            delivery=spec.get("delivery", {}),
        )


def conditions(found: Object) -> tuple[Condition, ...]:
    """The conditions of any object."""
    return tuple(
        Condition(
            type=each["type"],
            status=each.get("status", "Unknown"),
            reason=each.get("reason") or "",
            message=each.get("message") or "",
            since_s=seconds(each.get("lastTransitionTime")),
        )
        for each in found.get("status", {}).get("conditions", ())
    )


def condition(of: Sequence[Condition], name: str) -> Condition | None:
    """The one of this type."""
    return next((each for each in of if each.type == name), None)


def targets(traffic: Sequence[Object]) -> tuple[Target, ...]:
    """The lines of `spec.traffic` or `status.traffic`."""
    return tuple(
        Target(
            revision=each.get("revisionName", ""),
            percent=each.get("percent") or 0,
            tag=each.get("tag") or "",
            latest=bool(each.get("latestRevision")),
        )
        for each in traffic
    )


def seconds(stamp: str | None) -> float:
    """Seconds since 1970 of a time as Kubernetes writes it; 0 for none."""
    return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0


_FACTORS = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def quantity(said: str | int | float) -> float:
    """A quantity of Kubernetes (`100m`, `1Gi`, 2) in its plain unit: cores, bytes, pieces."""
    text = str(said)
    for suffix in (text[-2:], text[-1:]):
        if suffix in _FACTORS:
            return float(text.removesuffix(suffix)) * _FACTORS[suffix]
    return float(text)


def _container(found: Object) -> Container:
    state = found.get("state", {})
    waiting = state.get("waiting", {})
    ended = state.get("terminated") or found.get("lastState", {}).get("terminated") or {}
    return Container(
        name=found["name"],
        image=found.get("image", ""),
        ready=found.get("ready", False),
        restarts=found.get("restartCount", 0),
        waiting=waiting.get("reason", ""),
        said=waiting.get("message", "") or ended.get("message", ""),
        exit_code=ended.get("exitCode"),
        ended=ended.get("reason", ""),
        started_s=seconds((state.get("running") or {}).get("startedAt")),
    )
