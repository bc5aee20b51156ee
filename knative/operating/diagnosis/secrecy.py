"""Whether the Secrets are there that pods refer to: one that lacks a key never starts."""

from __future__ import annotations

from collections.abc import Iterator

from knative.operating.diagnosis.facts import Facts
from knative.operating.diagnosis.finding import Finding, fine, missing


def findings(facts: Facts) -> Iterator[Finding]:
    what = "secrets"
    lacking = []
    for name, keys, by in facts.needed:
        there = facts.secrets.get(name)
        if there is None:
            lacking.append(f"{name}, for {by}")
        elif absent := sorted(keys - there):
            lacking.append(f"{' and '.join(absent)} of {name}, for {by}")
    if lacking:
        yield missing(
            what,
            f"there is no {'; no '.join(lacking)}",
            "Pods that refer to it never start.",
            "`kinora deploy` makes those that can be made up; the others only you know.",
        )
    else:
        yield fine(what, f"the {len(facts.needed)} that are needed are there")
