"""API keys: shown once, kept hashed, good for what they say and as long as they say."""

from __future__ import annotations

import hashlib

import pytest

from functions.jobs import apikey, layout
from functions.jobs.apikey import ApiKey
from tests.fakes import ManualClock, MemoryStore

NOW_S = 1_800_000_000.0


def issue(tenant: str = "acme", *, fill: bytes = b"a", **changes: object) -> tuple[str, ApiKey]:
    asked: dict[str, object] = {"scopes": apikey.SCOPES, "now_s": NOW_S, **changes}
    return apikey.issue(
        tenant,
        id_bytes=fill * apikey.ID_BYTES,
        secret=fill * apikey.SECRET_BYTES,
        **asked,  # type: ignore[arg-type]
    )


def test_the_text_of_a_key_says_whose_it_is_and_where_its_record_lies() -> None:
    text, key = issue("a-tenant")
    assert apikey.address(text) == ("a-tenant", key.id)
    assert text.startswith("kinora_a-tenant_")


def test_the_record_holds_the_hash_of_the_whole_text_and_nothing_of_the_secret() -> None:
    store = MemoryStore()
    text, key = issue()
    apikey.keep(store, key)
    kept = store.get(layout.key("acme", key.id))
    assert hashlib.sha256(text.encode()).hexdigest().encode() in kept
    assert text.rpartition("_")[2].encode() not in kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kinora_",
        "kinora_acme_00",
        f"kinora_ACME_{'0' * 16}_{'a' * 43}",
        f"kinora_../x_{'0' * 16}_{'a' * 43}",
        f"kinora_acme_{'0' * 16}_{'a' * 43}\n",
        f"kinora_acme_{'0' * 16}_{'a' * 44}",
        f"Kinora_acme_{'0' * 16}_{'a' * 43}",
    ],
)
def test_what_is_no_key_has_no_address(text: str) -> None:
    assert apikey.address(text) is None


def test_a_key_admits_its_own_text_alone() -> None:
    text, key = issue()
    other, _ = issue(fill=b"b")
    assert key.admits(text, now_s=NOW_S)
    assert not key.admits(other, now_s=NOW_S)
    assert not key.admits(text[:-1], now_s=NOW_S)


def test_a_key_ends_at_its_time() -> None:
    text, key = issue(expires_s=NOW_S + 10)
    assert key.admits(text, now_s=NOW_S + 9)
    assert not key.admits(text, now_s=NOW_S + 10)


def test_a_revoked_key_admits_nothing_and_stays_revoked() -> None:
    store = MemoryStore()
    clock = ManualClock()
    text, key = issue()
    apikey.keep(store, key)
    assert apikey.revoke(store, "acme", key.id, now_s=clock()) is not None
    clock.advance(5)
    again = apikey.revoke(store, "acme", key.id, now_s=clock())
    assert again is not None and again.revoked_s == clock() - 5
    assert not again.admits(text, now_s=clock())
    (listed,) = apikey.of_tenant(store, "acme")
    assert listed == again


def test_there_is_nothing_to_revoke_where_there_is_no_key() -> None:
    assert apikey.revoke(MemoryStore(), "acme", "0" * 16, now_s=0) is None


def test_keys_are_listed_by_tenant() -> None:
    store = MemoryStore()
    for tenant, fill in (("acme", b"a"), ("acme", b"b"), ("acme-2", b"c")):
        apikey.keep(store, issue(tenant, fill=fill)[1])
    assert {key.tenant for key in apikey.of_tenant(store, "acme")} == {"acme"}
    assert len(list(apikey.of_tenant(store, "acme"))) == 2


def test_an_id_is_given_once() -> None:
    store = MemoryStore()
    apikey.keep(store, issue()[1])
    with pytest.raises(ValueError, match="already"):
        apikey.keep(store, issue()[1])


def test_scopes_are_those_that_exist_each_once() -> None:
    _, key = issue(scopes=["jobs:write", "jobs:read", "jobs:read"])
    assert key.scopes == ("jobs:read", "jobs:write")
    with pytest.raises(ValueError, match="there is no scope 'all'"):
        issue(scopes=["all"])


@pytest.mark.parametrize("tenant", ["", "Acme", "a_b", "-a", "a/b", "a" * 64])
def test_a_key_is_a_tenants(tenant: str) -> None:
    with pytest.raises(ValueError, match="no tenant"):
        issue(tenant)


def test_a_key_has_all_its_random_bytes() -> None:
    with pytest.raises(ValueError, match="random bytes"):
        apikey.issue("acme", id_bytes=b"1", secret=b"2", scopes=(), now_s=0)
