"""The one place where a command's failure becomes a sentence and an exit code."""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
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
                f"Something needed cannot be reached: {_ended(error.reason)} Try again.",
                exit_code=FAILED,
                code="unavailable",
            )
            _complain(missing, as_json=bool(ctx.params.get("as_json")))
            raise typer.Exit(FAILED) from None
        except (Interrupted, KeyboardInterrupt):
            from knative.cli import output

            output.tell("kinora: interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if (of_the_place := _of_the_place(error)) is None:
                raise
            _complain(of_the_place, as_json=bool(ctx.params.get("as_json")))
            raise typer.Exit(FAILED) from None


def _ended(reason: str) -> str:
    """With a full stop, where whoever gave the reason set none: servers write sentences as well."""
    return reason if reason.endswith((".", "?", "!")) else f"{reason}."


def _of_the_place(error: Exception) -> Complaint | None:
    """What is wrong with this machine or folder, None where the command itself is."""
    if isinstance(error, OSError) and error.errno and error.errno != errno.EPIPE:
        what = f"{error.filename}: " if error.filename else ""
        return Complaint(
            f"It cannot be done here: {what}{error.strerror}. "
            "`kinora doctor` says what is missing.",
            exit_code=FAILED,
            code="environment",
        )
    # Only some commands import it, and only those can fail so.
    sqlite3 = sys.modules.get("sqlite3")
    if sqlite3 is not None and isinstance(error, sqlite3.DatabaseError):
        return Complaint(
            f"What the runtime keeps for itself cannot be read: {error}. End the runtime and "
            "remove the folder `runtime` in its folder: the next start builds it again.",
            exit_code=FAILED,
            code="environment",
        )
    return None


def _complain(complaint: Complaint, *, as_json: bool) -> None:
    from knative.cli import output

    if as_json:
        # Where standard output takes nothing, which may be the complaint, standard error has it.
        with suppress(OSError):
            output.write_json(complaint.as_json())
    output.tell(f"kinora: {complaint.reason}")
