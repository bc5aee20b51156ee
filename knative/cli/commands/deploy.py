"""`kinora deploy`: an overlay brought into a cluster, until it is ready."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import reach
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from knative.operating.cluster import Cluster
    from knative.operating.deploying.deployment import Applied, Step, Unready
    from knative.operating.deploying.explanation import Explanation
    from knative.operating.deploying.keyring import Reference

    Objects = list[dict[str, Any]]


def deploy(
    overlay: Annotated[
        str,
        typer.Option(
            "--overlay", "-o", help="`local`, `dev`, `staging`, `production`, or a folder of yours."
        ),
    ],
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=IMAGE", help="Another image, like kinora-media=…"),
    ] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option(
            "--platform",
            metavar="PART",
            help="Install that as well: `knative`, `redis`, `storage`, or a folder.",
        ),
    ] = None,
    context: reach.Context = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have the cluster judge everything, change nothing.")
    ] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds until everything has to be ready.")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Install Kinora in a cluster, or bring an installation up to date.

    Makes the namespace and the Secrets that are missing (random; existing ones stay as they are),
    applies everything in dependency order, has the buckets made, and waits until all is ready. The
    second time it changes nothing. Exit code 4 with the object, the reason and its last log lines
    where something does not become ready.
    """
    import time

    from knative.cli import output
    from knative.cli.signals import abortable
    from knative.operating.deploying import aftermath, keyring
    from knative.operating.deploying.deployment import Applied, Deployment, Unready

    began_s = time.monotonic()
    beneath, objects = abortable(lambda: _everything(overlay, images or (), platform or ()))
    references = keyring.references(objects)
    applied: list[Applied] = []
    with reach.cluster(context) as cluster:
        work = Deployment(cluster=cluster, deadline_s=began_s + timeout_s, dry=dry_run)
        try:
            with _Progress(quiet=as_json, dry=dry_run) as progress:

                def take(steps: Iterable[Step]) -> None:
                    for step in steps:
                        progress.show(step)
                        if isinstance(step, Applied):
                            applied.append(step)

                for each in beneath:
                    take(work.objects(each))
                _prepared(cluster, objects, references)
                take(work.namespaces(objects))
                take(work.secrets(references))
                take(work.objects(objects))
            notes = [] if dry_run else [*aftermath.notes(cluster, objects)]
        except Unready as unready:
            raise _complaint(cluster, unready, applied, overlay) from None
    took_s = round(time.monotonic() - began_s, 1)
    if as_json:
        output.write_json(
            {
                "overlay": overlay,
                "cluster": cluster.server,
                "dry_run": dry_run,
                "took_s": took_s,
                "objects": _as_json(applied),
                "notes": notes,
            }
        )
    elif dry_run:
        output.show(f"Nothing was changed; the cluster takes all {len(applied)} objects.")
    else:
        changed = sum(each.change != "same" for each in applied)
        output.show(f"{len(applied)} objects are ready, {changed} of them changed, in {took_s} s.")
        for note in notes:
            output.tell(note)


class _Progress:
    """A line for every object that changed; what is waited for only where somebody looks on."""

    def __init__(self, *, quiet: bool, dry: bool) -> None:
        from rich.status import Status

        from knative.cli import output

        terminal = None if quiet else output.terminal()
        self._status = Status("", console=terminal) if terminal else None
        self._quiet = quiet
        self._dry = dry

    def __enter__(self) -> _Progress:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def show(self, step: Step) -> None:
        from rich.markup import escape

        from knative.cli import output
        from knative.operating.deploying.deployment import Applied

        if isinstance(step, Applied):
            if step.change != "same" and not self._quiet:
                output.tell(f"{step.name}: {step.change}{' (not done)' if self._dry else ''}")
        elif self._status:
            said = f"{step.ready}/{step.of} ready, {step.first}: {step.why}"
            self._status.update(escape(said[:200]))


async def _everything(
    overlay: str, images: Iterable[str], parts: Iterable[str]
) -> tuple[list[Objects], Objects]:
    """What has to be ready before anything else can be judged, and what is then applied."""
    objects = _with_images(await _rendered(overlay), _named_images(images))
    beneath, beside = await _platform(parts)
    return beneath, [*beside, *objects]


