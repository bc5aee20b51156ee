"""The one place where a command's failure becomes a sentence and an exit code."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from eventing.errors import Rejected, Unavailable
from knative.cli.complaint import FAILED, INTERRUPTED, REJECTED, Complaint

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, nothing else.")
]


class Interrupted(Exception):
    """A signal ended the command; everything it had begun is undone."""


class Command(TyperCommand):
    """A command whose complaints are sentences: no traceback for a user's mistake."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Complaint as complaint:
            _complain(complaint, as_json=bool(ctx.params.get("as_json")))
            raise typer.Exit(complaint.exit_code) from None
        except Rejected as error:
            refused = Complaint(error.reason, exit_code=REJECTED, code=error.code)
            _complain(refused, as_json=bool(ctx.params.get("as_json")))
            raise typer.Exit(REJECTED) from None
        except Unavailable as error:
            missing = Complaint(
                f"Something needed cannot be reached: {error.reason}. Try again.",
                exit_code=FAILED,
                code="unavailable",
            )
            _complain(missing, as_json=bool(ctx.params.get("as_json")))
            raise typer.Exit(FAILED) from None
        except (Interrupted, KeyboardInterrupt):
            from knative.cli import output

            output.tell("kinora: interrupted")
            raise typer.Exit(INTERRUPTED) from None


def _complain(complaint: Complaint, *, as_json: bool) -> None:
    from knative.cli import output

    if as_json:
        output.write_json(complaint.as_json())
    output.tell(f"kinora: {complaint.reason}")
