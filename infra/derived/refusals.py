"""docs/refusals.md: every code with which a job may end without streams."""

from __future__ import annotations

from functions.jobs.refusal import REFUSALS


def text() -> str:
    rows = "".join(
        f"| `{refusal.code}` | {_cell(refusal.what)} | {_cell(refusal.advice)} |\n"
        for refusal in REFUSALS
    )
    return f"""\
<!-- Generated from functions/jobs/refusal.py by `make generate`: edit that. -->
# Why a job ends without streams

A verdict that is `rejected`, `failed` or `cancelled` carries one of these codes, for programs, and
one sentence, for people. A code never changes its meaning. What stands in braces is filled in.

| code | what happened | what to do |
|---|---|---|
{rows}"""


def _cell(sentence: str) -> str:
    return sentence.replace("|", "\\|").replace("<", "&lt;")
