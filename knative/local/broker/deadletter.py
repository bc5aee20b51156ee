"""What a dead letter says about its death: Knative's `knativeerror*` attributes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from knative.local.broker.manifest import Destination
from knative.local.broker.outcome import Outcome

DATA_LIMIT: Final = 1024
"""Characters of base64 that are kept: a multiple of four, so what is kept can be decoded."""
NO_ANSWER: Final = 500
"""The code that stands for an attempt nobody answered."""


def extensions(sink: Destination, outcome: Outcome) -> Mapping[str, str]:
    """The attributes for an event that could not be delivered to `sink`, ending in `outcome`."""
    said = outcome.body if outcome.code is not None else f"dispatch error: {outcome.error}".encode()
    data = base64.b64encode(said[:DATA_LIMIT]).decode()[:DATA_LIMIT]
    known = {
        "knativeerrordest": sink.url,
        "knativeerrorcode": str(NO_ANSWER if outcome.code is None else outcome.code),
    }
    return {**known, "knativeerrordata": data} if data else known
