"""The cluster that a command works on: its options, and the connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from knative.cli.complaint import FAILED, USAGE, Complaint

if TYPE_CHECKING:
    from knative.operating.cluster import Cluster
    from knative.operating.refused import Refused

NAMESPACE: Final = "kinora"
"""Where an installation is, when nobody says otherwise."""

Context = Annotated[
    str, typer.Option("--context", "-C", help="Context of the kubeconfig; the current one.")
]


def _label(given: str) -> str:
    """A name as RFC 1123 has it, and nothing else: it becomes part of what the cluster is asked."""
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", given):
        raise typer.BadParameter(
            f"{given!r} is no name of a namespace. Use up to 63 small letters, digits and inner "
            "hyphens."
        )
    return given


Namespace = Annotated[
    str,
    typer.Option(
        "--namespace",
        "-n",
        envvar="KINORA_NAMESPACE",
        callback=_label,
        help="Namespace of the installation.",
    ),
]


@contextmanager
def cluster(context: str = "") -> Iterator[Cluster]:
    """Connected while it is entered. What the API server refuses becomes a Complaint, and a signal
    an end after which nothing stays that was only there for the command."""
    from knative.cli.signals import raised
    from knative.operating.cluster import Cluster
    from knative.operating.refused import NotConnected, Refused

    try:
        connected = Cluster.connect(context)
    except NotConnected as error:
        raise Complaint(str(error), exit_code=USAGE, code="no_cluster") from None
    try:
        with raised():
            yield connected
    except Refused as refused:
        raise Complaint(_sentence(refused), exit_code=FAILED, code="cluster_refused") from None
    finally:
        connected.close()


def _sentence(refused: Refused) -> str:
    said = f"The cluster refuses: {refused.message.rstrip('.')} ({refused.status})."
    if refused.status == 401:
        return f"{said} Log in to it again, or name another context with --context."
    if refused.status == 403:
        return f"{said} Use an account that may do this, or ask whoever runs the cluster."
    return said
