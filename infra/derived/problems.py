"""docs/problems.md: every kind of problem that a request may be answered with."""

from __future__ import annotations

from functions.gateway.edge.problem import KINDS, TYPE_PREFIX


def text() -> str:
    rows = "".join(
        f"| `{TYPE_PREFIX}{kind.code}` | {int(kind.status)} | {kind.title} |\n" for kind in KINDS
    )
    return f"""\
<!-- Generated from functions/gateway/edge/problem.py by `make generate`: edit that. -->
# What a request may be answered that cannot be met

The body is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` (what to
do) and `instance`. Programs go by `type`, which never changes its meaning. `invalid` also has
`errors`, each with the path of its `field`; `refused` has the `code` of one of the
[refusals](refusals.md); what may be tried again has the header `retry-after`, in seconds.

| type | status | title |
|---|---|---|
{rows}"""
