"""What a revision has to do, from the metrics of Knative Serving (1.19 and newer).

The activator counts what it passes on and what waits in it; it stands before every revision that
has no capacity to spare, and always before the encoder. The autoscaler tells what it wants. A
pod's queue-proxy counts the answers of its pod, from its start on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from knative.operating.exposition import Sample, by, total

_REVISION: Final = "kn_revision_name"
_NAMESPACE: Final = "k8s_namespace_name"
_STATUS: Final = "http_response_status_code"

Answers = Mapping[int, int]
"""How many answers, by HTTP status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Of one revision. None: nobody exposes it."""

    in_flight: int | None = None
    """Requests in pods now, of those that come through the activator."""
    queued: int | None = None
    """Requests that wait for a pod."""
    wanted: int | None = None
    """Pods, by the autoscaler's last decision."""
    concurrency: float | None = None
    """Requests in flight and waiting, averaged over the stable window."""
    panics: bool = False
    """The autoscaler scales up only, after a burst."""
    answers: Answers = field(default_factory=dict)
    """Of the activator, since it started."""


def of(
    revision: str,
    *,
    namespace: str,
    activators: Iterable[Sample] = (),
    autoscaler: Iterable[Sample] = (),
) -> Load:
    """What these samples say of the revision."""
    passed, wanted = list(activators), list(autoscaler)
    labels = {_REVISION: revision, _NAMESPACE: namespace}
    counted = any(sample.name == "kn_revision_request_active" for sample in passed)
    concurrency = total(wanted, "kn_revision_concurrency_stable", **labels)
    return Load(
        in_flight=_count(total(passed, "kn_revision_request_active", **labels), known=counted),
        queued=_count(total(passed, "kn_revision_request_queued", **labels), known=counted),
        wanted=_count(total(wanted, "kn_revision_pods_desired", **labels), known=False),
        concurrency=concurrency,
        panics=bool(total(wanted, "kn_revision_panic_mode", **labels)),
        answers=_answers(passed, "http_server_request_duration_seconds_count", **labels),
    )


def of_pod(queue_proxy: Iterable[Sample]) -> Answers:
    """What the function in one pod answered, by its queue-proxy."""
    return _answers(list(queue_proxy), "kn_serving_invocation_duration_seconds_count")


def merged(parts: Iterable[Answers]) -> dict[int, int]:
    """The sum."""
    whole: dict[int, int] = {}
    for part in parts:
        for status, number in part.items():
            whole[status] = whole.get(status, 0) + number
    return whole


def _answers(samples: Iterable[Sample], name: str, **labels: str) -> dict[int, int]:
    found = by(samples, name, _STATUS, **labels)
    return {int(status): round(number) for status, number in found.items() if status.isdigit()}


def _count(value: float | None, *, known: bool) -> int | None:
    """A revision that nothing was counted of had nothing, where others are counted."""
    if value is None:
        return 0 if known else None
    return max(0, round(value))
