"""Bringing objects into a cluster, in order, until they are ready: each step is said."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.deploying import keyring, order, readiness
from knative.operating.deploying.readiness import Readiness
from knative.operating.refused import Refused

Object = dict[str, Any]
Change = Literal["made", "changed", "same", "run again"]
_AGAIN_S: Final = 0.5
GIVEN_UP_S: Final = 20.0
"""How long a revision has to have failed: images are asked for again after some seconds."""
_FLUX: Final = (409, 500, 503, 504)
"""Answers of a cluster whose webhooks start, or whose objects somebody else changes just now."""


@dataclass(frozen=True, slots=True)
class Name:
    """Which object."""

    kind: str
    name: str
    namespace: str = ""

    @classmethod
    def of(cls, found: Object) -> Name:
        meta = found["metadata"]
        return cls(found["kind"], meta["name"], meta.get("namespace", ""))

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Applied:
    """An object is in the cluster as it is to be."""

    name: Name
    change: Change


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is not ready yet of what was applied."""

    ready: int
    of: int
    first: Name
    why: str


class Unready(Exception):
    """What did not become ready, each in the words of whoever knows."""

    def __init__(
        self, objects: Sequence[tuple[Object, Readiness]], *, waited_s: float, timed_out: bool
    ) -> None:
        super().__init__(f"{len(objects)} objects are not ready")
        self.objects = objects
        self.waited_s = waited_s
        self.timed_out = timed_out


Step = Applied | Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Objects on their way into a cluster. Raises Unavailable and Refused like the cluster."""

    cluster: Cluster
    deadline_s: float
    """By time.monotonic()."""
    dry: bool = False
    """Only have the cluster judge them."""

    def namespaces(self, objects: Sequence[Object]) -> Iterator[Step]:
        """Those that objects are in and that are not among the objects."""
        given = {each["metadata"]["name"] for each in objects if each["kind"] == "Namespace"}
        used = {each["metadata"].get("namespace", "") for each in objects}
        for name in sorted(used - given - {""}):
            if self.cluster.get(kinds.NAMESPACE, name) is None:
                found = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                if not self.dry:
                    self.cluster.create(kinds.NAMESPACE, found)
                yield Applied(Name.of(found), "made")

    def secrets(self, references: Sequence[keyring.Reference]) -> Iterator[Step]:
        """Those that are missing and that we know how to make; existing ones stay as they are."""
        for reference in references:
            if self.cluster.get(kinds.SECRET, reference.name, reference.namespace) is not None:
                continue
            if (contents := keyring.made(reference.name)) is None:
                continue
            found = keyring.manifest(reference, contents)
            if not self.dry:
                self.cluster.create(kinds.SECRET, found, reference.namespace)
            yield Applied(Name.of(found), "made")

    def objects(self, objects: Sequence[Object]) -> Iterator[Step]:
        """All of them, in dependency order, until all are ready. Raises Unready."""
        watched: list[Object] = []
        for stage in order.stages(objects):
            for each in stage.objects:
                yield Applied(Name.of(each), self._apply(each))
            watched += stage.objects
            if stage.waits and not self.dry:
                yield from self._wait(stage.objects)
        if not self.dry:
            yield from self._wait(watched)

    def _apply(self, found: Object) -> Change:
        kind = self.cluster.kind_of(found)
        if kind is None:
            raise Refused(404, "NotFound", f"it knows no kind {found['kind']}", "")
        meta = found["metadata"]
        there = self.cluster.get(kind, meta["name"], meta.get("namespace", ""))
        if self.dry and there is None and not self._lives(meta.get("namespace", "")):
            return "made"  # nothing can be judged in a namespace that is not there
        if kind == kinds.JOB and there is not None:
            # What a Job does cannot be changed, and a deploy is to have it done.
            if self.dry:
                return "run again"
            self._gone(found)
        now = self._until_taken(_settled(found, there))
        if there is None:
            return "made"
        if kind == kinds.JOB:
            return "run again"
        if self.dry:  # nothing was written, so the version tells nothing
            return "same" if _spec(there) == _spec(now) else "changed"
        same = there["metadata"].get("resourceVersion") == now["metadata"].get("resourceVersion")
        return "same" if same else "changed"

    def _until_taken(self, found: Object) -> Object:
        while True:
            try:
                return self.cluster.apply(found, dry=self.dry)
            except Refused as refused:
                if refused.status not in _FLUX or time.monotonic() > self.deadline_s:
                    raise
                time.sleep(_AGAIN_S)

    def _gone(self, found: Object) -> None:
        meta = found["metadata"]
        self.cluster.delete(kinds.JOB, meta["name"], meta["namespace"])
        while self.cluster.get(kinds.JOB, meta["name"], meta["namespace"]) is not None:
            if time.monotonic() > self.deadline_s:
                still = Readiness("waiting", "its last run is still being deleted")
                raise Unready([(found, still)], waited_s=0.0, timed_out=True)
            time.sleep(_AGAIN_S)

    def _lives(self, namespace: str) -> bool:
        return not namespace or self.cluster.get(kinds.NAMESPACE, namespace) is not None

    def _wait(self, objects: Sequence[Object]) -> Iterator[Step]:
        began_s = time.monotonic()
        given_up_s: dict[Name, float] = {}  # since when
        while True:
            now_s = time.monotonic()
            open_: list[tuple[Object, Readiness]] = []
            failed = []
            for each in objects:
                found = self._now(each)
                ready = readiness.of(found)
                if ready.state == "ready":
                    continue
                open_.append((found or each, ready))
                if found is None or not readiness.is_given_up(found):
                    given_up_s.pop(Name.of(each), None)
                    lasts_s = 0.0
                else:
                    lasts_s = now_s - given_up_s.setdefault(Name.of(each), now_s)
                if ready.state == "failed" or lasts_s >= GIVEN_UP_S:
                    failed.append((found or each, ready))
            if not open_:
                return
            if failed or now_s > self.deadline_s:
                waited_s = now_s - began_s
                raise Unready(failed or open_, waited_s=waited_s, timed_out=not failed)
            found, ready = open_[0]
            yield Waiting(len(objects) - len(open_), len(objects), Name.of(found), ready.why)
            time.sleep(_AGAIN_S)

    def _now(self, found: Object) -> Object | None:
        kind = self.cluster.kind_of(found)
        meta = found["metadata"]
        return (
            None
            if kind is None
            else self.cluster.get(kind, meta["name"], meta.get("namespace", ""))
        )


def _settled(found: Object, there: Object | None) -> Object:
    """What is applied: zero replicas of what others scale are said only the first time."""
    spec = found.get("spec") or {}
    if there is None or found["kind"] != "Deployment" or spec.get("replicas") != 0:
        return found
    return {**found, "spec": {name: value for name, value in spec.items() if name != "replicas"}}


def _spec(found: Object) -> object:
    return {name: found.get(name) for name in ("spec", "data", "rules", "subjects")}
