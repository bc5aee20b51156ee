"""The real and hostile files that tests read: in KINORA_MEDIA, or beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(
    os.environ.get("KINORA_MEDIA") or Path(__file__).parents[1] / ".." / "shared" / "media"
)


def media_file(name: str) -> Path:
    """`real/…` or `hostile/…`. Where it is missing the test is skipped, or fails in CI."""
    path = _FOLDER / name
    if not path.is_file():
        missing = f"{name} is not in KINORA_MEDIA"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path
