"""JSON logs on stderr, one object a line, that say which job, task and event they belong to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

_bound: Final[ContextVar[Mapping[str, str]]] = ContextVar("log_fields", default={})  # noqa: B039


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Every record logged inside carries these fields; empty ones are left out.

    A new thread starts without them, unless it runs in a copy of the context.
    """
    token = _bound.set({**_bound.get(), **{name: text for name, text in fields.items() if text}})
    try:
        yield
    finally:
        _bound.reset(token)


class JsonFormatter(logging.Formatter):
    """`time`, `level`, `message`, what is `bound`, the mapping given as `extra={"facts": …}`,
    and `traceback` where an exception is logged."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_bound.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def start(level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process to `stream` (stderr) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("uvicorn", "httpx2", "httpcore2", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
