"""Which versions of Kubernetes and Knative are supported: said here, shown in docs/knative.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from knative.operating.diagnosis.facts import Facts
from knative.operating.diagnosis.finding import Finding, fine, missing, poor

Number = tuple[int, int]
_FIRST_MODULE: Final = 27


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    what: str
    oldest: Number
    """Older ones lack something that the manifests use."""
    tested: Number
    """The one that all tests run on."""
    lacks: str
    """What older ones lack."""


KUBERNETES: Final = Support(
    what="Kubernetes",
    oldest=(1, 33),
    tested=(1, 34),
    lacks="the Knative that is supported refuses to start on it",
)
SERVING: Final = Support(
    what="Knative Serving",
    oldest=(1, 21),
    tested=(1, 22),
    lacks="nobody mends it any more, and no test has seen it",
)
EVENTING: Final = Support(
    what="Knative Eventing",
    oldest=(1, 21),
    tested=(1, 22),
    lacks="nobody mends it any more, and no test has seen it",
)
SUPPORTED: Final = (KUBERNETES, SERVING, EVENTING)


def findings(facts: Facts) -> Iterator[Finding]:
    for support, said in zip(
        SUPPORTED, (facts.kubernetes, facts.serving, facts.eventing), strict=True
    ):
        yield _judged(support, said)


def number(said: str) -> Number | None:
    """`(1, 34)` of `v1.34.4+k3s1`, and of `knative-v1.22.0`; None of anything else."""
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def of_module(image: str) -> str:
    """The release that an image of a component belongs to, by the version of its Go module in the
    tag: v0.27 became 1.0, and so on. "" where the tag is none."""
    found = re.search(r":v0\.(\d+)\.(\d+)$", image)
    if not found or int(found[1]) < _FIRST_MODULE:
        return ""
    return f"1.{int(found[1]) - _FIRST_MODULE} (module v0.{found[1]}.{found[2]})"


def text(version: Number) -> str:
    return f"{version[0]}.{version[1]}"


def _judged(support: Support, said: str) -> Finding:
    what, version = support.what, number(said)
    use = f"Use {text(support.oldest)} or newer; tests run on {text(support.tested)}."
    if not said:
        return missing(
            what,
            "not installed",
            "Functions are its Services, its Broker brings them their events.",
            f"Install it: infra/platform has the version that tests run on. {use}",
        )
    if version is None:
        return poor(
            what,
            f"a build without a number ({said})",
            "Whether it is supported cannot be told.",
            f"{use} See that it is.",
        )
    if version < support.oldest:
        return missing(what, said, f"It is too old: {support.lacks}.", use)
    if version > support.tested:
        return poor(
            what,
            said,
            f"It is newer than what tests run on ({text(support.tested)}).",
            "Try it on a cluster of its own first: `make cluster-test` says what to look at.",
        )
    return fine(what, said)
