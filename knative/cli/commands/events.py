"""`kinora events`: what happened to a job, from the broker's own log."""

from __future__ import annotations

from typing import Any

from knative.cli import site
from knative.cli.command import AsJson
from knative.cli.commands.show import Job
from knative.cli.complaint import Complaint


def events(
    job: Job,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show the events of one job as a tree.

    What caused what, when, and how often it was tried. Needs no collector and no running runtime.
    """
    from knative.cli import eventtree, output
    from knative.local.broker.history import History

    place = site.Site.open(directory)
    found = site.find_job(place.store(), job)
    try:
        history = History(place.home.events).of(found)
    except FileNotFoundError:
        raise Complaint(
            f"No runtime has ever run in {directory}, so there are no events."
        ) from None
    if not history:
        raise Complaint(
            f"The events of {found} are forgotten: finished ones are kept for seven days. "
            f"`kinora show {found[:12]}` tells how the job ended."
        )
    nodes = eventtree.grow(history)
    if as_json:
        output.write_json({"job": found, "events": eventtree.as_json(nodes)})
    else:
        output.show(_tree(found, eventtree.lines(nodes, origin_s=history[0].accepted_s)))


def _tree(job: str, lines: list[tuple[str, list[Any]]]) -> Any:
    from rich.text import Text
    from rich.tree import Tree

    def grow(tree: Tree, below: list[tuple[str, list[Any]]]) -> Tree:
        for line, more in below:
            grow(tree.add(Text(line)), more)
        return tree

    return grow(Tree(Text(job)), lines)
