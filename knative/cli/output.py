"""What goes to standard output, and what does not: results there, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

PIPE_WIDTH = 120
"""Columns when the output is no terminal: wide enough that a table keeps its lines."""


def json_text(value: object, *, indent: int | None = 2, encoding: str = "utf-8") -> str:
    """JSON as people read it too, escaped where `encoding` has no such characters."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def write_json(value: object) -> None:
    """`value` as the only thing on standard output."""
    sys.stdout.write(json_text(value, encoding=sys.stdout.encoding) + "\n")
    sys.stdout.flush()


def write_line(value: object) -> None:
    """`value` as one line of JSON: for commands that go on."""
    sys.stdout.write(json_text(value, indent=None, encoding=sys.stdout.encoding) + "\n")
    sys.stdout.flush()


def show(*things: RenderableType) -> None:
    """Results for people, on standard output."""
    to = _console(stderr=False)
    for thing in things:
        to.print(thing, soft_wrap=isinstance(thing, str), markup=False)


def tell(text: str) -> None:
    """A remark for people, on standard error."""
    _console(stderr=True).print(text, soft_wrap=True, markup=False, highlight=False)


def terminal() -> Console | None:
    """Standard error, where progress is drawn: None when it is no terminal."""
    to = _console(stderr=True)
    return to if to.is_terminal else None


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return Console(stderr=stderr, width=width, highlight=False)
