"""From a storage's own notification to events, whoever the storage is: tells the dialects apart.

Pure, and takes anything: what cannot be understood is a remark, never an error, because a storage
repeats what was not taken, and nothing else until that is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from eventing import codec
from eventing.contract import ObjectCreated
from eventing.sources import cloudevents, eventbridge, records, sns
from eventing.sources.item import Buckets
from eventing.sources.remark import Remark

_ENVELOPES: Final = 3
"""How many may lie in each other: a CloudEvent around SNS around records, and no more."""


def read(headers: codec.Headers, body: bytes, buckets: Buckets) -> Iterator[ObjectCreated | Remark]:
    """Each object that a notification tells of as an event, all else as remarks."""
    if cloudevents.is_structured(headers):
        opened = cloudevents.read(headers, body)
        if isinstance(opened, Remark):
            yield opened
            return
        body = opened
    yield from _parse(body, buckets, _ENVELOPES)


def _parse(body: bytes, buckets: Buckets, depth: int) -> Iterator[ObjectCreated | Remark]:
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        yield Remark("a body that is no JSON", wrong=True)
        return
    if not isinstance(document, dict) or not depth:
        yield Remark("no notification of any storage that is known", wrong=True)
        return
    yield from _of(document, buckets, depth)


def _of(
    document: dict[str, object], buckets: Buckets, depth: int
) -> Iterator[ObjectCreated | Remark]:
    told = document.get("Records")
    if isinstance(told, list):
        yield from records.read(told, buckets)
    elif "s3" in document and "eventName" in document:
        yield from records.read([document], buckets)
    elif eventbridge.MARK in document:
        yield eventbridge.read(document, buckets)
    elif sns.MARK in document:
        opened = sns.read(document)
        if isinstance(opened, Remark):
            yield opened
        else:
            yield from _parse(opened, buckets, depth - 1)
    elif document.get("Event") == "s3:TestEvent":
        yield Remark("the storage tries whether anybody listens")
    else:
        yield Remark("no notification of any storage that is known", wrong=True)
