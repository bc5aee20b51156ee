"""The pages for people: their links lead somewhere, and the commands in them exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from knative.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = set(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    missing = [
        link
        for link in links
        if not link.startswith(("http:", "https:")) and not (page.parent / link).exists()
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_every_file_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    named = set(re.findall(r"(?:^|[`$] ?)kinora ([a-z]+)\b", text, re.MULTILINE))
    assert named <= COMMANDS
    files = re.findall(r"`((?:eventing|functions|knative|infra|tests|docs)/[\w./-]*\w)`", text)
    assert not [name for name in files if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(
        re.findall(r"(?:^|`)make ([a-z]+)(?:`| *$| +#| [A-Z]+=)", page.read_text(), re.MULTILINE)
    )
    assert named <= targets


def test_decisions_are_numbered_without_gaps_and_by_their_headings() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, page in enumerate(decisions, 1):
        assert page.name.startswith(f"{number:04d}-")
        assert page.read_text().startswith(f"# {number}. ")
