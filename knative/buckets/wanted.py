"""How the buckets are to be: versions of what is dropped, and an end for what is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eventing.sources import records
from functions.adapters.s3.account import Buckets
from functions.jobs import layout
from knative.buckets.keep import Keep

CREATING: Final = tuple(sorted(f"s3:{name}" for name in records.CREATING))
"""By name: `s3:ObjectCreated:*` is on MinIO also said of a change of tags."""
OURS: Final = "kinora-"
"""What the ids of our rules begin with; others are left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a bucket's lifecycle. Days of 0 mean: no such action."""

    id: str
    prefix: str = ""
    days: int = 0
    """After which objects go."""
    noncurrent_days: int = 0
    """After which versions go that were replaced or deleted, and then what marked the deletion."""
    parts_days: int = 0
    """After which uploads in parts are dropped that were never completed."""

    def __str__(self) -> str:
        where = f" below {self.prefix}" if self.prefix else ""
        if self.days:
            return f"objects{where} go after {self.days} days"
        if self.noncurrent_days:
            return f"replaced and deleted versions{where} go after {self.noncurrent_days} days"
        return f"uploads in parts{where} go when not completed after {self.parts_days} days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One bucket as it is to be."""

    name: str
    """As the service calls it."""
    versioned: bool
    rules: tuple[Rule, ...]
    tells: bool
    """Whether it notifies us of new objects."""


def wanted(
    buckets: Buckets, tenants: Sequence[str], keep: Keep, *, drops_parts: bool
) -> tuple[Bucket, ...]:
    """Every bucket. `tenants` are those that sources are dropped in besides `uploads`;
    `drops_parts` is whether the service has a rule for uploads that were not completed."""
    parts = _some(Rule(id=f"{OURS}parts", parts_days=keep.parts if drops_parts else 0))
    dropped_in = [
        Bucket(
            name=name,
            versioned=True,
            rules=(
                *_some(Rule(id=f"{OURS}noncurrent", noncurrent_days=keep.noncurrent)),
                *parts,
            ),
            tells=True,
        )
        for name in (buckets.real(layout.UPLOADS), *tenants)
    ]
    work = Bucket(
        name=buckets.real(layout.WORK),
        versioned=False,
        rules=(
            *_some(Rule(id=f"{OURS}sources", prefix="sources/", days=keep.sources)),
            *_some(Rule(id=f"{OURS}tails", prefix="tails/", days=keep.parts)),
            *parts,
        ),
        tells=False,
    )
    media = Bucket(name=buckets.real(layout.MEDIA), versioned=False, rules=parts, tells=False)
    return (*dropped_in, work, media)


def _some(rule: Rule) -> tuple[Rule, ...]:
    return (rule,) if rule.days or rule.noncurrent_days or rule.parts_days else ()
