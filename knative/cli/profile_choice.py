"""Profiles by name, as an operator sees them: the built-in ones and those of KINORA_PROFILES."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from functions.jobs.profile import Profile


def known() -> Mapping[str, Profile]:
    """Raises Complaint for the first profile file that is wrong."""
    from functions.jobs import catalogue

    own = os.environ.get("KINORA_PROFILES", "")
    try:
        return catalogue.read((catalogue.BUILT_IN, Path(own)) if own else (catalogue.BUILT_IN,))
    except (ValueError, OSError) as error:
        raise Complaint(
            f"The profiles cannot be read: {error}. Correct it, or unset KINORA_PROFILES."
        ) from None


def check(name: str) -> None:
    """Raises Complaint for a name that no profile has."""
    if name not in (names := known()):
        raise Complaint(
            f"There is no profile called `{name}`. Use one of: {', '.join(sorted(names))}."
        )
