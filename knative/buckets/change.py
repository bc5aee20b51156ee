"""From how the buckets are to how they are to be: each step said, and taken where it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.adapters.s3.account import Buckets
from knative.buckets import access
from knative.buckets.denied import Denied
from knative.buckets.keep import Keep
from knative.buckets.wanted import CREATING, Bucket, Rule, wanted


class Service(Protocol):
    """What is needed of `knative.buckets.service.BucketService`. Methods raise Denied."""

    def is_minio(self) -> bool: ...
    def versioned(self, bucket: str) -> bool | None: ...
    def make(self, bucket: str) -> None: ...
    def keep_versions(self, bucket: str) -> None: ...
    def rules(self, bucket: str) -> Mapping[str, Rule | None]: ...
    def set_rules(self, bucket: str, rules: Sequence[Rule]) -> None: ...
    def told(self, bucket: str, arn: str) -> frozenset[str]: ...
    def tell(self, bucket: str, arn: str, events: Sequence[str]) -> None: ...
    def policy(self, name: str) -> Mapping[str, Any] | None: ...
    def set_policy(self, name: str, policy: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One step. `where` is a bucket or a policy."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Note:
    """What is not done here, and who does it."""

    text: str


def everything(
    service: Service, buckets: Buckets, tenants: Sequence[str], arn: str, keep: Keep, *, dry: bool
) -> Iterator[Change | Note]:
    """All steps, each taken before the next is said; with `dry` none is. Raises Denied.

    `tenants` are the buckets that sources are dropped in besides `uploads`; `arn` is who is told
    of new objects, "" nobody.
    """
    is_minio = service.is_minio()
    for bucket in wanted(buckets, tenants, keep, drops_parts=not is_minio):
        yield from of_bucket(service, bucket, arn, dry=dry)
    if not is_minio:
        yield Note(
            "Policies are not set here, this is no MinIO: `--policies <folder>` writes them as "
            "files, for whatever your service gives keys by."
        )
        return
    if keep.parts:
        yield Note(
            "MinIO drops uploads in parts by a setting of the server, not of buckets: "
            "MINIO_API_STALE_UPLOADS_EXPIRY, 24 hours by default."
        )
    try:
        yield from of_policies(service, access.policies(buckets, tenants), dry=dry)
    except Denied as denied:
        if denied.code != "AccessDenied":
            raise
        yield Note(
            "These keys may not manage policies: `--policies <folder>` writes them as files, for "
            "whoever may."
        )


def of_bucket(service: Service, bucket: Bucket, arn: str, *, dry: bool) -> Iterator[Change]:
    """What makes the bucket as it is to be; with `dry` nothing is done. `arn` "" tells nobody."""
    name = bucket.name
    versioned = service.versioned(name)
    absent = versioned is None
    if absent:
        yield Change(name, "made")
        if not dry:
            service.make(name)
    if bucket.versioned and not versioned:
        yield Change(name, "keeps versions")
        if not dry:
            service.keep_versions(name)
    # Nothing can be asked of a bucket that is not there yet.
    unknown = absent and dry
    rules = {} if unknown else service.rules(name)
    wanted = {rule.id: rule for rule in bucket.rules}
    changed = [rule for id_, rule in wanted.items() if rules.get(id_) != rule]
    dropped = sorted(rules.keys() - wanted.keys())
    yield from (Change(name, str(rule)) for rule in changed)
    yield from (Change(name, f"the rule {id_} is dropped") for id_ in dropped)
    if (changed or dropped) and not dry:
        service.set_rules(name, bucket.rules)
    if bucket.tells and arn:
        told = frozenset() if unknown else service.told(name, arn)
        if told != frozenset(CREATING):
            yield Change(name, f"tells {arn} of new objects")
            if not dry:
                service.tell(name, arn, CREATING)


def of_policies(
    service: Service, policies: Mapping[str, Mapping[str, Any]], *, dry: bool
) -> Iterator[Change]:
    """What makes the named policies say what they are to say."""
    for name, policy in policies.items():
        there = service.policy(name)
        if there is not None and _meaning(there) == _meaning(policy):
            continue
        yield Change(name, "policy made" if there is None else "policy changed")
        if not dry:
            service.set_policy(name, policy)


def _meaning(policy: Mapping[str, Any]) -> frozenset[str]:
    """Its statements, in whatever order they and what is in them were written."""
    return frozenset(
        json.dumps(
            {
                member: sorted(value) if isinstance(value, list) else value
                for member, value in statement.items()
            },
            sort_keys=True,
        )
        for statement in policy.get("Statement", ())
    )
