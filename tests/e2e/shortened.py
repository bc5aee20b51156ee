"""Our manifests with the broker's patience cut in proportion to clips of seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from knative.local.manifests import BASE
from tests.e2e import names

_DELAY: Final = ("backoffDelay: PT0.5S", "backoffDelay: PT0.01S")
"""A fiftieth: all retries of an event are over in two and a half seconds, besides what each of
them takes, instead of two minutes."""
_LOOKING_UP: Final = {
    "notifier.yaml": '["python", "-m", ',
    "gateway.yaml": '["python", "-m", ',
}
"""Where names are looked up, these look into a file first."""


def write(folder: Path) -> Path:
    """The folder, with the manifests in it."""
    folder.mkdir()
    for there in BASE.glob("*.yaml"):
        text = there.read_text()
        if there.name == "triggers.yaml":
            text = _replaced(text, *_DELAY)
        if (command := _LOOKING_UP.get(there.name)) is not None:
            text = _replaced(text, command, f'["python", "{names.__file__}", ')
        (folder / there.name).write_text(text)
    return folder


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)
