"""Around every request: problems, limits, headers, ids and the log."""

from __future__ import annotations

import errno
import json
import logging
from typing import Any

import pytest
from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect

from eventing import log
from eventing.errors import Rejected, Unavailable
from eventing.publish import Refused
from functions.gateway.edge.envelope import BODY_BYTES, streams
from functions.gateway.edge.problem import Problem
from tests.fakes import MemoryUploads
from tests.gateway import Gateway


def gateway_with_trouble(**changes: Any) -> Gateway:
    """With routes that end in every way there is."""
    gateway = Gateway(**changes)
    router = APIRouter()

    @router.get("/trouble/{kind}")
    def trouble(kind: str) -> None:
        raise {
            "problem": Problem("gone", "It has expired."),
            "unavailable": Unavailable("redis://secret@host is away", retry_after_s=7),
            "rejected": Rejected("source_empty", "The file is empty."),
            "refused": Refused("the broker says 400: secret"),
            "defect": RuntimeError("secret"),
            "gone away": ClientDisconnect(),
            "no room": OSError(errno.EMFILE, "secret"),
        }[kind]

    @router.post("/stream")
    async def stream(request: Request, limit: int = 0) -> int:
        streams(request, limit_bytes=limit or None)
        return sum([len(piece) async for piece in request.stream()])

    gateway.app.include_router(router)
    return gateway


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("problem", 410, "gone"),
        ("unavailable", 503, "unavailable"),
        ("rejected", 422, "refused"),
        ("refused", 500, "internal"),
        ("defect", 500, "internal"),
        ("no room", 503, "unavailable"),
    ],
)
def test_whatever_goes_wrong_is_a_problem_that_gives_nothing_away(
    kind: str, status: int, code: str
) -> None:
    visitor = gateway_with_trouble().visitor(defects=True)
    answer = visitor.get(f"/trouble/{kind}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:kinora:problem:{code}"
    assert answer.json()["instance"] == f"/trouble/{kind}"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_away_says_when_to_come_again() -> None:
    answer = gateway_with_trouble().visitor().get("/trouble/unavailable")
    assert answer.headers["retry-after"] == "7"


def test_a_refusal_carries_its_code_and_sentence() -> None:
    body = gateway_with_trouble().visitor().get("/trouble/rejected").json()
    assert (body["code"], body["detail"]) == ("source_empty", "The file is empty.")


def test_what_is_wrong_in_a_request_is_named_field_by_field() -> None:
    asked = {"object": 3, "options": {"priority": 99}, "objekt": ""}
    body = Gateway().client().post("/api/v1/jobs", json=asked).json()
    fields = {each["field"] for each in body["errors"]}
    assert fields == {"body.object", "body.options.priority", "body.objekt"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"object": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"object": ' + b"1" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_none_is_invalid_and_no_defect(body: bytes) -> None:
    answer = (
        Gateway()
        .client()
        .post("/api/v1/jobs", content=body, headers={"content-type": "application/json"})
    )
    assert answer.status_code == 422
    assert answer.json()["type"].endswith(":invalid")


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b'{"object": "a"}', "application/x-www-form-urlencoded", "Content-Type: application/json"),
        (b'{"object" "a"}', "application/json", "no JSON: Expecting ':' delimiter at character 10"),
    ],
)
def test_a_body_that_is_not_read_says_what_it_lacks(body: bytes, kind: str, said: str) -> None:
    answer = Gateway().client().post("/api/v1/jobs", content=body, headers={"content-type": kind})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == "body"


