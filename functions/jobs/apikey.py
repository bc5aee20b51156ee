"""An API key, `work/tenants/<tenant>/keys/<id>`. The key itself is shown once and never kept.

Its text is `kinora_<tenant>_<id>_<secret>`: whoever is shown one knows whose it is and where its
record lies, and a scanner for leaked secrets knows it for what it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from functions.jobs import layout, record, swap
from functions.ports import ObjectStore

Scope = Literal["jobs:read", "jobs:write", "uploads:write", "webhooks:write", "profiles:read"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
_TEXT: Final = re.compile(r"kinora_([a-z0-9][a-z0-9-]{0,62})_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Whoever shows the text whose SHA-256 this is may do what `scopes` say."""

    id: str
    tenant: str
    sha256: str
    scopes: tuple[Scope, ...]
    name: str = ""
    created_s: float
    expires_s: float | None = None
    revoked_s: float | None = None

    def admits(self, text: str, *, now_s: float) -> bool:
        """True for the key's own text while it is neither revoked nor expired."""
        # The secret has 256 random bits: a fast hash gives nothing away.
        right = hmac.compare_digest(self.sha256, sha256_of(text))
        return right and self.revoked_s is None and not self.is_expired(now_s)

    def is_expired(self, now_s: float) -> bool:
        return self.expires_s is not None and self.expires_s <= now_s


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def issue(
    tenant: str,
    *,
    id_bytes: bytes,
    secret: bytes,
    scopes: Iterable[Scope],
    name: str = "",
    now_s: float,
    expires_s: float | None = None,
) -> tuple[str, ApiKey]:
    """A new key: its text, and the record of it. `id_bytes` and `secret` are random.

    Raises ValueError for what is no tenant, too few bytes, and a scope that does not exist.
    """
    if len(id_bytes) != ID_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError(f"an API key is made of {ID_BYTES} and {SECRET_BYTES} random bytes")
    asked = frozenset(scopes)
    if unknown := sorted(asked - set(SCOPES)):
        raise ValueError(f"there is no scope {unknown[0]!r}; there are {', '.join(SCOPES)}")
    spelled = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    text = f"kinora_{tenant}_{id_bytes.hex()}_{spelled}"
    if address(text) is None:
        raise ValueError(f"no tenant: {tenant!r}; it is of lower-case letters, digits and hyphens")
    return text, ApiKey(
        id=id_bytes.hex(),
        tenant=tenant,
        sha256=sha256_of(text),
        scopes=tuple(scope for scope in SCOPES if scope in asked),
        name=name,
        created_s=now_s,
        expires_s=expires_s,
    )


def address(text: str) -> tuple[str, str] | None:
    """Tenant and id in a key's text, None for what is no key."""
    found = _TEXT.fullmatch(text)
    return (found[1], found[2]) if found else None


def keep(store: ObjectStore, key: ApiKey) -> None:
    """Write the record of a new key. Raises ValueError where its id is taken."""
    if not record.create(store, layout.key(key.tenant, key.id), key):
        raise ValueError(f"there is a key {key.id} already")


def read(store: ObjectStore, tenant: str, key_id: str) -> ApiKey | None:
    """The record of a key, None where there is none."""
    return record.read(store, layout.key(tenant, key_id), ApiKey)


def of_tenant(store: ObjectStore, tenant: str) -> Iterator[ApiKey]:
    """Every key of a tenant, also the revoked ones, by id."""
    prefix = layout.keys_prefix(tenant)
    for info in store.list(prefix):
        found = read(store, tenant, info.key.removeprefix(prefix))
        if found is not None:
            yield found


def revoke(store: ObjectStore, tenant: str, key_id: str, *, now_s: float) -> ApiKey | None:
    """Let the key be good for nothing from now on; None where there is none. Again is harmless."""

    def revoked(key: ApiKey) -> ApiKey:
        return key if key.revoked_s is not None else replace(key, revoked_s=now_s)

    return swap.change(store, layout.key(tenant, key_id), ApiKey, revoked)
