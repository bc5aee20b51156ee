"""`kinora knative rollout`: another image by percent, and back by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint
from knative.cli.operating.function import Function, there

if TYPE_CHECKING:
    from knative.operating.cluster import Cluster
    from knative.operating.revision import Service
    from knative.operating.rolling import Rolling
    from knative.operating.rollout import Course, Decision, Pace


_ABSENT_S = 300.0
"""How long the cluster may not answer while a rollout is followed."""


def rollout(
    function: Function,
    image: Annotated[
        str, typer.Option("--image", "-i", help="The image of the new revision.")
    ] = "",
    proceed: Annotated[
        bool, typer.Option("--continue", help="Carry on with a rollout that was interrupted.")
    ] = False,
    canary: Annotated[
        int, typer.Option("--canary", min=1, max=100, help="Percent to begin with.")
    ] = 10,
    step: Annotated[
        int, typer.Option("--step", min=1, max=100, help="Percent more each time.")
    ] = 30,
    interval_s: Annotated[
        float, typer.Option("--interval", min=0, help="Seconds that each percentage is kept.")
    ] = 60.0,
    answers: Annotated[
        int, typer.Option("--answers", min=0, help="Requests it must have answered to get more.")
    ] = 0,
    defects: Annotated[
        int, typer.Option("--defects", min=0, help="Answers and tasks that may fail.")
    ] = 0,
    patience_s: Annotated[
        float, typer.Option("--patience", min=1, help="Seconds it may take to become ready.")
    ] = 600.0,
    namespace: reach.Namespace = reach.NAMESPACE,
    context: reach.Context = "",
    as_json: AsJson = False,
) -> None:
    """Bring a new image to a function step by step, and take it back by itself if it fails.

    Percent is of requests: each delivery of the broker goes to either revision by chance, so of
    one job some tasks are done by each. It goes back when the new revision does not start, its
    pods restart, it answers other than it should (5xx but 503, or mostly 503), or tasks fail on
    it alone, as far as KINORA_STORE tells. Nothing is lost: what a pod has begun it ends, and the
    broker repeats what failed. Exit code 4 where it went back. Ctrl-C leaves it as it is:
    --continue carries it on, `rollback` takes it back.
    """
    import time

    from knative.cli import output
    from knative.cli.operating.records import objects_here
    from knative.operating import changing
    from knative.operating.rolling import Rolling
    from knative.operating.rollout import Pace, Return

    if bool(image) == proceed:
        raise Complaint("Say which image with --image, or --continue what was interrupted.")
    pace = Pace(
        canary=canary,
        step=step,
        interval_s=interval_s,
        answers=answers,
        defects=defects,
        patience_s=patience_s,
    )
    with reach.cluster(context) as cluster:
        rolling = Rolling(
            cluster=cluster,
            namespace=namespace,
            function=function,
            clock=time.time,
            store=objects_here(),
        )
        if image:
            begun = changing.change(
                cluster,
                namespace,
                function,
                lambda latest: _begun(latest, image, pace, now_s=time.time()),
            )
            there(begun, function, namespace)
        course, decision = _follow(rolling, function)
        left = _left(cluster, namespace, course)
    facts = {
        "function": function,
        "state": "returned" if isinstance(decision, Return) else "done",
        "old": course.old,
        "new": course.new,
        "image": course.image,
        "still_ending": left,
    }
    if isinstance(decision, Return):
        raise Complaint(
            f"{function} went back to {course.old}: {decision.reason.rstrip('.')}. Its traffic "
            "stays there, also after a deploy, until the next rollout, or "
            f"`kinora knative rollback {function} --to latest`.",
            exit_code=FAILED,
            code="returned",
            **facts,
        )
    if as_json:
        output.write_json(facts)
        return
    output.show(f"All requests of {function} go to {course.new}.")
    if left:
        output.show(f"Pods that still end what they began: {', '.join(left)}.")
    output.tell(
        "The next deploy brings back the image of the overlay. Write there: "
        f"images: [{{name: {_plain_name(course.old_image)}, … }}] or deploy with "
        f"--image {_plain_name(course.old_image)}={course.image}"
    )


def _begun(service: Service, image: str, pace: Pace, *, now_s: float) -> dict[str, Any]:
    """The change that begins it. Raises Complaint where it cannot begin."""
    from knative.operating import rollout as rollouts
    from knative.operating.rollout import Course

    if (course := rollouts.running(service)) is not None:
        raise Complaint(
            f"A rollout of {service.name} is under way ({course.percent} % to "
            f"{course.new or 'a new revision'}). Carry it on with --continue, or take it back "
            f"with `kinora knative rollback {service.name}`.",
            code="rolling",
        )
    if not service.serving:
        raise Complaint(
            f"{service.name} serves nothing that it could go back to: {service.reason}. "
            "Deploy it first.",
            exit_code=FAILED,
            code="not_ready",
        )
    old_image = service.template["spec"]["containers"][0].get("image", "")
    if old_image == image:
        raise Complaint(
            f"{service.name} has the image {image} already, and Knative makes a new revision only "
            "of what is new. Give the image another tag, or its digest."
        )
    course = Course(
        old=service.serving,
        image=image,
        old_image=old_image,
        pace=pace,
        began_s=now_s,
        since_s=now_s,
    )
    return rollouts.begin(service, course)


def _follow(rolling: Rolling, function: str) -> tuple[Course, Decision]:
    """Until it is done or went back."""
    import time

    from eventing.errors import Unavailable
    from knative.cli import output
    from knative.operating.refused import Refused
    from knative.operating.rolling import NotRolling
    from knative.operating.rollout import Finish, Return, Wait

    told = ""
    reached_s = time.monotonic()
    while True:
        try:
            course, decision = rolling.step()
            reached_s = time.monotonic()
        except (Unavailable, Refused) as error:
            # It goes on where it stands: whoever ends now leaves a canary behind.
            if isinstance(error, Refused) and not error.passes:
                raise
            if time.monotonic() - reached_s > _ABSENT_S:
                why = error.message if isinstance(error, Refused) else error.reason
                raise Complaint(
                    f"The rollout of {function} stays as it is: {why.rstrip('.')}. Carry it on "
                    f"with --continue, or take it back with `kinora knative rollback {function}`.",
                    exit_code=FAILED,
                    code="unavailable",
                ) from None
            time.sleep(2.0)
            continue
        except NotRolling:
            raise Complaint(
                f"No rollout of {function} is under way. Begin one with --image; "
                "`kinora knative status` tells where its requests go.",
                exit_code=FAILED,
                code="no_rollout",
            ) from None
        if isinstance(decision, Finish | Return):
            return course, decision
        line = sentence(course, decision)
        if line != told:
            output.tell(line)
            told = line
        time.sleep(2.0 if isinstance(decision, Wait) else 0.5)


def sentence(course: Course, decision: Decision) -> str:
    """What a step came to, for people."""
    from knative.operating.rollout import Finish, Return, Shift

    name = course.new or "the new revision"
    match decision:
        case Shift(percent):
            return f"{name} gets {percent} % of the requests"
        case Return(reason):
            return f"back to {course.old}: {reason}"
        case Finish():
            return f"{name} gets everything"
    return f"{name}: {decision.why}"


def _left(cluster: Cluster, namespace: str, course: Course) -> list[str]:
    """Pods of the revision that requests went away from."""
    from knative.operating import kinds

    away = course.old if course.percent >= 100 else course.new
    if not away:
        return []
    selector = f"serving.knative.dev/revision={away}"
    found = cluster.list(kinds.POD, namespace, labels=selector)
    return [each["metadata"]["name"] for each in found]


def _plain_name(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]
