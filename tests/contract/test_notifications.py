"""What storages tell, and the events that it becomes: recorded from a real MinIO (`record.py`
beside the recordings), and written from what AWS and Ceph document."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.contract import ObjectCreated, identity
from eventing.envelope import unwrap, wrap
from eventing.sources import dialect
from eventing.sources.records import decoded
from eventing.sources.remark import Remark

FOLDER = Path(__file__).parent / "notifications"
RECORDED = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
BUCKETS = {"uploads": "uploads", "versions": "versions", "kinora-uploads": "uploads"}
JSON = {"content-type": "application/json"}


def heard(body: object, headers: Mapping[str, str] = JSON) -> list[ObjectCreated | Remark]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(dialect.read(headers, raw, BUCKETS))


def told(body: object, headers: Mapping[str, str] = JSON) -> list[ObjectCreated]:
    return [each for each in heard(body, headers) if isinstance(each, ObjectCreated)]


def remarks(body: object, headers: Mapping[str, str] = JSON) -> list[Remark]:
    return [each for each in heard(body, headers) if isinstance(each, Remark)]


def record(**changes: Any) -> Any:
    """That of a real put, with these members of its object changed."""
    copied = json.loads(json.dumps(RECORDED["minio-put"]["request"]["body"]))
    copied["Records"][0]["s3"]["object"] |= changes
    return copied


@pytest.mark.parametrize("name", RECORDED)
def test_a_notification_becomes_the_events_that_stand_beside_it(name: str) -> None:
    request, events = RECORDED[name]["request"], RECORDED[name]["events"]
    assert told(request["body"], request["headers"]) == [ObjectCreated(**each) for each in events]


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_told_twice_is_the_same_event_and_travels_as_the_contract_says(name: str) -> None:
    request = RECORDED[name]["request"]
    for first, again in zip(
        told(request["body"], request["headers"]),
        told(request["body"], request["headers"]),
        strict=True,
    ):
        assert identity(first) == identity(again)
        assert unwrap(wrap(first, producer="source", time="2026-01-01T00:00:00Z")) == first


def test_other_bytes_under_the_same_key_are_another_event() -> None:
    ids = {
        identity(each)
        for name in ("put", "replaced", "versioned-put", "versioned-replaced")
        for each in told(RECORDED[f"minio-{name}"]["request"]["body"])
    }
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("minio-tagging", "'ObjectCreated:PutTagging' makes no object"),
        ("minio-folder", "'acme/folder/' is a folder"),
        ("aws-test", "whether anybody listens"),
        ("sns-test", "whether anybody listens"),
        ("eventbridge-deleted", "'Object Deleted' makes no object"),
        ("ceph-multipart-begun", "may not be there yet"),
        ("cloudevent-other", "none of S3"),
    ],
)
def test_what_is_of_no_interest_is_remarked_and_is_not_wrong(name: str, complaint: str) -> None:
    request = RECORDED[name]["request"]
    (remark,) = remarks(request["body"], request["headers"])
    assert complaint in remark.text
    assert not remark.wrong


def test_whoever_asks_to_confirm_a_subscription_is_shown_to_a_person_and_not_called() -> None:
    request = RECORDED["sns-subscription"]["request"]
    (remark,) = remarks(request["body"], request["headers"])
    assert request["body"]["SubscribeURL"] in remark.text
    assert remark.wrong


def test_our_own_outputs_are_no_sources() -> None:
    body = record()
    body["Records"][0]["s3"]["bucket"]["name"] = "kinora-media"
    (remark,) = remarks(body)
    assert "'kinora-media'" in remark.text
    assert not remark.wrong


def test_one_record_that_is_wrong_does_not_spoil_the_others() -> None:
    request = RECORDED["aws-batch"]["request"]
    wrong = [remark.text for remark in remarks(request["body"]) if remark.wrong]
    assert len(wrong) == 1
    assert "`s3`" in wrong[0]


@pytest.mark.parametrize("etag", ['"abc"', "abc"])
@pytest.mark.parametrize("version", ["null", "", None])
def test_an_etag_has_no_quotes_and_an_unversioned_object_no_version(
    etag: str, version: str | None
) -> None:
    (event,) = told(record(eTag=etag, versionId=version))
    assert (event.etag, event.version) == ("abc", "")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("a%252Bb", "a%2Bb"),
        ("%C3%BC", "ü"),
        ("%c3%bc", "ü"),
        ("ü", "ü"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("..%2F..", "../.."),
    ],
)
def test_keys_are_decoded_as_s3_encodes_them(written: str, key: str) -> None:
    assert decoded(written) == key


@given(st.text().filter(str.isprintable))
def test_a_key_comes_through_whatever_it_is(key: str) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in key.encode()).replace("%20", "+")
    assert decoded(encoded) == key


JUNK: list[tuple[str, object]] = [
    ("nothing", b""),
    ("no JSON", b"{"),
    ("no UTF-8", b'{"Records": ["\xff"]}'),
    ("much nesting", b"[" * 100_000),
    ("a list", []),
    ("a number", 1),
    ("records that are none", {"Records": [1, None, [], {}]}),
    ("no records", {"Records": {}}),
    ("an etag of two lines", record(eTag="a\nb")),
    ("a version of two lines", record(versionId="a\nb")),
    ("a size below nothing", record(size=-1)),
    ("a size that is none", record(size="big")),
    ("a key that is too long", record(key="a" * 1025)),
    ("a key that is no UTF-8", record(key="%FF.mp4")),
    ("a key that is none", record(key=7)),
    ("a message that is none", {"TopicArn": "x", "Type": "Notification", "Message": 1}),
    ("a message of no kind", {"TopicArn": "x"}),
    ("a detail that is none", {"detail-type": "Object Created", "detail": []}),
]


@pytest.mark.parametrize(("_", "body"), JUNK)
def test_junk_is_remarked_as_wrong_and_nothing_is_raised(_: str, body: object) -> None:
    assert told(body) == []
    assert all(remark.wrong for remark in remarks(body))


def test_envelopes_without_end_are_not_opened_for_ever() -> None:
    body = json.dumps(record())
    for _ in range(5):
        body = json.dumps({"TopicArn": "x", "Type": "Notification", "Message": body})
    assert told(body.encode()) == []


def test_half_of_a_surrogate_pair_is_no_key() -> None:
    request = RECORDED["eventbridge-put"]["request"]["body"]
    raw = json.dumps(request).replace("acme/my", "\\ud800acme/my").encode()
    assert told(raw) == []


def values() -> st.SearchStrategy[Any]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
        ),
        max_leaves=10,
    )


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[dict[str, str], bytes]:
    """A notification with some member somewhere replaced, or taken away."""
    request = json.loads(json.dumps(RECORDED[draw(st.sampled_from(sorted(RECORDED)))]["request"]))
    places = list(_places(request["body"]))
    for _ in range(draw(st.integers(1, 3))):
        holder, name = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[name] = draw(values())
        elif isinstance(holder, dict):
            holder.pop(name, None)
    return request["headers"], json.dumps(request["body"]).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in list(inner):
        yield value, name
        if isinstance(each, dict | list):
            yield from _places(each)


@given(spoilt())
def test_no_notification_however_spoilt_raises_or_makes_an_event_that_cannot_travel(
    request: tuple[dict[str, str], bytes],
) -> None:
    headers, body = request
    for event in told(body, headers):
        sent = wrap(event, producer="source", time="2026-01-01T00:00:00Z")
        assert unwrap(sent) == event


@given(
    st.binary(max_size=200), st.sampled_from(["application/json", "application/cloudevents+json"])
)
def test_no_bytes_at_all_raise(body: bytes, content_type: str) -> None:
    heard(body, {"content-type": content_type})
    heard(base64.b64encode(body), {"content-type": content_type})