async def _rendered(overlay: str) -> Objects:
    from knative.operating.deploying import rendering
    from knative.operating.deploying.unsettled import unsettled

    try:
        objects = await rendering.render(rendering.folder_of(overlay))
    except rendering.NotRendered as error:
        raise Complaint(str(error)) from None
    if lacking := unsettled(objects):
        name, variables = next(iter(lacking.items()))
        raise Complaint(
            f"The overlay leaves {' and '.join(variables)} of {name} empty. List the component "
            "`settings` last among its components, and set each value of kinora-settings."
        )
    return objects


async def _platform(parts: Iterable[str]) -> tuple[list[Objects], Objects]:
    """What has to be ready before anything else can be judged, and what comes with the overlay."""
    from knative.operating.deploying import rendering

    beneath: list[Objects] = []
    beside: Objects = []
    try:
        for part in parts:
            rendered = [await rendering.render(folder) for folder in rendering.platform(part)]
            if part == "knative":
                beneath += rendered
            else:
                beside += [each for found in rendered for each in found if each not in beside]
    except rendering.NotRendered as error:
        raise Complaint(str(error)) from None
    return beneath, beside


def _prepared(cluster: Cluster, objects: Objects, references: Sequence[Reference]) -> None:
    from knative.operating.deploying import preparation

    if problems := [*preparation.missing(cluster, objects, references)]:
        raise Complaint(
            " ".join(problems), exit_code=FAILED, code="not_prepared", problems=problems
        )


def _with_images(objects: Objects, images: dict[str, str]) -> Objects:
    from knative.operating.deploying import rendering

    known = {rendering.image_name(each) for each in rendering.images(objects)}
    for name in images:
        if name not in known:
            others = f"Use one of: {', '.join(sorted(known))}." if known else "Leave --image out."
            raise Complaint(f"Nothing runs an image `{name}`. {others}")
    return rendering.with_images(objects, images)


def _named_images(given: Iterable[str]) -> dict[str, str]:
    images = {}
    for each in given:
        name, equals, image = each.partition("=")
        if not (name and equals and image):
            raise Complaint(f"`{each}` is not NAME=IMAGE. Write it like kinora-media=host/x:tag.")
        images[name] = image
    return images


def _complaint(
    cluster: Cluster, unready: Unready, applied: Sequence[Applied], overlay: str
) -> Complaint:
    """Which object, why, and what its pods had to say."""
    from knative.cli import output
    from knative.operating.deploying.deployment import Name

    found = [(Name.of(each), ready, _explained(cluster, each)) for each, ready in unready.objects]
    for name, ready, more in found:
        output.tell(f"{name}: {ready.why}")
        for each in more.pods:
            output.tell(f"  pod {each}")
        for each in more.happenings:
            output.tell(f"  {each}")
        if more.log:
            output.tell(f"  last lines of {more.log_of}:")
        for each in more.log:
            output.tell(f"    {each}")
    names = ", ".join(str(name) for name, _, _ in found)
    what = "not ready in time" if unready.timed_out else "failed"
    return Complaint(
        f"{len(found)} of {len(applied)} objects {what}: {names}. Mend it and run the same command "
        "again; `kinora doctor --cluster` and `kinora evidence --cluster` say more.",
        exit_code=FAILED,
        code="not_ready",
        overlay=overlay,
        waited_s=round(unready.waited_s, 1),
        objects=_as_json(applied),
        unready=[
            {
                "kind": name.kind,
                "name": name.name,
                "namespace": name.namespace,
                "why": ready.why,
                **more.as_json(),
            }
            for name, ready, more in found
        ],
    )


def _explained(cluster: Cluster, found: dict[str, Any]) -> Explanation:
    """Nothing where it cannot be asked for: that something is not ready is told all the same."""
    from eventing.errors import Unavailable
    from knative.operating.deploying.explanation import Explanation, explain
    from knative.operating.refused import Refused

    try:
        return explain(cluster, found)
    except (Unavailable, Refused):
        return Explanation(pods=(), happenings=(), log=(), log_of="")


def _as_json(applied: Sequence[Applied]) -> list[dict[str, str]]:
    return [
        {
            "kind": each.name.kind,
            "name": each.name.name,
            "namespace": each.name.namespace,
            "change": each.change,
        }
        for each in applied
    ]
