"""A rollout: a new revision gets more of a function's requests, step by step, or none again.

Pure. How far it is lies in the Service itself: its traffic, and one annotation. Whoever reads these
can carry on, or go back, after whoever began is gone.

Percent is of requests: each delivery of the broker, and each repeat of one, goes to either revision
by chance. Of one job some tasks are done by the one, some by the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from knative.operating.load import Answers
from knative.operating.revision import Revision, Service

ANNOTATION: Final = "kinora.dev/rollout"
NOT_NOW: Final = 503
"""What a function answers when it cannot work at the moment: the broker asks again."""
FEW: Final = 5
"""Answers that tell nothing yet about what share of them is `NOT_NOW`."""
NEVER_STARTS: Final = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CrashLoopBackOff",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
)
"""What Kubernetes calls a container that will not run by waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What was asked for."""

    canary: int
    """Percent that the new revision begins with."""
    step: int
    """Percent that it gets more each time."""
    interval_s: float
    """How long each percentage is kept, at least."""
    answers: int
    """How many requests it must have answered before it gets more."""
    defects: int
    """How many answers and tasks may fail for it to go on."""
    patience_s: float
    """How long it may take to become ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a rollout is, as the Service's annotation keeps it."""

    old: str
    """The revision that requests go to, and go back to."""
    image: str
    """Of the new revision."""
    old_image: str
    """What the template said before."""
    pace: Pace
    began_s: float
    since_s: float
    """When the present percentage began."""
    new: str = ""
    """"" until Knative has made it."""
    percent: int = 0
    state: Literal["running", "done", "returned"] = "running"
    reason: str = ""
    """Why it went back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is known of the new revision."""

    ready: bool | None
    reason: str
    """Why it is not ready."""
    troubles: tuple[str, ...]
    """Of its pods that do not end."""
    restarts: int
    answers: Answers
    """Since it was made, by HTTP status."""
    failed_tasks: int
    """That failed on it and on no other revision."""

    @property
    def answered(self) -> int:
        return sum(self.answers.values())


@dataclass(frozen=True, slots=True)
class Wait:
    why: str


@dataclass(frozen=True, slots=True)
class Shift:
    percent: int


@dataclass(frozen=True, slots=True)
class Finish:
    """All is well: the new revision is what deploys follow."""


@dataclass(frozen=True, slots=True)
class Return:
    reason: str


Decision = Wait | Shift | Finish | Return


def decide(course: Course, health: Health, *, now_s: float) -> Decision:
    """What to do next. Never a higher percentage while anything speaks against it."""
    if why := fault(course.pace, health):
        return Return(why)
    if not health.ready:
        late_s = now_s - course.began_s
        if not course.percent and late_s > course.pace.patience_s:
            why = health.reason or "; ".join(health.troubles) or "nothing says why"
            return Return(f"it is not ready after {late_s:.0f} s: {why}")
        return Wait("; ".join(health.troubles) or health.reason or "it starts")
    if not course.percent:
        return Shift(min(100, course.pace.canary))
    if now_s - course.since_s < course.pace.interval_s:
        return Wait(f"it has {course.percent} % of the requests")
    if health.answered < course.pace.answers:
        return Wait(f"it answered {health.answered} of {course.pace.answers} requests")
    if course.percent >= 100:
        return Finish()
    return Shift(min(100, course.percent + course.pace.step))


def fault(pace: Pace, health: Health) -> str:
    """What is wrong with the new revision for certain, "" while nothing is."""
    if health.ready is False:
        return health.reason or "it is not ready"
    for trouble in health.troubles:
        if any(word in trouble for word in NEVER_STARTS):
            return trouble
    if health.restarts:
        why = "; ".join(health.troubles)
        return f"its pods were restarted {health.restarts} times" + (f": {why}" if why else "")
    defects = defective(health.answers)
    if defects + health.failed_tasks > pace.defects:
        told = ", ".join(
            f"{count} x {status}"
            for status, count in sorted(health.answers.items())
            if _is_defect(status)
        )
        tasks = f"{health.failed_tasks} tasks failed on it alone" if health.failed_tasks else ""
        return "; ".join(filter(None, (f"it answered {told}" if told else "", tasks)))
    not_now = health.answers.get(NOT_NOW, 0)
    if health.answered >= FEW and 2 * not_now > health.answered:
        return f"it answered {not_now} of {health.answered} requests with {NOT_NOW}"
    return ""


