"""Logs are one JSON object a line."""

from __future__ import annotations

import io
import json
import logging
import sys

from eventing import log


def formatted(message: str, **extra: object) -> dict[str, object]:
    record = logging.LogRecord("x", logging.WARNING, "f.py", 1, message, None, None)
    record.__dict__.update(extra)
    line = log.JsonFormatter().format(record)
    assert "\n" not in line
    return dict(json.loads(line))


def test_a_message_of_many_lines_is_one_line() -> None:
    assert formatted("a\nb")["message"] == "a\nb"


def test_a_traceback_is_a_field() -> None:
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        line = formatted("failed", exc_info=sys.exc_info())
    assert "RuntimeError: boom" in str(line["traceback"])


def test_facts_are_fields() -> None:
    assert formatted("handled", facts={"ms": 5})["ms"] == 5


def test_bound_fields_nest_and_end_and_empty_ones_are_left_out() -> None:
    with log.bound(job="j", task=""):
        with log.bound(task="v0000"):
            assert formatted("x").items() >= {"job": "j", "task": "v0000"}.items()
        assert "task" not in formatted("x")
    assert "job" not in formatted("x")


def test_what_cannot_be_json_is_logged_as_text() -> None:
    assert formatted("x", facts={"path": log})["path"] == str(log)


def test_start_replaces_what_was_set_up_and_quietens_servers() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        log.start("debug", stream=stream)
        logging.getLogger("a").debug("seen")
        logging.getLogger("uvicorn.error").info("not seen")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["seen"]
