"""docs/events.md: what functions say to each other, as a table and as a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from eventing.contract import EVENTS, TICK, Event
from eventing.topology import FUNCTIONS
from infra.derived.schemas import event_schemas

_SWEEPER = "sweeper"
"""Repairs: it may emit anything, so it is named only where nobody else does."""
_OUTSIDE: Final[Mapping[str, str]] = {
    "source": 'bucket[(uploads bucket)] -- "notification" --> source',
    "gateway": 'people([people, applications]) -- "requests" --> gateway',
}
"""How each function that the world outside calls is called."""

_HEAD = """\
<!-- Generated from eventing/contract.py and topology.py by `make generate`: edit those. -->
# Events

Functions speak in [CloudEvents 1.0](https://github.com/cloudevents/spec) through one broker. A type
is a fact in the past tense; a breaking change is a new type. Data is JSON under 64 KiB: references
and small facts, lists live in the object store. The schemas of the data are in
[eventing/schemas](../eventing/schemas).

## Who speaks to whom

"""

_ATTRIBUTES = """\
## Attributes

| attribute | value |
|---|---|
| `id` | hash of job, generation, type and subject: a resend, by whoever, is the same event |
| `source` | `/jobs/<job>` |
| `type` | see below |
| `subject` | what in the job it is about: a task, an attempt, an object's key, or the job |
| `time` | when it was told, RFC 3339 |
| `datacontenttype` | `application/json` |
| `producer` | the function that told it |
| `partitionkey` | the job |
| `traceparent` | where the job's trace starts: its trace id is the job's id; stays on the way |
| `causationid` | `id` of the event that was being handled; absent where there was none |
| `accelerator` | `task.ready` only: `cpu` or `gpu`, for the Triggers of the encoders |
| `length` | `task.ready` only: `short` or `long`, for those who run long tasks elsewhere |

"""


def text() -> str:
    sections = [_HEAD, _picture(), _ATTRIBUTES, _overview(), "## Data\n"]
    schemas = event_schemas()
    sections += [_data(event, schemas[event.type]) for event in EVENTS]
    return "".join(sections)


def emitters(event: type[Event]) -> list[str]:
    """Functions that tell of it in the ordinary course of a job."""
    found = [f.name for f in FUNCTIONS if event in f.emits and f.name != _SWEEPER]
    return found or [_SWEEPER]


def consumers(event: type[Event]) -> list[str]:
    return [
        function.name
        for function in FUNCTIONS
        if any(consumption.type == event.type for consumption in function.consumes)
    ]


def _picture() -> str:
    labels: dict[tuple[str, str], list[str]] = {}
    for event in EVENTS:
        for emitter in emitters(event):
            for consumer in consumers(event):
                labels.setdefault((emitter, consumer), []).append(_short(event))
    lines = [
        f'  {emitter} -- "{"<br>".join(names)}" --> {consumer}\n'
        for (emitter, consumer), names in labels.items()
    ]
    outside = "".join(f"  {_OUTSIDE[f.name]}\n" for f in FUNCTIONS if f.http)
    return f"""\
Every solid arrow goes through the broker, but for the tick, which goes straight to the {_SWEEPER},
and what comes from outside.

```mermaid
flowchart LR
  tick([every minute]) -- "{TICK}" --> {_SWEEPER}
{outside}{"".join(lines)}  undeliverable([undeliverable]) -.-> deadletter
```

The {_SWEEPER} also tells anything again that stood still, as the event that it was.

"""


def _overview() -> str:
    rows = "".join(
        f"| `{event.type}` | {', '.join(emitters(event))} | {', '.join(consumers(event))} "
        f"| {_first_line(event)} |\n"
        for event in EVENTS
    )
    return f"## Types\n\n| type | from | to | meaning |\n|---|---|---|---|\n{rows}\n"


def _data(event: type[Event], schema: dict[str, Any]) -> str:
    rows = "".join(
        f"| `{name}` | {_type(field)} | {_default(name, field, schema)} "
        f"| {field.get('description', '')} |\n"
        for name, field in schema["properties"].items()
    )
    return f"\n### {event.type}\n\n| field | type | default | |\n|---|---|---|---|\n{rows}"


def _type(field: dict[str, Any]) -> str:
    limits = [
        f"`{field['pattern']}`".replace("|", "\\|") if "pattern" in field else "",
        f"at least {field['minimum']}" if "minimum" in field else "",
        f"{field.get('minLength', 0)} to {field['maxLength']} characters"
        if "maxLength" in field
        else "",
    ]
    return ", ".join([field["type"], *filter(None, limits)])


def _default(name: str, field: dict[str, Any], schema: dict[str, Any]) -> str:
    return "required" if name in schema["required"] else f"`{json.dumps(field['default'])}`"


def _first_line(event: type[Event]) -> str:
    return (event.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()


def _short(event: type[Event]) -> str:
    return event.type.removeprefix("dev.kinora.")