@pytest.mark.parametrize("lying", [False, True])
def test_a_body_is_taken_up_to_a_limit_whatever_its_length_is_said_to_be(lying: bool) -> None:
    client = Gateway().client()
    body = b'"' + b"x" * BODY_BYTES + b'"'
    pieces = iter([body[:1000], body[1000:]])
    answer = client.post(
        "/api/v1/jobs",
        content=pieces if lying else body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 413
    assert answer.json()["type"].endswith(":too-large")


def test_a_route_may_stream_more_and_have_a_limit_of_its_own() -> None:
    visitor = gateway_with_trouble().visitor()
    body = b"x" * (3 * BODY_BYTES)
    assert visitor.post("/stream", content=body).json() == len(body)
    assert visitor.post(f"/stream?limit={len(body)}", content=body).json() == len(body)
    assert visitor.post(f"/stream?limit={len(body) - 1}", content=body).status_code == 413


def test_what_is_nowhere_is_not_found_and_what_cannot_be_done_says_what_can() -> None:
    visitor = Gateway().visitor()
    assert visitor.get("/nowhere").json()["type"].endswith(":not-found")
    answer = visitor.put("/api/v1/jobs")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert answer.json()["detail"] == "Allowed: GET, POST."


def test_pages_may_load_only_what_is_ours_and_be_framed_by_nobody() -> None:
    class Bucket(MemoryUploads):
        origin = "https://s3.example"

    answer = Gateway(uploads=Bucket).visitor().get("/sign-in")
    policy = answer.headers["content-security-policy"]
    rules = dict(each.split(" ", 1) for each in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["connect-src"] == "'self' https://s3.example"
    assert rules["media-src"] == "'self' blob:"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_every_answer_has_the_requests_id_ours_or_theirs_if_it_is_one() -> None:
    visitor = Gateway().visitor()
    assert visitor.get("/health", headers={"x-request-id": "a-1"}).headers["x-request-id"] == "a-1"
    for nonsense in ("a b", "x" * 65, '"', ""):
        given = visitor.get("/health", headers={"x-request-id": nonsense}).headers["x-request-id"]
        assert given != nonsense and len(given) == 16


def test_other_origins_are_shut_out_unless_a_setting_names_them() -> None:
    origin = {"origin": "https://app.example"}
    asking = {**origin, "access-control-request-method": "POST"}
    closed = Gateway().client()
    assert "access-control-allow-origin" not in closed.get("/api/v1/jobs", headers=origin).headers
    assert closed.options("/api/v1/jobs", headers=asking).status_code == 405

    opened = Gateway(origins=("https://app.example",)).client()
    answer = opened.get("/api/v1/jobs", headers=origin)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in answer.headers
    assert opened.options("/api/v1/jobs", headers=asking).status_code == 200
    elsewhere = {**asking, "origin": "https://evil.example"}
    assert opened.options("/api/v1/jobs", headers=elsewhere).status_code == 400


@pytest.mark.parametrize(
    "host", ["[::1", "elsewhere.example", "127.0.0.1@elsewhere.example", "127.1", "2130706433", ""]
)
def test_an_open_gateway_answers_to_names_of_this_machine_alone(host: str) -> None:
    visitor = Gateway(open_to="acme", public_url="").visitor()
    assert visitor.get("/api/v1/jobs", headers={"host": host}).status_code == 403
    for own in ("127.0.0.1", "LOCALHOST:80", "[::1]:80"):
        assert visitor.get("/api/v1/jobs", headers={"host": own}).status_code == 200


def test_a_request_with_two_lengths_is_the_last_of_its_connection() -> None:
    visitor = Gateway().visitor()
    both = {"transfer-encoding": "chunked", "content-length": "4"}
    assert visitor.post("/session", headers=both).headers["connection"] == "close"
    one = {"content-length": "0"}
    assert "connection" not in visitor.post("/session", headers=one).headers


def lines(caplog: pytest.LogCaptureFixture, logger: str) -> list[dict[str, Any]]:
    formatter = log.JsonFormatter()
    return [json.loads(formatter.format(each)) for each in caplog.records if each.name == logger]


EDGE = "functions.gateway.edge.envelope"


def test_every_request_leaves_one_line_that_says_who_what_and_how(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = Gateway()
    job = gateway.job()
    client = gateway.client()
    with caplog.at_level(logging.INFO, EDGE):
        client.get(f"/api/v1/jobs/{job}?secret=1")
        client.get("/health")
    (line,) = lines(caplog, EDGE)
    assert line["route"] == "/api/v1/jobs/{job}"
    assert line["path"] == f"/api/v1/jobs/{job}"
    assert (line["method"], line["status"], line["tenant"]) == ("GET", 200, "acme")
    assert line["subject"].startswith("key:")
    assert "secret" not in json.dumps(line)
    assert client.headers["authorization"] not in json.dumps(line)


def test_a_defect_is_logged_whole_under_the_requests_id(caplog: pytest.LogCaptureFixture) -> None:
    visitor = gateway_with_trouble().visitor(defects=True)
    with caplog.at_level(logging.INFO, EDGE):
        visitor.get("/trouble/defect", headers={"x-request-id": "r-1"})
    assert any(
        "RuntimeError" in (record.exc_text or str(record.exc_info)) for record in caplog.records
    )
    assert [line["status"] for line in lines(caplog, EDGE) if "status" in line] == [500]


@pytest.mark.parametrize("path", ["/media/TOKEN", "/media/TOKEN/job", "/media//TOKEN/job/x"])
def test_a_link_that_is_a_permission_is_not_logged_wherever_it_leads(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, EDGE):
        Gateway().visitor().get(path)
        Gateway(open_to="acme").visitor().get(path, headers={"host": "elsewhere.example"})
    assert [line["path"] for line in lines(caplog, EDGE)] == ["/media/"] * 2


def test_a_client_that_goes_away_is_no_defect(caplog: pytest.LogCaptureFixture) -> None:
    visitor = gateway_with_trouble().visitor(defects=True)
    with caplog.at_level(logging.INFO, EDGE):
        visitor.get("/trouble/gone away")
    assert [line["status"] for line in lines(caplog, EDGE)] == [499]


def test_metrics_count_by_route_whatever_is_asked_for() -> None:
    gateway = Gateway()
    client = gateway.client()
    for path in ("/api/v1/jobs/" + "0" * 32, "/api/v1/jobs/" + "1" * 32, "/x/1", "/x/2"):
        client.get(path)
    client.request("BREW", "/api/v1/jobs")
    text = client.get("/metrics").text
    assert 'requests_total{method="GET",route="/api/v1/jobs/{job}",status="404"} 2.0' in text
    assert 'requests_total{method="GET",route="none",status="404"} 2.0' in text
    assert 'method="other"' in text
    assert "acme" not in text and "0" * 32 not in text and "BREW" not in text


def test_metrics_say_what_is_open_and_waits() -> None:
    gateway = Gateway()
    for _ in range(3):
        gateway.job()
    gateway.store.put("work/parked/none/e", b"")
    now_ms = round(gateway.clock() * 1000)
    gateway.store.put(f"work/due/{now_ms - 1:015d}/acme/m", b"")
    gateway.store.put(f"work/due/{now_ms + 60_000:015d}/acme/m", b"")
    text = gateway.visitor().get("/metrics").text
    assert "\nkinora_jobs_open 3.0\n" in text
    assert "\nkinora_events_parked 1.0\n" in text
    assert "\nkinora_webhooks_due 1.0\n" in text


def test_metrics_may_be_kept_for_who_has_the_token() -> None:
    visitor = Gateway(metrics_token="t").visitor()
    assert visitor.get("/metrics").status_code == 401
    assert visitor.get("/metrics", headers={"authorization": "Bearer x"}).status_code == 401
    assert visitor.get("/metrics", headers={"authorization": "Bearer t"}).status_code == 200


def test_a_gateway_lives_though_what_it_needs_does_not_and_says_what() -> None:
    gateway = Gateway()
    visitor = gateway.visitor()
    assert visitor.get("/ready").json()["ready"] is True

    def away(*args: Any) -> Any:
        raise Unavailable("http://secret.internal does not answer")

    gateway.store.head = away  # type: ignore[method-assign, assignment]
    answer = visitor.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "object_store": "unreachable",
        "state_store": "ok",
        "broker": "ok",
    }
    assert "secret" not in answer.text
    assert visitor.get("/health").json() == {"alive": True}


def test_a_gateway_without_a_broker_says_so_and_is_still_of_use() -> None:
    gateway = Gateway()

    def away(*args: Any) -> Any:
        raise Unavailable("away")

    gateway.knock = away
    gateway.state.held = away  # type: ignore[method-assign, assignment]
    answer = gateway.visitor().get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"] == {
        "object_store": "ok",
        "state_store": "unreachable",
        "broker": "unreachable",
    }


def test_metrics_of_requests_are_there_though_storage_is_not() -> None:
    gateway = Gateway()

    def away(*args: Any, **options: Any) -> Any:
        raise Unavailable("away")

    gateway.store.list = away  # type: ignore[method-assign]
    answer = gateway.visitor().get("/metrics")
    assert answer.status_code == 200
    assert "\nkinora_jobs_open NaN\n" in answer.text
    assert (
        "kinora_gateway_request_duration_seconds_bucket" in gateway.visitor().get("/metrics").text
    )
