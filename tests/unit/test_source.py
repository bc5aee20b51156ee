"""The source: whom it hears, what it tells, and what it needs to know."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from eventing.contract import ObjectCreated
from functions.source.bearer import Bearer
from functions.source.handler import Source
from functions.source.settings import Settings

RECORDED = Path(__file__).parents[1] / "contract/notifications/minio-put.json"
JSON = {"content-type": "application/json"}
ENV = {"KINORA_STORE": "s3://kinora", "KINORA_SOURCE_TOKEN": "one"}


def body(key: str = "acme/film.mp4", bucket: str = "kinora-uploads") -> bytes:
    recorded: Any = json.loads(RECORDED.read_text())["request"]["body"]
    recorded["Records"][0]["s3"]["bucket"]["name"] = bucket
    recorded["Records"][0]["s3"]["object"]["key"] = key
    return json.dumps(recorded).encode()


def told(raw: bytes) -> list[ObjectCreated]:
    source = Source(buckets={"kinora-uploads": "uploads", "acme-in": "acme-in"})
    heard = list(source.hear(JSON, raw))
    return [each for each in heard if isinstance(each, ObjectCreated)]


def test_buckets_are_told_by_the_names_that_keys_begin_with() -> None:
    assert [each.bucket for each in told(body())] == ["uploads"]
    assert [each.bucket for each in told(body(bucket="acme-in"))] == ["acme-in"]


# The storage may have a bucket of somebody else's that is called like one of ours.
@pytest.mark.parametrize("bucket", ["uploads", "kinora-work", "kinora-media", "others"])
def test_no_other_bucket_is_told_of(bucket: str) -> None:
    assert told(body(bucket=bucket)) == []


@pytest.mark.parametrize("key", ["acme/film.mp4.json", "acme/.film.mp4", "acme/film.mp4.part"])
def test_what_is_no_source_by_its_name_is_not_told_of(key: str) -> None:
    assert told(body(key)) == []


def test_a_key_that_leads_upwards_is_told_as_it_is_for_ingest_to_refuse() -> None:
    assert [each.key for each in told(body("acme%2F..%2Fother%2Ff.mp4"))] == ["acme/../other/f.mp4"]


def test_only_what_somebody_should_look_at_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert told(body(bucket="others")) == told(b"{") == []
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "let_in"),
    [
        ("Bearer one", True),
        ("bearer  one ", True),
        ("Bearer two", True),
        (basic("kinora:one"), True),
        (basic(":two"), True),
        ("Bearer three", False),
        ("Bearer on", False),
        ("Bearer ", False),
        ("one", False),
        ("", False),
        (basic("one"), False),
        (basic("one:"), False),
        ("Basic %%%", False),
        ("Basic /w==", False),
        ("Token one", False),
        ("Bearer onë", False),
    ],
)
def test_whoever_knows_a_token_is_let_in(authorization: str, let_in: bool) -> None:
    assert Bearer(("one", "two"))({"Authorization": authorization}) is let_in


def test_a_token_that_is_not_shown_or_shown_twice_lets_nobody_in() -> None:
    assert not Bearer(("one",))({})
    assert not Bearer(("one",))([("authorization", "Bearer one"), ("Authorization", "Bearer two")])


def test_everybody_is_let_in_where_there_is_no_token() -> None:
    assert Bearer(())({})


def test_settings_are_read_from_the_environment() -> None:
    settings = Settings.read(
        {**ENV, "KINORA_SOURCE_TOKEN": " one, two ,", "KINORA_TENANTS": '{"acme-in": "acme"}'}
    )
    assert settings.tokens == ("one", "two")
    assert settings.buckets == ("uploads", "acme-in")


@pytest.mark.parametrize(
    ("env", "complaint"),
    [
        ({"KINORA_STORE": ""}, "KINORA_STORE is not set"),
        ({"KINORA_SOURCE_TOKEN": ""}, "KINORA_SOURCE_TOKEN is not set"),
        ({"KINORA_SOURCE_TOKEN": " , "}, "KINORA_SOURCE_TOKEN is not set"),
        ({"KINORA_SOURCE_OPEN": "yes"}, "KINORA_SOURCE_OPEN must be 0 or 1"),
        ({"KINORA_TENANTS": "["}, "KINORA_TENANTS"),
    ],
)
def test_what_is_missing_or_wrong_is_named(env: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Settings.read({**ENV, **env})


def test_without_a_token_it_has_to_be_opened_expressly() -> None:
    settings = Settings.read({"KINORA_STORE": "s3://", "KINORA_SOURCE_OPEN": "1"})
    assert (settings.tokens, settings.open) == ((), True)
