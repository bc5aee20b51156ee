"""Who may use the gateway: keys, sessions and scopes, and an open one on this machine alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.testclient import TestClient

from functions.gateway.access import session
from functions.gateway.access.credentials import KEPT_S
from functions.gateway.access.limits import Limits
from functions.gateway.settings import Settings, is_loopback
from functions.jobs import apikey
from tests.gateway import NO_LIMITS, ORIGIN, Gateway

JOBS = "/api/v1/jobs"


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def signed_in(gateway: Gateway, key: str | None = None) -> TestClient:
    visitor = gateway.visitor()
    answer = visitor.post("/session", json={"key": key or gateway.key()})
    assert answer.status_code == 200
    return visitor


def test_a_valid_key_is_let_in_and_nothing_else_is() -> None:
    gateway = Gateway()
    visitor, key = gateway.visitor(), gateway.key()
    assert visitor.get(JOBS, headers=bearer(key)).status_code == 200
    for shown in (
        {},
        {"authorization": key},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {key}"},
        bearer(key[:-1] + ("A" if key[-1] != "A" else "B")),
        bearer("kinora_acme_" + "0" * 16 + "_" + "a" * 43),
        bearer("a.b.c"),
    ):
        answer = visitor.get(JOBS, headers=shown)
        assert answer.status_code == 401, shown
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_key_is_let_in_for_seconds_at_most() -> None:
    gateway = Gateway()
    key = gateway.key()
    visitor = gateway.visitor()
    assert visitor.get(JOBS, headers=bearer(key)).status_code == 200
    _, key_id = apikey.address(key) or ("", "")
    apikey.revoke(gateway.store, "acme", key_id, now_s=gateway.clock())
    gateway.clock.advance(KEPT_S)
    assert visitor.get(JOBS, headers=bearer(key)).status_code == 401


def test_an_expired_key_is_not_let_in_even_while_its_record_is_remembered() -> None:
    gateway = Gateway()
    key = gateway.key(ttl_s=KEPT_S / 2)
    assert gateway.visitor().get(JOBS, headers=bearer(key)).status_code == 200
    gateway.clock.advance(KEPT_S / 2)
    assert gateway.visitor().get(JOBS, headers=bearer(key)).status_code == 401


def test_a_key_may_do_what_its_scopes_say() -> None:
    gateway = Gateway()
    reader = gateway.client(scopes=["jobs:read"])
    assert reader.get(JOBS).status_code == 200
    refused = reader.post(JOBS, json={"object": gateway.film()})
    assert refused.status_code == 403
    assert refused.json()["scope"] == "jobs:write"
    assert not gateway.published


def test_a_session_is_let_in_by_a_cookie_that_scripts_and_other_sites_never_see() -> None:
    gateway = Gateway()
    visitor = gateway.visitor()
    key = gateway.key()
    answer = visitor.post("/session", json={"key": key})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert key.rpartition("_")[2] not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert visitor.get(JOBS).status_code == 200


def test_the_cookie_travels_by_https_alone_where_the_gateway_is_reached_so() -> None:
    gateway = Gateway(public_url="https://video.example")
    answer = gateway.visitor().post("/session", json={"key": gateway.key()})
    assert "Secure" in answer.headers["set-cookie"]


def test_a_session_ends_with_its_time_its_key_and_its_cookie() -> None:
    gateway = Gateway(session_ttl_s=60)
    first, key = signed_in(gateway), gateway.key()
    second, third = signed_in(gateway, key), signed_in(gateway)
    _, key_id = apikey.address(key) or ("", "")
    apikey.revoke(gateway.store, "acme", key_id, now_s=gateway.clock())
    gateway.clock.advance(KEPT_S)
    assert [each.get(JOBS).status_code for each in (first, second, third)] == [200, 401, 200]
    assert third.delete("/session").status_code == 204
    assert third.get(JOBS).status_code == 401
    gateway.clock.advance(60)
    assert first.get(JOBS).status_code == 401


@pytest.mark.parametrize("change", ["tenant", "time", "signature", "other master key"])
def test_a_cookie_that_was_tampered_with_is_none(change: str) -> None:
    gateway = Gateway()
    visitor = signed_in(gateway)
    tenant, key_id, expires, mac = visitor.cookies[session.COOKIE].split(".")
    text = {
        "tenant": f"other.{key_id}.{expires}.{mac}",
        "time": f"{tenant}.{key_id}.{int(expires) + 1}.{mac}",
        "signature": f"{tenant}.{key_id}.{expires}.{'A' * 43}",
        "other master key": visitor.cookies[session.COOKIE],
    }[change]
    if change == "other master key":
        gateway.world.sessions._keys = (b"x" * 32,)
    visitor.cookies.clear()
    answer = visitor.get(JOBS, headers={"cookie": f"{session.COOKIE}={text}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": ORIGIN}, True),
        ({"origin": "http://127.0.0.1:9999"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin", "origin": ORIGIN}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
    ],
)
def test_by_cookie_only_our_own_pages_may_change_anything(
    headers: Mapping[str, str], allowed: bool
) -> None:
    gateway = Gateway()
    visitor = signed_in(gateway)
    job = gateway.job()
    answer = visitor.post(f"{JOBS}/{job}/cancel", headers=dict(headers))
    assert answer.status_code == (200 if allowed else 403)
    assert bool(gateway.published) == allowed
    assert visitor.get(JOBS, headers=dict(headers)).status_code == 200


def test_a_page_elsewhere_cannot_sign_a_browser_in_or_out() -> None:
    gateway = Gateway()
    visitor = gateway.visitor()
    elsewhere = {"origin": "https://evil.example"}
    answer = visitor.post("/session", json={"key": gateway.key()}, headers=elsewhere)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert signed_in(gateway).delete("/session", headers=elsewhere).status_code == 403


def test_an_open_gateway_lets_in_whoever_calls_it_by_a_name_of_this_machine() -> None:
    gateway = Gateway(open_to="local", public_url="")
    for host in ("127.0.0.1:8080", "localhost", "localhost:1", "[::1]:8080", "127.8.8.8"):
        assert gateway.visitor().get(JOBS, headers={"host": host}).status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"):
        answer = gateway.visitor().get(JOBS, headers={"host": host})
        assert answer.status_code == 403, host


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_open_gateway_takes_nothing_from_pages_of_other_sites(method: str) -> None:
    gateway = Gateway(open_to="local")
    elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    answer = gateway.visitor().request(method, f"{JOBS}/x/cancel", headers=elsewhere)
    assert answer.status_code == 403


def test_an_open_gateway_does_not_take_a_wrong_key_for_none() -> None:
    gateway = Gateway(open_to="local")
    assert gateway.visitor().get(JOBS, headers=bearer("kinora_x")).status_code == 401


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.1.2.3", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_a_loopback_address_is_one_that_only_this_machine_reaches(
    host: str, loopback: bool
) -> None:
    assert is_loopback(host) == loopback


ENV = {
    "KINORA_STORE": "/s",
    "KINORA_STATE": "/t",
    "K_SINK": "http://broker",
    "KINORA_MASTER_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
}


def test_a_gateway_is_open_on_a_loopback_address_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="loopback"):
        Settings.read({**ENV, "KINORA_OPEN_TO": "local"})
    with pytest.raises(ValueError, match="loopback"):
        Settings.read({**ENV, "KINORA_OPEN_TO": "local", "KINORA_HOST": "192.168.1.1"})
    assert Settings.read({**ENV, "KINORA_OPEN_TO": "local", "KINORA_HOST": "127.0.0.1"}).open_to


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KINORA_PUBLIC_URL", "video.example"),
        ("KINORA_CORS_ORIGINS", "*"),
        ("KINORA_CORS_ORIGINS", "https://a.example/path"),
        ("KINORA_LIMIT_CALLER", "-1"),
        ("KINORA_SESSION_TTL_S", "0"),
        ("KINORA_JWT_JWKS", "https://idp.example/keys"),  # without an issuer
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name if "JWKS" not in name else "KINORA_JWT_ISSUER"):
        Settings.read({**ENV, name: value})


def test_more_requests_than_are_allowed_are_told_when_to_come_again() -> None:
    gateway = Gateway(limits=Limits(caller_per_minute=3, tenant_per_minute=0))
    client, other = gateway.client(), gateway.client()
    assert [client.get(JOBS).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = client.get(JOBS)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert other.get(JOBS).status_code == 200


def test_all_keys_of_a_tenant_together_have_a_limit_too() -> None:
    gateway = Gateway(limits=Limits(caller_per_minute=0, tenant_per_minute=2))
    answers = [gateway.client().get(JOBS).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
    assert gateway.client("other").get(JOBS).status_code == 200


def test_whoever_guesses_keys_is_slowed_down_and_no_one_else() -> None:
    gateway = Gateway(limits=Limits(guesses_per_minute=2))
    visitor = gateway.visitor()
    wrong = bearer("kinora_acme_" + "0" * 16 + "_" + "a" * 43)
    assert [visitor.get(JOBS, headers=wrong).status_code for _ in range(3)] == [401, 401, 429]
    assert gateway.client().get(JOBS).status_code == 200


def test_0_stands_for_no_limit() -> None:
    client = Gateway(limits=NO_LIMITS).client()
    assert {client.get("/api/v1/profiles").status_code for _ in range(20)} == {200}
