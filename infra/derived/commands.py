"""docs/cli.md: every command with its arguments and options, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from typer.main import get_command

from knative.cli.main import app

HEAD = """\
<!-- Generated from knative/cli/ by `make generate`: edit that. -->
# The command `kinora`

Results go to standard output, everything else to standard error. With `--json` standard output
holds JSON and nothing else; progress is drawn only where standard error is a terminal. A job's id
may be shortened to its first digits.

| exit code | meaning |
|---|---|
| 0 | done |
| 2 | the command cannot be carried out as it was typed |
| 3 | the input is not one that can be taken ([refusals](refusals.md)) |
| 4 | it was taken and could not be done, or was cancelled |
| 130 | interrupted |
"""


def text() -> str:
    """The page."""
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    return "\n".join([HEAD, *(_command(name, command) for name, command in _flat(commands))])


def _flat(commands: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Commands by their whole names: those of a group under the group's."""
    for name, command in commands.items():
        if inner := getattr(command, "commands", None):
            yield from ((f"{name} {last}", each) for last, each in _flat(inner))
        else:
            yield name, command


def _command(name: str, command: Any) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    words = " ".join(param.metavar or param.name.upper() for param in arguments)
    lines = [
        f"## kinora {name} {words}".rstrip(),
        "",
        _plain(inspect.cleandoc(command.help or "")),
        "",
    ]
    rows = [*_rows(command.params)]
    if rows:
        lines += ["| argument or option | | |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _rows(params: list[Any]) -> Iterator[str]:
    for param in params:
        if param.name == "help":
            continue
        if param.param_type_name == "argument":
            names = f"`{param.metavar or param.name.upper()}`"
        else:
            names = ", ".join(f"`{name}`" for name in param.opts)
        yield f"| {names} | {_plain(param.help or '')} | {_default(param)} |"


def _plain(words: str) -> str:
    return words.replace("|", "\\|").replace("<", "&lt;")


def _default(param: Any) -> str:
    if param.required:
        return "required"
    if param.default in (None, "", False) or param.name == "as_json":
        return ""
    said = f"default `{param.default}`"
    return f"{said}, or `{param.envvar}`" if param.envvar else said
