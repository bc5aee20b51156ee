"""The Secrets that an installation refers to, and what is put into those that are missing."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Object = Mapping[str, Any]

PULL_KEY: Final = ".dockerconfigjson"
"""What a registry's Secret has."""
STORE_PREFIX: Final = "kinora-store-"
"""Followed by a function: its keys at the object store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A Secret that somebody needs."""

    namespace: str
    name: str
    keys: frozenset[str]
    """What has to be in it; empty where it is taken as a whole."""
    by: str
    """`<kind>/<name>` of one who needs it."""


def references(objects: Sequence[Object]) -> list[Reference]:
    """By name, those that are needed and not among the objects themselves."""
    given = {
        (each["metadata"].get("namespace", ""), each["metadata"]["name"])
        for each in objects
        if each["kind"] == "Secret"
    }
    keys: dict[tuple[str, str], set[str]] = {}
    by: dict[tuple[str, str], str] = {}
    for each in objects:
        namespace = each["metadata"].get("namespace", "")
        for name, key in _named(each.get("spec")):
            if not (isinstance(name, str) and isinstance(key, str)):
                continue  # the cluster refuses it, and says where it is
            at = (namespace, name)
            if at not in given:
                keys.setdefault(at, set()).update([key] if key else [])
                by.setdefault(at, f"{each['kind']}/{each['metadata']['name']}")
    return [
        Reference(namespace=at[0], name=at[1], keys=frozenset(found), by=by[at])
        for at, found in sorted(keys.items())
    ]


def made(name: str) -> dict[str, str] | None:
    """Fresh random contents of a Secret of ours, None for one that only its owner can know."""
    if name == "kinora-secrets":
        master = base64.b64encode(secrets.token_bytes(32)).decode()
        return {"master-key": master, "source-token": secrets.token_urlsafe(32)}
    if name == "minio-root":
        return {"access-key": "kinora-root", "secret-key": secrets.token_urlsafe(30)}
    if name.startswith(STORE_PREFIX):
        # At most 20 characters, says MinIO.
        user = f"{name.removeprefix(STORE_PREFIX)[:13]}-{secrets.token_hex(3)}"
        return {"access-key": user, "secret-key": secrets.token_urlsafe(30)}
    return None


def manifest(reference: Reference, contents: Mapping[str, str]) -> dict[str, Any]:
    """The Secret, as it is created."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": reference.name,
            "namespace": reference.namespace,
            "labels": {"app.kubernetes.io/part-of": "kinora"},
        },
        "type": "Opaque",
        "stringData": dict(contents),
    }


def lacking(reference: Reference, found: Object) -> list[str]:
    """Keys that are needed and are not in the Secret that is there."""
    return sorted(reference.keys - (found.get("data") or {}).keys())


def _named(value: Any) -> Iterator[tuple[Any, Any]]:
    """Names of Secrets with the key that is taken of each, "" for all; not the optional ones. None
    where a reference does not say it."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    if not isinstance(value, dict):
        return
    for member, inner in value.items():
        if member == "imagePullSecrets":
            yield from ((each.get("name"), PULL_KEY) for each in _dicts(inner))
            continue
        if member == "secretTargetRef":  # of KEDA
            yield from ((each.get("name"), each.get("key")) for each in _dicts(inner))
            continue
        if not isinstance(inner, dict) or inner.get("optional"):
            yield from _named(inner)
        elif member == "secretKeyRef":
            yield inner.get("name"), inner.get("key")
        elif member == "secretRef" and "name" in inner:
            yield inner["name"], ""
        elif member == "secret" and (inner.get("secretName") or inner.get("name")):
            name = inner.get("secretName") or inner["name"]
            items = _dicts(inner.get("items")) or [{"key": ""}]
            yield from ((name, item.get("key")) for item in items)
        else:
            yield from _named(inner)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
