"""What is no event, by the clause that says so, and what it is answered with.

CE = CloudEvents 1.0.2 core, HTTP = its HTTP binding, JSON = its JSON format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest

from eventing import codec

SECRET = "hunter2"
"""Stands in values that are wrong: no reason may repeat it."""

Pairs = Sequence[tuple[str, str]]

REQUIRED: Pairs = (
    ("ce-specversion", "1.0"),
    ("ce-id", "1"),
    ("ce-source", "/s"),
    ("ce-type", "t"),
)
STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True)
class Case:
    clause: str
    headers: Pairs
    body: bytes
    status: int


def binary(
    clause: str, *extra: tuple[str, str], without: str = "", body: bytes = b"", status: int = 400
) -> Case:
    replaced = {name for name, _ in extra} | {without}
    headers = [pair for pair in REQUIRED if pair[0] not in replaced]
    return Case(clause, [*headers, *extra], body, status)


def doubled(clause: str, *extra: tuple[str, str]) -> Case:
    return Case(clause, [*REQUIRED, *extra], b"", 400)


def structured(
    clause: str,
    body: bytes | None = None,
    *,
    content_type: str = STRUCTURED,
    without: str = "",
    status: int = 400,
    **members: object,
) -> Case:
    if body is None:
        event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **members}
        if without:
            event.pop(without)
        body = json.dumps(event).encode()
    return Case(clause, [("content-type", content_type)], body, status)


def member(clause: str, name: str, value: object) -> Case:
    body = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", name: value}
    return Case(clause, [("content-type", STRUCTURED)], json.dumps(body).encode(), 400)


ENVELOPE = b'"specversion":"1.0","id":"1","source":"/s","type":"t"'

CASES = (
    # The message as a whole.
    Case("HTTP 3: nothing that says event", [("content-type", "application/json")], b"{}", 400),
    Case("HTTP 3: no headers at all", [], b"", 400),
    binary("CE size limits: body over 64 KiB", body=b"x" * 65_537, status=413),
    structured("CE size limits: structured body over 64 KiB", b" " * 65_537, status=413),
    binary("CE size limits: attributes over 16 KiB", ("ce-note", "x" * 16_384), status=413),
    structured("CE size limits: members over 16 KiB", note="x" * 16_384, status=413),
    structured("HTTP 3.3: a batch", b"[]", content_type="application/cloudevents-batch+json",
               status=415),
    structured("HTTP 3.3: a batch by a bare prefix", b"[]",
               content_type="application/cloudevents-batch", status=415),
    structured("HTTP 3.3: a batch in capitals", b"[]",
               content_type="Application/CloudEvents-Batch+JSON; charset=utf-8", status=415),
    structured("HTTP 1.4: another event format", content_type="application/cloudevents+avro",
               status=415),
    structured("HTTP 1.4: no event format", content_type="application/cloudevents", status=415),
    structured("HTTP 1.4: XML", b"<event/>", content_type="application/cloudevents+xml",
               status=415),
    structured("HTTP 3.2.1: another charset",
               content_type="application/cloudevents+json; charset=utf-16", status=415),
    doubled("HTTP 3.1.1: two content types", ("content-type", "text/plain"),
            ("Content-Type", "application/json")),
    # Required attributes.
    *(binary(f"CE required attributes: no {name}", without=f"ce-{name}")
      for name in ("id", "source", "type", "specversion")),
    *(structured(f"CE required attributes: structured without {name}", without=name)
      for name in ("id", "source", "type", "specversion")),
    *(member(f"JSON 2.2: {name} is null, so unset", name, None)
      for name in ("id", "source", "type", "specversion")),
    *(binary(f"CE {name}: empty", (f"ce-{name}", ""))
      for name in ("id", "source", "type", "specversion")),
    *(member(f"CE {name}: empty in structured mode", name, "")
      for name in ("id", "source", "type", "specversion")),
    binary("CE specversion: 0.3", ("ce-specversion", "0.3")),
    binary("CE specversion: 1.0.2", ("ce-specversion", "1.0.2")),
    structured("CE specversion: 2.0", specversion="2.0"),
    binary("CE source: no URI-reference, a space", ("ce-source", f"/a%20{SECRET}")),
    binary("CE source: no URI-reference, a half escape", ("ce-source", f"/{SECRET}%254")),
    binary("CE source: no URI-reference, not ASCII", ("ce-source", f"/%C3%BC{SECRET}")),
    binary("CE source: no URI-reference, a scheme that starts with a digit",
           ("ce-source", f"1{SECRET}:x")),
    binary("CE source: no URI-reference, a port in letters", ("ce-source", f"//h:{SECRET}/")),
    structured("CE source: no URI-reference in structured mode", source=f"<{SECRET}>"),
    # Optional attributes.
    binary("CE subject: empty", ("ce-subject", "")),
    structured("CE subject: empty in structured mode", subject=""),
    *(binary(f"CE time: {why}", ("ce-time", time)) for why, time in (
        ("a date", "2026-11-21"), ("no offset", "2026-11-21T08:30:00"),
        ("a space for the T", "2026-11-21%2008:30:00Z"), ("month 13", "2026-13-01T00:00:00Z"),
        ("30 February", "2026-02-30T00:00:00Z"), ("hour 24", "2026-11-21T24:00:00Z"),
        ("second 61", "2026-11-21T08:30:61Z"), ("offset of 24 hours", "2026-11-21T08:30:00+24:00"),
        ("other digits", "%D9%A2026-11-21T08:30:00Z"), ("POSIX seconds", "1795249800"),
        ("empty", ""), ("in words", SECRET),
    )),
    structured("CE time: a number", time=1795249800),
    binary("CE dataschema: empty", ("ce-dataschema", "")),
    binary("CE dataschema: relative", ("ce-dataschema", f"/schemas/{SECRET}")),
    binary("CE dataschema: no URI", ("ce-dataschema", "https://h/%22")),
    binary("CE datacontenttype: no subtype", ("content-type", SECRET), body=b"x"),
    binary("CE datacontenttype: a parameter without value", ("content-type", "text/plain; q"),
           body=b"x"),
    binary("CE datacontenttype: empty", ("content-type", ""), body=b"x"),
    structured("CE datacontenttype: no media type", datacontenttype=SECRET, data=1),
    structured("CE datacontenttype: a line feed inside",
               datacontenttype="text/plain\nx: y", data="a"),
    # Names.
    binary("CE naming conventions: a hyphen", ("ce-my-name", SECRET)),
    binary("CE naming conventions: an underscore", ("ce-my_name", SECRET)),
    binary("CE naming conventions: no name", ("ce-", SECRET)),
    binary("CE naming conventions: an attribute named data", ("ce-data", SECRET)),
    binary("CE naming conventions: not ASCII", ("ce-n\xe4me", SECRET)),
    structured("CE naming conventions: a capital", Note=SECRET),
    member("CE naming conventions: a dot", "my.name", SECRET),
    member("CE naming conventions: no name in structured mode", "", SECRET),
    member("CE naming conventions: not ASCII in structured mode", "n\xe4me", SECRET),
    # Characters.
    binary("CE type system: a NUL", ("ce-subject", f"{SECRET}%00")),
    binary("CE type system: a line feed", ("ce-subject", f"{SECRET}%0A")),
    binary("CE type system: a C1 control", ("ce-subject", f"{SECRET}%C2%85")),
    binary("CE type system: a noncharacter", ("ce-subject", f"{SECRET}%EF%BF%BE")),
    binary("CE type system: a noncharacter of a high plane", ("ce-note", "%F4%8F%BF%BF")),
    structured("CE type system: a control in structured mode", subject=f"{SECRET}\u0007"),
    structured("CE type system: half a surrogate pair", subject="\udead"),
    structured("CE type system: a noncharacter in structured mode", note="\ufdd0"),
    # The binding of values to headers.
    doubled("HTTP 3.1.3: an attribute twice", ("CE-ID", "2")),
    doubled("HTTP 3.1.3: an extension twice", ("ce-note", "a"), ("ce-note", "a")),
    binary("HTTP 3.1.1: a ce-datacontenttype header", ("ce-datacontenttype", "text/plain")),
    binary("HTTP 3.1.3.2: overlong UTF-8", ("ce-subject", "%C0%A0")),
    binary("HTTP 3.1.3.2: UTF-8 that ends early", ("ce-subject", f"{SECRET}%E2%82")),
    binary("HTTP 3.1.3.2: a surrogate as UTF-8", ("ce-subject", "%ED%A0%80")),
    binary("HTTP 3.1.3.2: beyond Unicode", ("ce-subject", "%F4%90%80%80")),
    binary("HTTP 3.1.3.2: a percent sign at the end", ("ce-subject", f"{SECRET}%")),
    binary("HTTP 3.1.3.2: one hex digit", ("ce-subject", f"{SECRET}%4")),
    binary("HTTP 3.1.3.2: no hex digits", ("ce-subject", f"%zz{SECRET}")),
    binary("HTTP 3.1.3.2: a raw byte that is not ASCII", ("ce-subject", f"{SECRET}\xe9")),
    binary("HTTP 3.1.3.2: a raw control character", ("ce-subject", f"{SECRET}\x01")),
    binary("HTTP 3.1.3.2: a raw line break", ("ce-subject", f"{SECRET}\r\nx: y")),
    binary("HTTP 3.1.3.2: a bare double quote", ("ce-subject", f'a"{SECRET}"')),
    binary("HTTP 3.1.3.2: a quoted string without end", ("ce-subject", f'"{SECRET}')),
    binary("HTTP 3.1.3.2: more behind a quoted string", ("ce-subject", f'"a" {SECRET}')),
    binary("HTTP 3.1.3.2: a quoted string that ends in a backslash", ("ce-subject", '"a\\"')),
    # The JSON format.
    structured("JSON 3: an empty body", b""),
    structured("JSON 3: no JSON", b"{" + ENVELOPE),
    structured("JSON 3: more behind the object", b"{" + ENVELOPE + b"} {}"),
    structured("JSON 3: an array", b"[{" + ENVELOPE + b"}]"),
    structured("JSON 3: null", b"null"),
    structured("JSON 3: a string", b'"hunter2"'),
    structured("JSON 3: a comma too many", b"{" + ENVELOPE + b",}"),
    structured("JSON 3: single quotes", b"{'specversion':'1.0'}"),
    structured("JSON 3: a member twice", b"{" + ENVELOPE + b',"id":"hunter2"}'),
    structured("JSON 3: data twice", b"{" + ENVELOPE + b',"data":1,"data":2}'),
    structured("JSON 3: NaN", b"{" + ENVELOPE + b',"data":NaN}'),
    structured("JSON 3: a byte order mark", b"\xef\xbb\xbf{" + ENVELOPE + b"}"),
    structured("JSON 3: UTF-16", ("{" + ENVELOPE.decode() + "}").encode("utf-16")),
    structured("JSON 3: bytes that are no UTF-8", b"{" + ENVELOPE + b',"note":"\xff"}'),
    structured("JSON 3: nested without end", b'{"data":' + b"[" * 60_000),
    *(member(f"JSON 2.2: {name} is a number", name, 5) for name in ("id", "subject")),
    structured("JSON 2.2: type is a boolean", type=True),
    structured("JSON 2.2: an attribute is an object", note={"a": SECRET}),
    structured("JSON 2.2: an attribute is an array", note=[SECRET]),
    structured("JSON 2.2: a number with a fraction", note=1.5),
    structured("JSON 2.2: a number with an exponent", b"{" + ENVELOPE + b',"note":1e2}'),
    structured("CE type system: an integer over 32 bits", note=2**31),
    structured("CE type system: an integer under 32 bits", note=-(2**31) - 1),
    structured("CE type system: an integer of 5000 digits",
               b"{" + ENVELOPE + b',"note":' + b"9" * 5000 + b"}"),
    structured("JSON 3.1.1: data and data_base64", data=1, data_base64="aHVudGVyMg=="),
    structured("JSON 3.1.1: data_base64 is no string", data_base64=7),
    structured("JSON 3.1.1: data_base64 with foreign characters", data_base64=f"{SECRET}!"),
    structured("JSON 3.1.1: data_base64 without its padding", data_base64="aHVudGVyMg"),
    structured("JSON 3.1.1: data_base64 that is not ASCII", data_base64="\xfcaaa"),
    structured("JSON 3.1.2: data that is neither JSON nor a string",
               datacontenttype="text/plain", data={"a": SECRET}),
    structured("JSON 3.1.2: text data is a number", datacontenttype="text/plain", data=5),
    structured("JSON 3.1.2: text data has half a surrogate pair",
               datacontenttype="text/plain", data="\ud800"),
    structured("JSON 3.1.2: text data of another charset", data="x",
               datacontenttype="text/plain; charset=iso-8859-1", status=415),
)  # fmt: skip


def test_the_table_names_each_case_once_and_has_more_than_forty() -> None:
    assert len({case.clause for case in CASES}) == len(CASES) > 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_a_malformed_message_is_refused_in_one_line_that_repeats_nothing(case: Case) -> None:
    with pytest.raises(codec.Malformed) as refused:
        codec.decode(case.headers, case.body)
    assert refused.value.status == case.status
    reason = refused.value.reason
    assert reason.isprintable() and 10 < len(reason) < 120
    assert SECRET not in reason


def test_no_status_is_one_that_a_broker_redelivers_on() -> None:
    assert {case.status for case in CASES} == {400, 413, 415}


def test_deep_nesting_is_read_or_refused_but_breaks_nothing() -> None:
    """How deep is too deep differs between versions of Python; any other error is a crash."""
    body = b"{" + ENVELOPE + b',"data":' + b"[" * 9000 + b"]" * 9000 + b"}"
    with suppress(codec.Malformed):
        event = codec.decode([("content-type", "application/cloudevents+json")], body)
        assert event.data == b"[" * 9000 + b"]" * 9000
