from __future__ import annotations

import pytest

from eventing.errors import Unavailable
from functions.adapters.s3.listing import Page, Span, page, parsed, spans
from functions.adapters.s3.reply import Reply

OURS = ("media", "uploads", "work")


@pytest.mark.parametrize(
    ("prefix", "after", "found"),
    [
        ("", "", [("media", "", ""), ("uploads", "", ""), ("work", "", "")]),
        ("wor", "", [("work", "", "")]),
        ("work", "", [("work", "", "")]),
        ("work/", "", [("work", "", "")]),
        ("work/a/", "", [("work", "a/", "")]),
        ("tenant/a", "", [("tenant", "a", "")]),
        ("words", "", []),
        ("", "media/a", [("media", "", "a"), ("uploads", "", ""), ("work", "", "")]),
        ("", "media", [("media", "", ""), ("uploads", "", ""), ("work", "", "")]),
        ("", "media0", [("uploads", "", ""), ("work", "", "")]),
        ("", "work0", []),
        ("work/a", "work/a/b", [("work", "a", "a/b")]),
        ("work/a", "zzz", []),
        ("work/.", "", [("work", ".", "")]),
        ("work/..", "", [("work", "..", "")]),
        ("work/./a", "", []),
        ("work//a", "", []),
        ("/", "", []),
        ("a\0", "", []),
        ("work/\ud800", "", []),
    ],
)
def test_a_prefix_spans_the_buckets_that_can_have_such_keys(
    prefix: str, after: str, found: list[tuple[str, str, str]]
) -> None:
    assert list(spans(prefix, after, ours=OURS)) == [Span(*each) for each in found]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a/b", "a/b"),
        ("a/.", "a/"),
        ("a/ .. /b", "a/"),
        ("a\\.\n", "a\\"),
        ("a/.b", "a/.b"),
        ("a/...", "a/..."),
        (".", ""),
    ],
)
def test_a_query_says_as_much_as_every_service_takes(text: str, sent: str) -> None:
    asked = page("bucket", Span("work", text, text), token="")
    assert asked.query["prefix"] == sent
    assert asked.query.get("start-after", "") == sent


def test_a_page_after_the_first_is_asked_for_by_its_token() -> None:
    asked = page("bucket", Span("work", "a", "a/b"), token="t=")
    assert asked.query["continuation-token"] == "t="
    assert "start-after" not in asked.query


def listing(*names: str, token: str = "", encoded: bool = True) -> Reply:
    contents = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2026-11-21T03:52:26.081Z</LastModified>"
        "<ETag>&#34;abc&#34;</ETag><Size>7</Size></Contents>"
        for name in names
    )
    kind = "<EncodingType>url</EncodingType>" if encoded else ""
    body = (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>{contents}{kind}"
        f"<NextContinuationToken>{token}</NextContinuationToken>"
        "</ListBucketResult>"
    )
    return Reply(status=200, headers={}, body=body.encode())


def test_names_on_a_page_are_decoded_only_where_they_are_encoded() -> None:
    anything = Span("work", "", "")
    keys = [info.key for info in parsed(listing("a+b%2Bc%0A", "d%EF%BF%BF"), anything).entries]
    assert keys == ["work/a b+c\n", "work/d\uffff"]
    keys = [info.key for info in parsed(listing("a+b%2Bc", encoded=False), anything).entries]
    assert keys == ["work/a+b%2Bc"]


def test_an_entry_has_size_etag_and_time() -> None:
    (info,) = parsed(listing("a"), Span("work", "", "")).entries
    assert (info.size_bytes, info.etag, info.modified_s) == (7, "abc", 1795233146.081)


def test_what_is_not_asked_for_or_no_key_is_left_out() -> None:
    found = parsed(listing("a", "b/x", "b/y", "b//z", "b/"), Span("work", "b", "b/x"))
    assert [info.key for info in found.entries] == ["work/b/y"]


def test_an_empty_page_need_not_be_the_last() -> None:
    assert parsed(listing(), Span("work", "", "")) == Page([], "")
    assert parsed(listing(token="t"), Span("work", "", "")) == Page([], "t")


@pytest.mark.parametrize("body", [b"", b"<html>", b"<html/>", b"{}", b"\xff"])
def test_what_is_no_listing_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable, match="something else than ListBucketResult"):
        parsed(Reply(status=200, headers={}, body=body), Span("work", "", ""))
