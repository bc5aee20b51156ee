"""How often a task may fail on its own account before its job does."""

from __future__ import annotations

from typing import Final

from eventing.contract import TaskFailed

ATTEMPTS: Final = 3

_FEWER: Final = {
    # What crashes the decoder or breaks a limit twice is the file, not the machine.
    "encoder_crashed": 2,
    "resource_limit": 2,
}


def exhausted(failed: TaskFailed) -> bool:
    """True if no other attempt shall be made."""
    return failed.final or failed.attempt >= _FEWER.get(failed.code, ATTEMPTS)
