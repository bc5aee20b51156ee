"""How a command ends other than well: an exit code, and one sentence for whoever typed it."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
USAGE: Final = 2
"""The command cannot be carried out as it was typed."""
REJECTED: Final = 3
"""The input is not one that can be taken."""
FAILED: Final = 4
"""It was taken and could not be done, or was cancelled."""
INTERRUPTED: Final = 130

EXIT_OF_STATE: Final = {
    "completed": DONE,
    "rejected": REJECTED,
    "failed": FAILED,
    "cancelled": FAILED,
}
"""Exit codes by the state of a verdict."""


class Complaint(Exception):
    """Ends the command with `exit_code`; `reason` says what, why and what to do.

    `code` is for programs: `usage`, or one of `functions/jobs/refusal.py`. `facts` joins the
    object that `--json` prints.
    """

    def __init__(
        self, reason: str, *, exit_code: int = USAGE, code: str = "usage", **facts: object
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code
        self.code = code
        self.facts = facts

    def as_json(self) -> dict[str, object]:
        return {**self.facts, "code": self.code, "reason": self.reason}
