"""What is an event although it looks odd, clause by clause."""

from __future__ import annotations

import json

import pytest

from eventing import codec
from eventing.cloudevent import CloudEvent

REQUIRED = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"}
EVENT = CloudEvent(id="1", source="/s", type="t")


def binary(body: bytes = b"", **headers: str) -> CloudEvent:
    return codec.decode(
        {**REQUIRED, **{name.replace("_", "-"): value for name, value in headers.items()}}, body
    )


def structured(content_type: str = codec.STRUCTURED, **members: object) -> CloudEvent:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **members}
    return codec.decode({"Content-Type": content_type}, json.dumps(event).encode())


def test_four_attributes_make_an_event() -> None:
    assert binary() == structured() == EVENT


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Euro € \N{GRINNING FACE}", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ('a "b" 100%', "a%20%22b%22%20100%25"),
        ("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~", "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ("\N{NO-BREAK SPACE}", "%C2%A0"),
        (" ", "%20"),
    ],
)
def test_a_value_is_percent_encoded_as_the_binding_says(value: str, header: str) -> None:
    message = codec.encode(CloudEvent(id="1", source="/s", type="t", subject=value))
    assert message.headers["ce-subject"] == header
    assert binary(ce_subject=header).subject == value


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("%e2%82%ac", "€"),
        ("%41%2d", "A-"),
        ("%2541", "%41"),
        ('"a b"', "a b"),
        ('"say \\"hi\\" \\\\ %41"', 'say "hi" \\ A'),
        ("a b", "a b"),
        (" \tx\t ", "x"),
    ],
)
def test_an_unusual_but_valid_header_is_decoded(header: str, value: str) -> None:
    assert binary(ce_subject=header).subject == value


def test_header_names_have_no_case() -> None:
    upper = {name.upper(): value for name, value in REQUIRED.items()}
    assert codec.decode({**upper, "CE-Note": "x"}, b"").extensions == {"note": "x"}


@pytest.mark.parametrize(
    "time",
    [
        "1985-04-12T23:20:50.52Z",
        "1996-12-19T16:39:57-08:00",
        "1990-12-31T23:59:60Z",
        "2024-02-29t00:00:00z",
        "0000-02-29T00:00:00+23:59",
        "2026-11-21T08:30:00.123456789012Z",
    ],
)
def test_every_rfc_3339_timestamp_is_a_time_and_stays_as_it_is_written(time: str) -> None:
    assert binary(ce_time=time).time == time


@pytest.mark.parametrize(
    "source",
    [
        "https://example.com:8080/a/b?c=d#e",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "mailto:someone@example.com",
        "1-555-123-4567",
        "//user:secret@[::1]:80/x",
        "?q",
        "#",
        "./a:b",
        "///x",
        "file:///x/y//z",
        "%C3%BC",
    ],
)
def test_every_uri_reference_is_a_source(source: str) -> None:
    event = CloudEvent(id="1", source=source, type="t")
    message = codec.encode(event)
    assert codec.decode(message.headers, message.body) == event


@pytest.mark.parametrize(
    ("member", "text"),
    [
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (2**31 - 1, "2147483647"),
        (-(2**31), "-2147483648"),
        ("5", "5"),
        ("", ""),
    ],
)
def test_an_extension_of_another_type_becomes_its_canonical_string(
    member: object, text: str
) -> None:
    assert structured(note=member).extensions == {"note": text}


def test_minus_zero_is_zero() -> None:
    body = b'{"specversion":"1.0","id":"1","source":"/s","type":"t","note":-0}'
    assert codec.decode({"content-type": codec.STRUCTURED}, body).extensions == {"note": "0"}


def test_a_member_that_is_null_is_unset() -> None:
    assert structured(subject=None, note=None, data_base64=None) == EVENT


def test_data_that_is_null_is_not_absent() -> None:
    assert structured(data=None).data == b"null"


def test_json_data_is_kept_as_it_is_written() -> None:
    data = b'{ "b" : 1.0e2,\n "a":[ ], "b":"\\u00fc" }'
    body = b'{"data":  %s  ,"specversion":"1.0","id":"1","source":"/s","type":"t"}' % data
    assert codec.decode({"content-type": codec.STRUCTURED}, body).data == data


def test_data_without_a_content_type_is_json_and_says_so_from_then_on() -> None:
    event = structured(data="I'm just a string")
    assert (event.datacontenttype, event.data) == (codec.JSON, b'"I\'m just a string"')


def test_text_data_is_the_text() -> None:
    event = structured(datacontenttype='text/xml; charset="UTF-8"', data="<wow ü='1'/>")
    assert event.data == "<wow ü='1'/>".encode()


def test_data_base64_is_the_bytes() -> None:
    event = structured(datacontenttype="image/png", data_base64="/wA=")
    assert event.data == b"\xff\x00"
    message = codec.encode(event, mode="structured")
    assert json.loads(message.body)["data_base64"] == "/wA="


def test_json_that_is_declared_but_broken_travels_as_bytes() -> None:
    event = CloudEvent(id="1", source="/s", type="t", datacontenttype=codec.JSON, data=b"{")
    message = codec.encode(event, mode="structured")
    assert json.loads(message.body)["data_base64"] == "ew=="
    assert codec.decode(message.headers, message.body) == event


def test_headers_beside_a_structured_event_are_not_read() -> None:
    body = codec.encode(EVENT, mode="structured").body
    headers = {"content-type": "Application/CloudEvents+JSON; Charset=UTF-8", "ce-id": "other"}
    assert codec.decode(headers, body) == EVENT


def test_an_event_inside_an_event_travels_structured() -> None:
    inner = codec.encode(EVENT, mode="structured")
    outer = CloudEvent(
        id="2", source="/s", type="t", datacontenttype=codec.STRUCTURED, data=inner.body
    )
    message = codec.encode(outer, mode="binary")
    assert codec.decode(message.headers, message.body) == outer


def test_a_body_of_64_kib_is_taken() -> None:
    assert len(binary(b"x" * 65_536).data or b"") == 65_536


def test_extensions_of_any_name_that_the_specification_allows_are_kept() -> None:
    extensions = {"extensions": "a", "properties": "b", "schema": "c", "0": "d", "x" * 40: "e"}
    event = CloudEvent(id="1", source="/s", type="t", extensions=extensions)
    for mode in ("binary", "structured"):
        message = codec.encode(event, mode=mode)
        assert codec.decode(message.headers, message.body) == event


@pytest.mark.parametrize(
    "event",
    [
        CloudEvent(id="", source="/s", type="t"),
        CloudEvent(id="1", source="/s", type="t", specversion="0.3"),
        CloudEvent(id="1", source="/s", type="t", subject="a\r\nx: y"),
        CloudEvent(id="1", source="/s", type="t", datacontenttype="text/plain\r\nx: y"),
        CloudEvent(id="1", source="/s", type="t", extensions={"a\r\nx": "y"}),
        CloudEvent(id="1", source="/s", type="t", extensions={"id": "2"}),
        CloudEvent(id="1", source="/s", type="t", subject="\ud800"),
    ],
    ids=["id", "specversion", "subject", "content-type", "name", "shadow", "surrogate"],
)
def test_an_event_that_breaks_a_rule_is_not_sent(event: CloudEvent) -> None:
    for mode in ("binary", "structured"):
        with pytest.raises(codec.Malformed):
            codec.encode(event, mode=mode)
