"""Write the files that follow from the contract, the topology and the tables, or check them.

python -m infra.generate [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from infra.derived import (
    commands,
    encoders,
    events,
    openapi,
    problems,
    refusals,
    schemas,
    settings,
    triggers,
)

ROOT: Final = Path(__file__).resolve().parent.parent


def generated() -> dict[str, str]:
    """Every generated file: its path from the root, and its text."""
    return {
        **schemas.files(),
        **triggers.files(),
        **encoders.files(),
        "docs/events.md": events.text(),
        "docs/refusals.md": refusals.text(),
        "docs/cli.md": commands.text(),
        "docs/settings.md": settings.text(),
        "docs/openapi.json": openapi.text(),
        "docs/problems.md": problems.text(),
    }


def stale(files: Mapping[str, str], root: Path) -> list[str]:
    """What is missing or differs under `root`, and schemas of events that are no more."""
    wrong = [
        path
        for path, text in files.items()
        if not (root / path).is_file() or (root / path).read_text() != text
    ]
    left_over = [
        path
        for path in sorted(str(file.relative_to(root)) for file in root.glob(schemas.PATTERN))
        if path not in files
    ]
    return wrong + left_over


def write(files: Mapping[str, str], root: Path) -> list[str]:
    """Make `root` hold exactly these files; returns what was changed."""
    changed = stale(files, root)
    for path in changed:
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path])
        else:
            (root / path).unlink()
    return changed


def main(argv: Sequence[str], *, root: Path = ROOT) -> int:
    if argv not in ([], ["--check"]):
        sys.stderr.write("usage: python -m infra.generate [--check]\n")
        return 2
    if argv:
        wrong = stale(generated(), root)
        for path in wrong:
            sys.stderr.write(f"{path} is stale: run make generate\n")
        return 1 if wrong else 0
    for path in write(generated(), root):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
