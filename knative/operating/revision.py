"""Knative's objects as values: a Service, its revisions, and who gets how much of its traffic.

Pure: objects come as the API server writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SERVICE: Final = "serving.knative.dev/service"
REVISION: Final = "serving.knative.dev/revision"
GENERATION: Final = "serving.knative.dev/configurationGeneration"
SCALE: Final = "autoscaling.knative.dev/"
_OUT_OF_DATE: Final = "OutOfDate"
"""What a Service says that was looked at while its Configuration was not: its generation is
observed, and its revisions are those from before (pkg/apis/serving/v1/service_lifecycle.go)."""

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What part of the requests goes where."""

    revision: str
    percent: int
    latest: bool
    """True where it follows whatever revision is the latest that is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    name: str
    service: str
    generation: int
    """Of the Service's template: a higher one is newer."""
    image: str
    ready: bool | None
    """None while nobody knows."""
    reason: str
    """Why it is not ready, "" where it is."""
    concurrency: int
    """Hard limit of requests in one pod, 0 for none."""
    annotations: Mapping[str, str]

    @classmethod
    def of(cls, found: Object) -> Revision:
        metadata, spec = found["metadata"], found["spec"]
        state, reason = condition(found, "Ready")
        return cls(
            name=metadata["name"],
            service=metadata.get("labels", {}).get(SERVICE, ""),
            generation=int(metadata.get("labels", {}).get(GENERATION, 0)),
            image=spec["containers"][0].get("image", ""),
            ready=state,
            reason=reason,
            concurrency=int(spec.get("containerConcurrency") or 0),
            annotations=metadata.get("annotations", {}),
        )

    def scale(self, name: str, default: str = "") -> str:
        """An autoscaling annotation, without its prefix."""
        return self.annotations.get(SCALE + name, default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A function as the cluster has it."""

    name: str
    ready: bool | None
    reason: str
    latest_created: str
    latest_ready: str
    settled: bool
    """True once `latest_created` is of the newest template."""
    traffic: tuple[Share, ...]
    """As it is, not as it is asked for."""
    asked: tuple[Share, ...]
    """What `spec.traffic` says; empty: everything to the latest."""
    annotations: Mapping[str, str]
    version: str
    """`resourceVersion`: a change made with it is refused if somebody else was faster."""
    template: Object

    @classmethod
    def of(cls, found: Object) -> Service:
        metadata, status = found["metadata"], found.get("status", {})
        state, reason = condition(found, "Ready")
        latest_ready = status.get("latestReadyRevisionName", "")
        return cls(
            name=metadata["name"],
            ready=state,
            reason=reason,
            latest_created=status.get("latestCreatedRevisionName", ""),
            latest_ready=latest_ready,
            settled=status.get("observedGeneration") == metadata.get("generation")
            and not condition(found, "ConfigurationsReady")[1].startswith(_OUT_OF_DATE),
            traffic=shares(status.get("traffic", ()), latest_ready),
            asked=shares(found["spec"].get("traffic", ()), latest_ready),
            annotations=metadata.get("annotations", {}),
            version=metadata.get("resourceVersion", ""),
            template=found["spec"]["template"],
        )

    @property
    def follows_latest(self) -> bool:
        """True if a new revision gets traffic by itself, as a deploy expects."""
        return not self.asked or any(share.latest and share.percent for share in self.asked)

    @property
    def serving(self) -> str:
        """The revision with the most traffic, "" for none."""
        return max(self.traffic, key=lambda share: share.percent).revision if self.traffic else ""

    def percent(self, revision: str) -> int:
        return sum(share.percent for share in self.traffic if share.revision == revision)


def shares(entries: Iterable[Object], latest_ready: str) -> tuple[Share, ...]:
    return tuple(
        Share(
            revision=entry.get("revisionName") or latest_ready,
            percent=int(entry.get("percent") or 0),
            latest=bool(entry.get("latestRevision")),
        )
        for entry in entries
    )


def condition(found: Object, kind: str) -> tuple[bool | None, str]:
    """State and, where it is not good, the words of one of an object's conditions."""
    for each in found.get("status", {}).get("conditions", ()):
        if each["type"] == kind:
            state = {"True": True, "False": False}.get(each["status"])
            said = ": ".join(filter(None, (each.get("reason"), each.get("message"))))
            return state, "" if state else said
    return None, ""


def newest_first(found: Iterable[Revision]) -> list[Revision]:
    return sorted(found, key=lambda revision: (-revision.generation, revision.name))
