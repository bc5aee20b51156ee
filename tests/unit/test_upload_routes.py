"""Uploads by requests, over fakes: what is begun, what comes of it, and whose it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from eventing.contract import ObjectCreated
from eventing.errors import Unavailable
from functions.jobs import layout
from functions.jobs.intake import Intake
from functions.ports import Part
from tests.fakes import MemoryUploads
from tests.gateway import Gateway

BODY = bytes(range(256)) * 2


def _begin(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/uploads", json={"name": "film.mp4", **asked})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/uploads/{found['upload']}"
    return found


def test_a_whole_file_becomes_an_object_and_a_job() -> None:
    gateway = Gateway(part_bytes=100)
    client = gateway.client()
    made = _begin(client, method="direct", size_bytes=len(BODY), options={"profile": "fast"})
    assert (made["state"], made["job"], made["offset_bytes"]) == ("open", None, 0)
    answer = client.put(made["links"]["content"], content=BODY)
    assert answer.status_code == 200
    done = answer.json()
    (event,) = gateway.events
    assert isinstance(event, ObjectCreated)
    assert (done["state"], done["job"], done["size_bytes"]) == ("completed", event.job, len(BODY))
    assert gateway.store.get(done["object"]) == BODY
    assert gateway.store.get(f"{done['object']}.json") == b'{"profile":"fast"}'
    assert client.get(made["links"]["self"]).json() == done
    assert client.post(made["links"]["complete"]).json() == done
    assert len(gateway.events) == 1
    assert list(gateway.store.list(layout.UPLOADING_PREFIX)) == []


def test_a_file_of_another_size_than_was_announced_is_no_object() -> None:
    gateway = Gateway(part_bytes=100)
    client = gateway.client()
    made = _begin(client, method="direct", size_bytes=len(BODY))
    assert client.put(made["links"]["content"], content=BODY[:-1]).status_code == 409
    assert client.put(made["links"]["content"], content=BODY + b"x").status_code == 413
    assert client.put(made["links"]["content"], content=b"").status_code == 422
    assert gateway.events == []
    assert client.put(made["links"]["content"], content=BODY).status_code == 200


def test_without_a_size_the_end_of_the_body_is_the_end_of_the_file() -> None:
    gateway = Gateway(part_bytes=100)
    client = gateway.client()
    made = _begin(client, method="direct")
    pieces = (BODY[at : at + 33] for at in range(0, len(BODY), 33))
    done = client.put(made["links"]["content"], content=pieces).json()
    assert gateway.store.get(done["object"]) == BODY


def test_an_upload_that_is_begun_here_goes_on_by_tus() -> None:
    gateway = Gateway()
    client = gateway.client()
    made = _begin(client, size_bytes=len(BODY))
    assert made["method"] == "tus"
    headers = {
        "tus-resumable": "1.0.0",
        "content-type": "application/offset+octet-stream",
        "upload-offset": "0",
    }
    answer = client.patch(made["links"]["tus"], content=BODY, headers=headers)
    assert answer.status_code == 204
    shown = client.get(made["links"]["self"]).json()
    assert (shown["state"], shown["job"]) == ("completed", answer.headers["kinora-job"])


@pytest.mark.parametrize("method", ["post", "multipart"])
def test_a_store_that_clients_cannot_reach_says_what_to_use(method: str) -> None:
    asked = {"name": "film.mp4", "method": method, "size_bytes": 9}
    answer = Gateway().client().post("/api/v1/uploads", json=asked)
    assert answer.status_code == 422
    assert "`tus`" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"name": ""}, 422, None),
        ({"name": "a.json"}, 422, "name_invalid"),
        ({"name": "a.mp4", "size_bytes": 0}, 422, "source_empty"),
        ({"name": "a.mp4", "size_bytes": -1}, 422, None),
        ({"name": "a.mp4", "size_bytes": 2**50}, 413, None),
        ({"name": "a.mp4", "options": {"profile": "none-such"}}, 422, "profile_unknown"),
        ({"name": "a.mp4", "options": {"colour": "red"}}, 422, None),
        ({"name": "a.mp4", "method": "carrier pigeon"}, 422, None),
        ({"name": "a.mp4", "content_type": "video/mp4\nx: y"}, 422, None),
    ],
)
def test_what_could_never_become_a_job_is_refused_at_once(
    asked: dict[str, Any], status: int, code: str | None
) -> None:
    gateway = Gateway()
    answer = gateway.client().post("/api/v1/uploads", json=asked)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert list(gateway.store.list(layout.UPLOADING_PREFIX)) == []


def test_the_same_key_begins_one_upload() -> None:
    gateway = Gateway()
    client = gateway.client()
    client.headers["idempotency-key"] = "once"
    assert _begin(client) == _begin(client)
    assert len(list(gateway.store.list(layout.UPLOADING_PREFIX))) == 1


class Rivals(MemoryUploads):
    """Something else happens to an upload while it is looked at, once."""

    meanwhile: Callable[[], object] | None = None

    def parts(self, key: str, upload: str) -> Sequence[Part]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().parts(key, upload)


def test_requests_that_complete_an_upload_at_the_same_time_are_answered_the_same() -> None:
    gateway = Gateway(uploads=Rivals, part_bytes=100)
    client, uploads = gateway.client(), gateway.uploads
    assert isinstance(uploads, Rivals)
    made = _begin(client, size_bytes=5)
    found = Intake(gateway.store, uploads).find("acme", made["upload"])
    assert found is not None
    uploads.write(made["object"], found.uploading.upload, 1, b"films", offset_bytes=0)
    uploads.meanwhile = lambda: answers.append(client.post(made["links"]["complete"]))
    answers: list[Any] = []
    answers.append(client.post(made["links"]["complete"]))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_an_upload_that_is_dropped_while_it_is_completed_is_gone() -> None:
    gateway = Gateway(uploads=Rivals)
    client, uploads = gateway.client(), gateway.uploads
    assert isinstance(uploads, Rivals)
    made = _begin(client, size_bytes=5)
    uploads.meanwhile = lambda: client.delete(made["links"]["self"])
    assert client.post(made["links"]["complete"]).status_code == 410


def test_an_aborted_upload_is_gone() -> None:
    gateway = Gateway()
    client = gateway.client()
    made = _begin(client, method="direct", options={"priority": 1})
    assert client.delete(made["links"]["self"]).status_code == 204
    for answer in (
        client.get(made["links"]["self"]),
        client.delete(made["links"]["self"]),
        client.post(made["links"]["complete"]),
        client.put(made["links"]["content"], content=BODY),
    ):
        assert answer.status_code == 404
    assert list(gateway.store.list(layout.UPLOADS)) == []
    assert isinstance(gateway.uploads, MemoryUploads)
    assert gateway.uploads.begun() == set()


def test_a_complete_upload_cannot_be_aborted_or_written() -> None:
    client = Gateway().client()
    made = _begin(client, method="direct")
    client.put(made["links"]["content"], content=BODY)
    assert client.delete(made["links"]["self"]).status_code == 409
    assert client.put(made["links"]["content"], content=BODY).status_code == 409


def test_each_way_takes_its_own_uploads() -> None:
    client = Gateway().client()
    tus = _begin(client)["links"]["self"]
    assert client.put(f"{tus}/content", content=BODY).status_code == 409
    assert client.post(f"{tus}/parts", json={"numbers": [1]}).status_code == 409
    assert client.post(f"{tus}/complete").status_code == 409


def test_what_the_broker_did_not_take_is_told_when_it_is_asked_for() -> None:
    gateway = Gateway()
    client = gateway.client()
    made = _begin(client, method="direct")

    def broken(event: object) -> None:
        raise Unavailable("no broker")

    working, gateway.publish = gateway.publish, broken
    assert client.put(made["links"]["content"], content=BODY).status_code == 503
    gateway.publish = working
    done = client.get(made["links"]["self"]).json()
    assert (done["state"], done["job"]) == ("completed", gateway.events[0].job)


def test_the_uploads_of_a_tenant_are_its_own() -> None:
    gateway = Gateway()
    made = _begin(gateway.client("acme"), method="direct")
    other = gateway.client("other")
    for answer in (
        other.get(made["links"]["self"]),
        other.delete(made["links"]["self"]),
        other.post(made["links"]["complete"]),
        other.post(f"{made['links']['self']}/parts", json={"numbers": [1]}),
        other.put(made["links"]["content"], content=BODY),
    ):
        assert answer.status_code == 404


def test_uploading_takes_its_scope() -> None:
    client = Gateway().client(scopes=("jobs:read",))
    assert client.post("/api/v1/uploads", json={"name": "film.mp4"}).status_code == 403