def defective(answers: Answers) -> int:
    return sum(count for status, count in answers.items() if _is_defect(status))


def _is_defect(status: int) -> bool:
    return status >= 500 and status != NOT_NOW


def read(service: Service) -> Course | None:
    """The last rollout of the function, None where there was none, or where its annotation is
    somebody else's."""
    try:
        facts = json.loads(service.annotations.get(ANNOTATION, ""))
        return Course(**{**facts, "pace": Pace(**facts["pace"])})
    except (ValueError, KeyError, TypeError):
        return None


def running(service: Service) -> Course | None:
    """The rollout that is neither done nor returned."""
    course = read(service)
    return course if course is not None and course.state == "running" else None


def begin(service: Service, course: Course) -> dict[str, Any]:
    """The change that makes the new revision, which gets no request yet."""
    return _change(
        service, course, traffic=[_to(course.old, 100)], template=_template(service, course.image)
    )


def shift(service: Service, course: Course, percent: int, *, now_s: float) -> dict[str, Any]:
    moved = replace(course, percent=percent, since_s=now_s)
    traffic = [_to(course.new, percent)]
    if percent < 100:
        traffic.append(_to(course.old, 100 - percent))
    return _change(service, moved, traffic=traffic)


def finish(service: Service, course: Course) -> dict[str, Any]:
    """Everything to the latest revision, which is the new one: as a deploy leaves it."""
    return _change(service, replace(course, state="done"), traffic=[_latest()])


def give_back(service: Service, course: Course, reason: str) -> dict[str, Any]:
    """Everything to the old revision at once; what the new one has begun it still ends."""
    returned = replace(course, state="returned", reason=reason, percent=0)
    return _change(
        service, returned, traffic=[_to(course.old, 100)], template=_restored(service, course)
    )


def pin(service: Service, revision: str, *, reason: str) -> dict[str, Any]:
    """Everything to this revision, or to whatever is the latest where it is ""."""
    course = running(service)
    traffic = [_to(revision, 100) if revision else _latest()]
    if course is None or not revision:
        done = None if course is None else replace(course, state="done")
        return _change(service, done, traffic=traffic)
    returned = replace(course, state="returned", reason=reason, percent=0)
    return _change(service, returned, traffic=traffic, template=_restored(service, course))


def before(revisions: list[Revision], serving: str) -> Revision | None:
    """The newest revision older than the one that serves, of those that are not broken.

    `revisions` are the function's, the newest first.
    """
    at = {found.name: found.generation for found in revisions}.get(serving)
    older = [
        found
        for found in revisions
        if at is not None and found.generation < at and found.ready is not False
    ]
    return older[0] if older else None


def _change(
    service: Service,
    course: Course | None,
    *,
    traffic: list[dict[str, Any]],
    template: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Refused by the server if somebody changed the Service meanwhile."""
    metadata: dict[str, Any] = {"resourceVersion": service.version}
    if course is not None:
        metadata["annotations"] = {ANNOTATION: json.dumps(asdict(course))}
    spec: dict[str, Any] = {"traffic": traffic}
    if template is not None:
        spec["template"] = template
    return {"metadata": metadata, "spec": spec}


def _restored(service: Service, course: Course) -> dict[str, Any] | None:
    """The template with the image from before, so that whatever is changed next is not made of
    the one that failed; None where somebody has put in another meanwhile."""
    if service.template["spec"]["containers"][0].get("image") != course.image:
        return None
    return _template(service, course.old_image)


def _template(service: Service, image: str) -> dict[str, Any]:
    # A merge replaces lists whole.
    containers = [dict(each) for each in service.template["spec"]["containers"]]
    containers[0]["image"] = image
    return {"spec": {"containers": containers}}


def _to(revision: str, percent: int) -> dict[str, Any]:
    return {"revisionName": revision, "percent": percent, "latestRevision": False}


def _latest() -> dict[str, Any]:
    return {"latestRevision": True, "percent": 100}
