from __future__ import annotations

import pytest

from functions.adapters.s3.metadata import info

HEADERS = {
    "content-length": "7",
    "etag": '"abc"',
    "last-modified": "Sat, 21 Nov 2026 03:52:26 GMT",
    "content-type": "video/mp4",
}


def test_headers_say_what_an_object_is() -> None:
    found = info("work/a", {**HEADERS, "x-amz-version-id": "v1", "x-amz-meta-kinora-profile": "x"})
    assert (found.key, found.size_bytes, found.etag, found.version) == ("work/a", 7, "abc", "v1")
    assert found.modified_s == 1795233146
    assert found.metadata == {"kinora-profile": "x"}


def test_the_version_null_is_none() -> None:
    assert info("work/a", {**HEADERS, "x-amz-version-id": "null"}).version == ""


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("plain", "plain"),
        ("é".encode().decode("latin-1"), "é"),
        ("\xe9", "é"),
        ("=?UTF-8?B?w6k=?=", "é"),
        ("=?UTF-8?Q?caf=C3=A9?= au lait", "café au lait"),
        ("=?nonsense", "=?nonsense"),
        ("=?no-such-charset?B?w6k=?=", "=?no-such-charset?B?w6k=?="),
    ],
)
def test_metadata_is_text_however_a_service_sends_it(sent: str, meant: str) -> None:
    assert info("work/a", {**HEADERS, "x-amz-meta-title": sent}).metadata == {"title": meant}


def test_a_time_that_is_none_is_nought() -> None:
    assert info("work/a", {**HEADERS, "last-modified": "yesterday"}).modified_s == 0.0
