"""The function that a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from knative.operating.revision import Service

Function = Annotated[str, typer.Argument(metavar="FUNCTION", help="`encoder`, `chunker` …")]


def there(found: Service | None, function: str, namespace: str) -> Service:
    """Raises Complaint where there is none of the name."""
    if found is None:
        raise Complaint(
            f"There is no function `{function}` in the namespace {namespace}. "
            "`kinora knative status` lists them."
        )
    return found
