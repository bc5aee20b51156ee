"""Carrying a rollout out: look at the cluster, let `rollout` decide, do it, once a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from functions.ports import ObjectStore
from knative.operating import figures, kinds, load, pod, rollout
from knative.operating.changing import CONFLICT
from knative.operating.cluster import Cluster
from knative.operating.load import Answers
from knative.operating.pod import Pod
from knative.operating.refused import Refused
from knative.operating.revision import Revision, Service
from knative.operating.rollout import Course, Decision, Finish, Health, Return, Shift, Wait


class NotRolling(Exception):
    """No rollout of the function is under way: none was begun, or somebody else ended it."""


@dataclass(slots=True)
class Rolling:
    """One function's rollout, as one process follows it."""

    cluster: Cluster
    namespace: str
    function: str
    clock: Callable[[], float]
    store: ObjectStore | None
    """Where tasks that failed are recorded; None where it cannot be reached."""
    _answered: dict[str, Answers] = field(default_factory=dict)
    """By pod: what it answered is known also when it has gone."""
    _failed: int = 0

    def service(self) -> Service | None:
        found = self.cluster.get(kinds.SERVICE, self.function, self.namespace)
        return None if found is None else Service.of(found)

    def step(self) -> tuple[Course, Decision]:
        """Look and act once. What is returned was done. Raises NotRolling, and Unavailable and
        Refused, after which the rollout stands where it stood."""
        service = self.service()
        course = None if service is None else rollout.running(service)
        if service is None or course is None:
            raise NotRolling(self.function)
        revision = self._new(service, course)
        if revision is None:
            if service.settled and service.latest_created == course.old:
                return self._act(service, course, Return("Knative made no new revision of it"))
            return course, Wait("Knative makes its revision")
        course = replace(course, new=revision.name)
        now_s = self.clock()
        decision = rollout.decide(course, self._health(revision), now_s=now_s)
        return self._act(service, course, decision)

    def _act(self, service: Service, course: Course, decision: Decision) -> tuple[Course, Decision]:
        match decision:
            case Shift(percent):
                change = rollout.shift(service, course, percent, now_s=self.clock())
            case Finish():
                change = rollout.finish(service, course)
            case Return(reason):
                change = rollout.give_back(service, course, reason)
            case Wait():
                return course, decision
        try:
            self.cluster.patch(kinds.SERVICE, self.function, change, self.namespace)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            return course, Wait("the Service is being changed")  # looked at anew next time
        return course, decision

    def _new(self, service: Service, course: Course) -> Revision | None:
        name = course.new or (service.latest_created if service.settled else "")
        if not name or name == course.old:
            return None
        found = self.cluster.get(kinds.REVISION, name, self.namespace)
        return None if found is None else Revision.of(found)

    def _health(self, revision: Revision) -> Health:
        selector = f"serving.knative.dev/revision={revision.name}"
        pods = pod.of_function(self.cluster.list(kinds.POD, self.namespace, labels=selector))
        alive = [each for each in pods if each.state not in ("terminating", "ended")]
        return Health(
            ready=revision.ready,
            reason=revision.reason,
            troubles=tuple(each.trouble for each in alive if each.trouble),
            restarts=sum(each.restarts for each in alive),
            answers=self._answers(revision, pods),
            failed_tasks=self._failed_tasks(revision),
        )

    def _answers(self, revision: Revision, pods: Iterable[Pod]) -> Answers:
        """Pods forget when they go, the activator when it is started again: the larger counts."""
        self._answered |= figures.answers(self.cluster, self.namespace, pods)
        by_pods = load.merged(self._answered.values())
        passed = load.of(
            revision.name,
            namespace=self.namespace,
            activators=figures.component(self.cluster, "activator"),
        ).answers
        return {
            status: max(by_pods.get(status, 0), passed.get(status, 0))
            for status in {*by_pods, *passed}
        }

    def _failed_tasks(self, revision: Revision) -> int:
        """Those of a job that has ended meanwhile still count."""
        if self.store is not None:
            from knative.operating import blame

            self._failed = max(self._failed, blame.failed_only_on(self.store, revision.name))
        return self._failed
