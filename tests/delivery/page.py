"""docs/brokers.md, from the table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.delivery.case import Case
from tests.delivery.table import GROUPS, TABLE

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/brokers.md"
_HEAD: Final = """\
<!-- Generated from tests/delivery by `python -m tests.delivery`: edit that. -->
# Two brokers, one table

Functions run on the embedded broker (`knative/local/broker/`) and on Knative's default one (class
MTChannelBasedBroker over in-memory channels, 1.22). What they may rely on is a table, and the same
table runs against both: `tests/contract/test_broker_table.py` and
`tests/cluster/test_broker_delivery.py`. Clauses are those of Knative's eventing specification (data
plane, control plane), of CloudEvents and its HTTP binding, and of what the default broker does
where all are silent.

## Where they differ

| what the embedded broker does | clause | Knative's | who is right |
|---|---|---|---|
"""
_BESIDES: Final = """\

No row can show these:

- The in-memory channel answers a publisher only when every subscriber is done, unless the Broker
  has the annotation `messaging.knative.dev/async-handler: "true"`, as ours has. With it what was
  answered 202 is in memory and nowhere else (control plane, Content Based Routing: MUST durably
  enqueue); the embedded broker's log is right, and the sweeper sends again what was lost.
- A Trigger is ready before the broker's filter knows it; until then its events are answered with
  404 there, which is retried, and become dead letters where nothing is retried.
"""


def page() -> str:
    return _HEAD + "".join(_differences()) + _BESIDES + "".join(_promises())


def _differences() -> Iterator[str]:
    for case in TABLE:
        if case.differs:
            yield (
                f"| {case.says} (`{case.name}`) | {case.clause} | {case.differs.why} "
                f"| {case.differs.right} |\n"
            )


def _promises() -> Iterator[str]:
    for title, cases in GROUPS.items():
        yield f"\n## {title}\n\n| row | promise | clause | |\n|---|---|---|---|\n"
        yield from map(_promise, cases)


def _promise(case: Case) -> str:
    both = "differs" if case.differs else "both"
    return f"| `{case.name}` | {case.says} | {case.clause} | {both} |\n"
