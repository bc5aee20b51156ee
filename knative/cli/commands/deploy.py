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
    from knative.operating.deployment import Applied, Step, Unready


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
    from knative.operating import keyring, preparation
    from knative.operating.deployment import Applied, Deployment, Unready

    began_s = time.monotonic()
    objects = _objects(overlay, _named_images(images or ()))
    references = keyring.references(objects)
    applied: list[Applied] = []
    with reach.cluster(context) as cluster:
        if problems := [*preparation.missing(cluster, objects, references)]:
            raise Complaint(
                " ".join(problems), exit_code=FAILED, code="not_prepared", problems=problems
            )
        work = Deployment(cluster=cluster, deadline_s=began_s + timeout_s, dry=dry_run)
        try:
            with _Progress(quiet=as_json, dry=dry_run) as progress:
                for steps in (
                    work.namespaces(objects),
                    work.secrets(references),
                    work.objects(objects),
                ):
                    for step in steps:
                        progress.show(step)
                        if isinstance(step, Applied):
                            applied.append(step)
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
            }
        )
    elif dry_run:
        output.show(f"Nothing was changed; the cluster takes all {len(applied)} objects.")
    else:
        changed = sum(each.change != "same" for each in applied)
        output.show(f"{len(applied)} objects are ready, {changed} of them changed, in {took_s} s.")


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
        from knative.operating.deployment import Applied

        if isinstance(step, Applied):
            if step.change != "same" and not self._quiet:
                output.tell(f"{step.name}: {step.change}{' (not done)' if self._dry else ''}")
        elif self._status:
            said = f"{step.ready}/{step.of} ready, {step.first}: {step.why}"
            self._status.update(escape(said[:200]))


def _objects(overlay: str, images: dict[str, str]) -> list[dict[str, Any]]:
    from knative.operating import rendering

    try:
        rendered = rendering.render(rendering.folder_of(overlay))
    except rendering.NotRendered as error:
        raise Complaint(str(error)) from None
    known = {rendering.image_name(each) for each in rendering.images(rendered)}
    for name in images:
        if name not in known:
            raise Complaint(
                f"Nothing runs an image `{name}`. Use one of: {', '.join(sorted(known))}."
            )
    return rendering.with_images(rendered, images)


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
    from knative.operating.deployment import Name
    from knative.operating.explanation import explain

    found = [(Name.of(each), ready, explain(cluster, each)) for each, ready in unready.objects]
    what = "did not become ready in time" if unready.timed_out else "failed"
    lines = [f"{len(found)} of {len(applied)} objects {what}."]
    for name, ready, more in found:
        lines.append(f"  {name}: {ready.why}")
        lines += [f"    pod {each}" for each in more.pods]
        lines += [f"    {each}" for each in more.happenings]
        if more.log:
            lines.append(f"    last lines of {more.log_of}:")
            lines += [f"      {each}" for each in more.log]
    lines.append("Mend it and run the same command again; `kinora doctor --cluster` says more.")
    return Complaint(
        "\n".join(lines),
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
