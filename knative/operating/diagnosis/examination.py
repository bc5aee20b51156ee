"""All findings, in the order in which one would repair things."""

from __future__ import annotations

from typing import Final

from knative.operating.diagnosis import (
    capacity,
    delivery,
    features,
    secrecy,
    serving,
    starts,
    versions,
)
from knative.operating.diagnosis.facts import Facts
from knative.operating.diagnosis.finding import Finding

_ALL: Final = (versions, features, secrecy, serving, delivery, capacity, starts)
_BEFORE: Final = (versions, features)


def examine(facts: Facts) -> list[Finding]:
    return [each for part in _ALL for each in part.findings(facts)]


def before_deploying(facts: Facts) -> list[Finding]:
    """Those that matter before anything is installed."""
    return [each for part in _BEFORE for each in part.findings(facts)]
