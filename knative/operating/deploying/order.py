"""In which order objects are applied, and what is waited for before the next are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """Objects that are applied together."""

    objects: tuple[Any, ...]
    waits: bool
    """Whether they have to be ready before the next stage begins."""


_FIRST: Final[Sequence[frozenset[str]]] = (
    frozenset({"Namespace"}),
    frozenset({"CustomResourceDefinition"}),
)
_WEBHOOKS: Final = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
"""Refuse what they are to judge while nobody answers for them, so they come after the rest."""
_WORKLOADS: Final = frozenset({"DaemonSet", "Deployment", "StatefulSet", "Service"})
_CONFIGURED: Final = 2
_WORKING: Final = 3
_WATCHED: Final = 4
_JOBS: Final = 5
_BROKERS: Final = 6
_FUNCTIONS: Final = 7
_SENDERS: Final = 8
_WAITS: Final = frozenset({0, 1, _WORKING, _JOBS})


def stages(objects: Sequence[Object]) -> list[Stage]:
    """In dependency order; within a stage as they were given."""
    ranked = sorted(objects, key=_rank)
    return [Stage(tuple(found), waits=rank in _WAITS) for rank, found in groupby(ranked, key=_rank)]


def _rank(found: Object) -> int:
    """Whoever needs something of another comes after it: senders after who is sent to."""
    kind, group = found["kind"], found["apiVersion"].rpartition("/")[0]
    for rank, kinds in enumerate(_FIRST):
        if kind in kinds:
            return rank
    if group in ("", "apps") and kind in _WORKLOADS:
        return _WORKING
    if kind in _WEBHOOKS:
        return _WATCHED
    if (kind, group) == ("Job", "batch"):
        return _JOBS
    if kind in ("Broker", "KafkaSink") or group == "messaging.knative.dev":
        return _BROKERS
    if group in ("serving.knative.dev", "sinks.knative.dev"):
        return _SENDERS if kind == "DomainMapping" else _FUNCTIONS
    if group in ("eventing.knative.dev", "sources.knative.dev", "keda.sh"):
        return _SENDERS
    return _CONFIGURED
