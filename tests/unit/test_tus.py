"""Resumable uploads by tus 1.0, over fakes: what counts, what is refused, what is told."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace

import pytest

from eventing.contract import ObjectCreated
from eventing.errors import Unavailable
from functions.gateway.app import create
from functions.gateway.uploading import hold, resumable
from functions.jobs import layout, leases, naming
from functions.ports import MAX_PARTS
from tests.fakes import MemoryUploads
from tests.gateway import NO_LIMITS, Gateway
from tests.rawclient import Answer, RawClient

PART = 100
BODY = bytes(range(256)) * 2
TUS = {"tus-resumable": "1.0.0"}


class Tus:
    """A client of one tenant, with parts of a hundred bytes."""

    def __init__(self, gateway: Gateway | None = None, tenant: str = "acme") -> None:
        self.gateway = gateway or Gateway(part_bytes=PART)
        self.raw = RawClient(
            self.gateway.app, {"authorization": f"Bearer {self.gateway.key(tenant)}"}
        )

    def create(self, length: int | None = len(BODY), **changes: str) -> Answer:
        given = {"upload-metadata": metadata(filename="film.mp4")}
        told = {"upload-defer-length": "1"} if length is None else {"upload-length": str(length)}
        headers = {name.replace("_", "-"): text for name, text in changes.items()}
        return self.raw.send("POST", "/api/v1/tus", {**TUS, **given, **told, **headers})

    def begin(self, length: int | None = len(BODY), **changes: str) -> str:
        answer = self.create(length, **changes)
        assert answer.status == 201, answer.body
        return answer.headers["location"].removeprefix(self.gateway.settings.public_url)

    def patch(self, path: str, at: int, *pieces: bytes, drop: bool = False, **more: str) -> Answer:
        headers = {
            **TUS,
            "content-type": resumable.OFFSET_TYPE,
            "upload-offset": str(at),
            **({} if drop else {"content-length": str(sum(map(len, pieces)))}),
            **{name.replace("_", "-"): text for name, text in more.items()},
        }
        return self.raw.send("PATCH", path, headers, pieces, drop=drop)

    def head(self, path: str) -> Answer:
        return self.raw.send("HEAD", path, TUS)

    def offset(self, path: str) -> int:
        return int(self.head(path).headers["upload-offset"])

    def stored(self, path: str) -> bytes | None:
        """The object, None while there is none."""
        prefix = layout.uploaded_prefix("acme", path.rsplit("/", 1)[-1])
        keys = [info.key for info in self.gateway.store.list(prefix)]
        found = [key for key in keys if naming.is_source(key)]
        return self.gateway.store.get(found[0]) if found else None


def metadata(**given: str) -> str:
    return resumable.metadata_text(given)


def digest(algorithm: str, body: bytes) -> str:
    hashed = hashlib.new(algorithm, body).digest()
    return f"{algorithm} {base64.b64encode(hashed).decode()}"


def test_a_file_in_one_request_becomes_an_object_and_a_job() -> None:
    tus = Tus()
    path = tus.begin()
    answer = tus.patch(path, 0, BODY)
    assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(BODY)))
    assert tus.stored(path) == BODY
    (event,) = tus.gateway.events
    assert isinstance(event, ObjectCreated)
    assert event.size_bytes == len(BODY)
    assert event.key.endswith("/film.mp4")
    assert answer.headers["kinora-job"] == event.job
    assert answer.headers["kinora-job-location"].endswith(f"/api/v1/jobs/{event.job}")


def test_nothing_is_kept_of_an_upload_that_is_complete() -> None:
    tus = Tus()
    path = tus.begin()
    tus.patch(path, 0, BODY[:150], drop=True)
    tus.patch(path, 150, BODY[150:])
    assert list(tus.gateway.store.list(layout.WORK + "/uploading/")) == []
    assert list(tus.gateway.store.list(layout.WORK + "/tails/")) == []
    assert isinstance(tus.gateway.uploads, MemoryUploads)
    assert tus.gateway.uploads.begun() == set()
    assert not tus.gateway.state.held(leases.uploading(path.rsplit("/", 1)[-1]))


def test_bytes_that_came_before_a_connection_broke_are_kept() -> None:
    tus = Tus()
    path = tus.begin()
    for at, more in ((0, 37), (37, 63), (100, 199), (299, 1)):
        assert tus.offset(path) == at
        tus.patch(path, at, BODY[at : at + more], drop=True)
    assert tus.offset(path) == 300
    assert tus.stored(path) is None
    tus.patch(path, 300, BODY[300:])
    assert tus.stored(path) == BODY


def test_another_gateway_goes_on_where_one_stopped() -> None:
    one, other = Tus(), Tus()
    path = one.begin()
    one.patch(path, 0, BODY[:130], drop=True)
    other.raw = RawClient(create(one.gateway.world), one.raw.headers)
    assert other.offset(path) == 130
    other.patch(path, 130, BODY[130:])
    assert one.stored(path) == BODY


def test_what_a_client_asks_after_it_was_completed_is_answered() -> None:
    tus = Tus()
    path = tus.begin()
    job = tus.patch(path, 0, BODY).headers["kinora-job"]
    answer = tus.head(path)
    assert answer.status == 200
    assert answer.headers["upload-offset"] == answer.headers["upload-length"] == str(len(BODY))
    assert answer.headers["kinora-job"] == job
    assert tus.patch(path, len(BODY)).status == 409
    assert len(tus.gateway.events) == 1


def test_what_has_all_its_bytes_and_no_object_is_completed_by_asking() -> None:
    tus = Tus()
    path = tus.begin()

    def broken(event: object) -> None:
        raise Unavailable("no broker")

    working, tus.gateway.publish = tus.gateway.publish, broken
    assert tus.patch(path, 0, BODY).status == 503
    assert tus.head(path).status == 503
    tus.gateway.publish = working
    answer = tus.head(path)
    assert (answer.status, answer.headers["upload-offset"]) == (200, str(len(BODY)))
    assert [event.job for event in tus.gateway.events] == [answer.headers["kinora-job"]]


def test_bytes_from_another_place_than_where_it_is_are_a_conflict() -> None:
    tus = Tus()
    path = tus.begin()
    tus.patch(path, 0, BODY[:50])
    for wrong in (0, 49, 51):
        assert tus.patch(path, wrong, BODY[wrong:]).status == 409
    assert tus.offset(path) == 50


def test_more_bytes_than_were_announced_are_refused() -> None:
    tus = Tus()
    path = tus.begin(10)
    assert tus.patch(path, 0, b"elevenbytes").status == 413
    assert tus.offset(path) == 0
    headers = {**TUS, "content-type": resumable.OFFSET_TYPE, "upload-offset": "0"}
    assert tus.raw.send("PATCH", path, headers, [b"eleven", b"bytes"]).status == 413
    assert tus.offset(path) == 6


def test_a_request_that_finds_another_one_writing_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hold, "PATIENCE_S", 0.2)
    tus = Tus()
    path = tus.begin()
    upload = path.rsplit("/", 1)[-1]
    tus.gateway.state.acquire(leases.uploading(upload), "another", ttl_s=60)
    answer = tus.patch(path, 0, BODY)
    assert (answer.status, answer.headers["retry-after"]) == (409, "2")
    assert tus.gateway.state.held(leases.upload_wanted(upload))


def test_the_length_may_come_later() -> None:
    tus = Tus()
    path = tus.begin(None)
    assert tus.head(path).headers["upload-defer-length"] == "1"
    tus.patch(path, 0, BODY[:120])
    assert tus.patch(path, 120, BODY[120:200], upload_length=str(len(BODY))).status == 204
    assert tus.patch(path, 200, BODY[200:], upload_length="7").status == 409
    assert tus.patch(path, 200, BODY[200:]).headers["kinora-job"]
    assert tus.stored(path) == BODY


def test_an_upload_may_begin_with_its_bytes() -> None:
    tus = Tus()
    headers = {
        **TUS,
        "upload-length": str(len(BODY)),
        "upload-metadata": metadata(filename="film.mp4"),
        "content-type": resumable.OFFSET_TYPE,
    }
    answer = tus.raw.send("POST", "/api/v1/tus", headers, [BODY[:150]])
    assert (answer.status, answer.headers["upload-offset"]) == (201, "150")
    path = answer.headers["location"].removeprefix(tus.gateway.settings.public_url)
    tus.patch(path, 150, BODY[150:])
    assert tus.stored(path) == BODY


@pytest.mark.parametrize("algorithm", resumable.ALGORITHMS)
def test_a_body_that_is_not_what_its_checksum_says_does_not_count(algorithm: str) -> None:
    tus = Tus()
    path = tus.begin()
    first, second = BODY[:230], BODY[230:]
    right = digest(algorithm, first)
    assert tus.patch(path, 0, b"x" + first[1:], upload_checksum=right).status == 460
    assert tus.offset(path) == 0
    assert tus.patch(path, 0, first, upload_checksum=right).status == 204
    assert tus.patch(path, 230, b"x" * 282, upload_checksum=digest(algorithm, second)).status == 460
    assert tus.offset(path) == 230
    assert tus.patch(path, 230, second[:200], drop=True).status == 204
    assert tus.offset(path) == 430
    assert tus.patch(path, 430, second[200:]).headers["kinora-job"]
    assert tus.stored(path) == BODY


def test_of_a_body_with_a_checksum_that_broke_off_nothing_counts() -> None:
    tus = Tus()
    path = tus.begin()
    tus.patch(path, 0, BODY[:30])
    tus.patch(path, 30, BODY[30:333], drop=True, upload_checksum=digest("sha1", BODY[30:]))
    assert tus.offset(path) == 30
    tus.patch(path, 30, BODY[30:], upload_checksum=digest("sha1", BODY[30:]))
    assert tus.stored(path) == BODY


def test_options_in_the_metadata_lie_beside_the_object_before_it_is_there() -> None:
    tus = Tus()
    given = metadata(
        filename="a.mov", filetype="video/mp4", profile="fast", **{"kinora-priority": "3"}
    )
    path = tus.begin(upload_metadata=given)
    (sidecar,) = tus.gateway.store.list(layout.UPLOADS)
    assert sidecar.key.endswith("/a.mov.json")
    assert tus.gateway.store.get(sidecar.key) == b'{"priority":3,"profile":"fast"}'
    assert tus.head(path).headers["upload-metadata"] == given


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"profile": "none-such", "filename": "a.mp4"}, "profile_unknown"),
        ({"profile": "A B", "filename": "a.mp4"}, "options_invalid"),
        ({"kinora-priority": "high", "filename": "a.mp4"}, "options_invalid"),
        ({"filename": "a.mp4.part"}, "name_invalid"),
        ({"filename": "a.json"}, "name_invalid"),
    ],
)
def test_what_could_never_become_a_job_is_refused_at_once(
    given: Mapping[str, str], code: str
) -> None:
    tus = Tus()
    answer = tus.create(upload_metadata=resumable.metadata_text(given))
    assert answer.status == 422
    assert code in answer.body.decode()
    assert list(tus.gateway.store.list(layout.UPLOADING_PREFIX)) == []


def test_an_empty_file_and_one_that_is_too_large_are_refused() -> None:
    tus = Tus()
    assert tus.create(0).status == 422
    assert tus.create(tus.gateway.world.acceptance.max_source_bytes + 1).status == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"upload_length": "many"},
        {"upload_length": "-1"},
        {"upload_defer_length": "1"},
        {"upload_metadata": "filename %%%"},
        {"upload_metadata": "filename ZmlsbQ==,filename ZmlsbQ=="},
        {"upload_metadata": "filename \xe9"},
    ],
)
def test_headers_that_say_nothing_are_invalid(headers: dict[str, str]) -> None:
    assert Tus().create(len(BODY), **headers).status == 422


@pytest.mark.parametrize("text", ["", "sha1", "sha1 %%%", "sha1 \xff", "crc32 AAAA"])
def test_a_checksum_that_is_none_is_invalid(text: str) -> None:
    tus = Tus()
    assert tus.patch(tus.begin(), 0, BODY, upload_checksum=text).status == 422


def test_another_version_of_the_protocol_is_not_spoken() -> None:
    tus = Tus()
    answer = tus.raw.send("POST", "/api/v1/tus", {"upload-length": "1", "tus-resumable": "0.2"})
    assert (answer.status, answer.headers["tus-version"]) == (412, "1.0.0")


def test_a_patch_of_another_content_type_is_not_read() -> None:
    tus = Tus()
    assert tus.patch(tus.begin(), 0, BODY, content_type="video/mp4").status == 415


def test_what_is_spoken_can_be_asked_for_without_a_key() -> None:
    answer = RawClient(Gateway().app).send("OPTIONS", "/api/v1/tus", {})
    assert answer.status == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert "creation" in answer.headers["tus-extension"]
    assert "sha1" in answer.headers["tus-checksum-algorithm"]


def test_a_terminated_upload_leaves_nothing() -> None:
    tus = Tus()
    path = tus.begin(upload_metadata=metadata(filename="a.mp4", profile="fast"))
    tus.patch(path, 0, BODY[:150], drop=True)
    assert tus.raw.send("DELETE", path, TUS).status == 204
    assert tus.head(path).status == 404
    assert tus.patch(path, 150, BODY[150:]).status == 404
    for prefix in ("uploads/", "work/uploading/", "work/tails/"):
        assert list(tus.gateway.store.list(prefix)) == []


def test_clients_that_can_only_post_are_understood() -> None:
    tus = Tus()
    path = tus.begin()
    headers = {**TUS, "content-type": resumable.OFFSET_TYPE, "upload-offset": "0"}
    told = {**headers, "x-http-method-override": "PATCH"}
    assert tus.raw.send("POST", path, told, [BODY]).status == 204
    assert tus.stored(path) == BODY
    path = tus.begin()
    assert tus.raw.send("POST", path, {**TUS, "x-http-method-override": "DELETE"}).status == 204
    assert tus.raw.send("POST", path, TUS).status == 405


def test_an_upload_that_expired_is_not_found() -> None:
    tus = Tus()
    path = tus.begin()
    tus.gateway.clock.advance(tus.gateway.settings.upload_ttl_s + 1)
    assert tus.head(path).status == 404


def test_the_uploads_of_a_tenant_are_its_own() -> None:
    acme = Tus()
    path = acme.begin()
    other = Tus(acme.gateway, "other")
    assert other.head(path).status == 404
    assert other.patch(path, 0, BODY).status == 404
    assert other.raw.send("DELETE", path, TUS).status == 404
    acme.patch(path, 0, BODY)
    assert other.head(path).status == 404


def test_no_more_uploads_are_open_than_a_tenant_may_have() -> None:
    tus = Tus(Gateway(limits=replace(NO_LIMITS, open_uploads=2)))
    first = tus.begin()
    tus.begin()
    answer = tus.create()
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    tus.patch(first, 0, BODY)
    assert tus.create().status == 201


def test_as_many_uploads_as_a_process_takes_pass_through_it() -> None:
    tus = Tus(Gateway(receptions=1))
    path = tus.begin()
    with tus.gateway.app.state.places.one("acme"):
        answer = tus.patch(path, 0, BODY)
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert tus.patch(path, 0, BODY).status == 204


def test_an_upload_with_larger_parts_counts_for_several() -> None:
    tus = Tus(Gateway(part_bytes=PART, receptions=4))
    large, small = tus.begin(MAX_PARTS * PART * 2**14), tus.begin()
    with tus.gateway.app.state.places.one("other"):
        assert tus.patch(small, 0, BODY[:1]).status == 204
        assert tus.patch(large, 0, BODY[:1]).status == 503
    assert tus.patch(large, 0, BODY[:1]).status == 204
