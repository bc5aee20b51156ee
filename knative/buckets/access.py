"""What each function may do in which part of which bucket, and the policies that say so.

Functions that are not here need no store at all. A test runs them and checks that every call they
make is among these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal

from functions.adapters.s3.account import Buckets
from functions.jobs import layout

Right = Literal["read", "write", "delete"]

_ACTIONS: Final[Mapping[Right, tuple[str, ...]]] = {
    "read": ("s3:GetObject",),
    # What is large is written in parts, which are dropped when it fails.
    "write": ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"),
    "delete": ("s3:DeleteObject",),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """`rights` on the objects of a bucket whose keys match `keys`, in which `*` is anything."""

    bucket: str
    keys: str
    rights: tuple[Right, ...]

    def covers(self, key: str) -> bool:
        """True for a key of the port, which begins with the bucket."""
        return fnmatchcase(key, f"{self.bucket}/{self.keys}")


def _uploads(*rights: Right) -> Grant:
    """Also of the buckets that belong to tenants."""
    return Grant(layout.UPLOADS, "*", rights)


def _work(keys: str, *rights: Right) -> Grant:
    return Grant(layout.WORK, keys, rights)


def _media(*rights: Right) -> Grant:
    return Grant(layout.MEDIA, "*", rights)


_PROBE: Final = _work(".kinora/*", "read", "write")
"""Whoever writes on a condition tries first whether the service keeps to conditions."""

GRANTS: Final[Mapping[str, tuple[Grant, ...]]] = {
    "ingest": (
        _PROBE,
        _uploads("read"),
        _work("open/*", "read", "write"),
        _work("jobs/*", "read", "write"),
        _work("tenants/*/jobs/*", "read", "write"),
        _media("delete"),
    ),
    "chunker": (
        _PROBE,
        _uploads("read"),
        _work("open/*", "read"),
        _work("jobs/*", "read", "write"),
        _work("sources/*", "read", "write"),
        _work("rates.json", "read"),
        _media("delete"),
    ),
    "encoder": (
        _PROBE,
        _uploads("read"),
        _work("jobs/*", "read", "write"),
        _work("sources/*", "read", "write"),
        _media("read", "write", "delete"),
    ),
    "assembler": (
        _PROBE,
        _work("open/*", "read"),
        _work("jobs/*", "read", "write"),
        _work("rates.json", "read", "write"),
        _media("read", "write", "delete"),
    ),
    "notifier": (
        _PROBE,
        _work("open/*", "read", "delete"),
        _work("jobs/*", "read"),
        _work("tenants/*/endpoints/*", "read", "write"),
        _work("tenants/*/outbox/*", "read", "write", "delete"),
        _work("tenants/*/attempts/*", "read", "write", "delete"),
        _work("due/*", "read", "write", "delete"),
        _media("delete"),
    ),
    "sweeper": (
        _PROBE,
        # It also drops what uploads through the gateway left behind.
        _uploads("read", "write", "delete"),
        _work("open/*", "read", "delete"),
        _work("jobs/*", "read", "write"),
        _work("parked/*", "read", "delete"),
        _work("sweeps/*", "read", "write", "delete"),
        _work("uploading/*", "read", "write", "delete"),
        _work("tails/*", "read", "delete"),
        _media("delete"),
    ),
    "deadletter": (_PROBE, _work("parked/*", "write")),
    "gateway": (
        _PROBE,
        _work("ready", "read"),
        _uploads("read", "write", "delete"),
        _work("open/*", "read", "write"),
        _work("jobs/*", "read", "write"),
        _work("sources/*", "read"),
        _work("rates.json", "read"),
        _work("tenants/*", "read", "write", "delete"),
        _work("due/*", "read", "write", "delete"),
        _work("uploading/*", "read", "write", "delete"),
        _work("tails/*", "read", "write", "delete"),
        _media("read", "delete"),
    ),
}


def allows(function: str, right: Right, key: str) -> bool:
    """Whether a function may do this with an object."""
    grants = GRANTS.get(function, ())
    return any(right in grant.rights and grant.covers(key) for grant in grants)


def policies(buckets: Buckets, tenants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A policy for every function, by its name. `tenants` are buckets that sources are dropped in
    besides `uploads`."""
    return {
        policy_name(buckets, function): {
            "Version": "2012-10-17",
            "Statement": list(_statements(grants, buckets, tenants)),
        }
        for function, grants in GRANTS.items()
    }


def policy_name(buckets: Buckets, function: str) -> str:
    """`kinora-ingest`; several installations at one service have prefixes of their own."""
    return f"{buckets.prefix or 'kinora'}-{function}"


def _statements(
    grants: Sequence[Grant], buckets: Buckets, tenants: Sequence[str]
) -> Iterator[dict[str, Any]]:
    real = {
        layout.UPLOADS: [buckets.real(layout.UPLOADS), *tenants],
        layout.WORK: [buckets.real(layout.WORK)],
        layout.MEDIA: [buckets.real(layout.MEDIA)],
    }
    used = sorted({name for grant in grants for name in real[grant.bucket]})
    # Of the whole bucket: S3 says 403 instead of 404 of an object that is not there to whoever may
    # not list the bucket, whatever the prefix.
    yield _allow(("s3:ListBucket",), used)
    # What was begun and not completed is found by its key, and dropped.
    written = {name for grant in grants if "write" in grant.rights for name in real[grant.bucket]}
    if written:
        yield _allow(("s3:ListBucketMultipartUploads",), sorted(written))
    by_right: dict[Right, list[str]] = {}
    for grant in grants:
        for right in grant.rights:
            at = [f"{name}/{grant.keys}" for name in real[grant.bucket]]
            by_right.setdefault(right, []).extend(at)
    for right, resources in by_right.items():
        yield _allow(_ACTIONS[right], sorted(resources))


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": [f"arn:aws:s3:::{resource}" for resource in resources],
    }
