"""The S3 store on a real MinIO, looked at from the other side with the MinIO SDK."""

from __future__ import annotations

import io
import os
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from minio import Minio

from eventing.errors import Unavailable
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.ports import Absent, ByteRange
from tests import servers
from tests.s3_buckets import client, fresh_buckets
from tests.s3_proxy import proxy_before

pytestmark = pytest.mark.servers

KEYS = [
    "a b", " lead", "trail ", "a%b", "a%20b", "a+b", "a#b", "a?b=c&d", "a~b", "a*b", "a:b|c",
    'a"b', "a'b", "a\\b", "<a>&amp;", "a;b,c=d@e$", "dot.", "...", ".hidden", "a..b", "-", "a/ /b",
    "film (1) [x]{y}^`.mp4", "\u00e9", "e\u0301", "日本語/動画.mp4", "\U0001f3ac", "\uffff",
    "\ufeff", "a\nb", "a\tb", "a\x01b", "a\x7fb", "\u202e", "x" * 255,
    "/".join("y" * 9 for _ in range(100)),
]  # fmt: skip


def store_at(location: str, environment: Mapping[str, str]) -> S3Store:
    return S3Store(Account.read(environment), Buckets.at(location))


@pytest.fixture
def location(minio_server: servers.Minio) -> str:
    return fresh_buckets(minio_server)


@pytest.fixture
def bucket(location: str) -> str:
    return f"{location.removeprefix('s3://')}-work"


@pytest.fixture
def store(minio_server: servers.Minio, location: str) -> S3Store:
    return store_at(location, minio_server.environment)


@pytest.fixture
def sdk(minio_server: servers.Minio) -> Minio:
    return client(minio_server)


@pytest.mark.parametrize("name", KEYS, ids=ascii)
def test_a_key_is_spelled_as_the_sdk_spells_it(
    store: S3Store, sdk: Minio, bucket: str, name: str
) -> None:
    assert store.create(f"work/{name}", name.encode())
    assert store.get(f"work/{name}") == name.encode()
    assert [info.key for info in store.list("work/")] == [f"work/{name}"]
    answer = sdk.get_object(bucket, name)
    try:
        assert answer.read() == name.encode()
    finally:
        answer.close()
        answer.release_conn()
    store.delete(f"work/{name}")
    sdk.put_object(bucket, name, io.BytesIO(b"theirs"), 6)
    assert store.get(f"work/{name}") == b"theirs"


@pytest.mark.parametrize("name", ["a/ .", "a\\..", ".\n", "s" * 256], ids=ascii)
def test_a_name_that_minio_refuses_is_absent_and_cannot_be_written(
    store: S3Store, name: str
) -> None:
    key = f"work/{name}"
    assert store.head(key) is None
    with pytest.raises(Absent):
        store.get(key)
    store.delete(key)
    with pytest.raises(ValueError, match="refuses the name"):
        store.create(key, b"")
    with pytest.raises(ValueError, match="refuses the name"):
        store.put(key, b"")


@pytest.mark.parametrize("key", ["work", "Work/a", "a_b/c", "no-name", "-a/b", "work/.kinora/x"])
def test_nothing_is_written_where_no_object_can_be(store: S3Store, key: str) -> None:
    with pytest.raises(ValueError, match="cannot be an object"):
        store.put(key, b"")
    assert store.head(key) is None


def test_what_others_left_that_is_no_key_is_not_listed(
    store: S3Store, sdk: Minio, bucket: str
) -> None:
    for name in ("folder/", "folder/film.mp4", "z"):
        sdk.put_object(bucket, name, io.BytesIO(b""), 0)
    assert [info.key for info in store.list("work/")] == ["work/folder/film.mp4", "work/z"]


def test_a_listing_asks_for_a_page_when_it_is_wanted(
    minio_server: servers.Minio, location: str
) -> None:
    with proxy_before(minio_server) as proxy:
        store = store_at(location, proxy.environment)
        names = [f"work/{n:04}" for n in range(1205)]
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda name: store.put(name, b""), names))
        listing = store.list("work/")
        assert proxy.count("GET") == 0
        assert next(listing).key == names[0]
        assert proxy.count("GET") == 1
        assert [info.key for info in listing] == names[1:]
        assert proxy.count("GET") == 3
        assert [info.key for info in store.list("work/", after="work/1199")] == names[1200:]


def test_a_listing_spans_our_buckets_and_leaves_others_to_who_names_them(
    store: S3Store, sdk: Minio
) -> None:
    other = f"tenant-{os.getpid()}"
    sdk.make_bucket(other)
    for key in ("work/a", "media/a", "uploads/a", f"{other}/a"):
        store.put(key, b"")
    assert [info.key for info in store.list("")] == ["media/a", "uploads/a", "work/a"]
    assert [info.key for info in store.list("", after="uploads/a")] == ["work/a"]
    assert [info.key for info in store.list("", after="upper")] == ["work/a"]
    assert [info.key for info in store.list(f"{other}/")] == [f"{other}/a"]


def test_metadata_and_content_types_go_both_ways(
    store: S3Store, sdk: Minio, bucket: str, minio_server: servers.Minio
) -> None:
    sdk.put_object(
        bucket, "film", io.BytesIO(b"x"), 1, metadata={"Kinora-Profile": "fast", "Title": "A b"}
    )
    info = store.head("work/film")
    assert info is not None
    assert info.metadata == {"kinora-profile": "fast", "title": "A b"}
    store.put("work/list", b"", content_type="application/vnd.apple.mpegurl")
    assert sdk.stat_object(bucket, "list").content_type == "application/vnd.apple.mpegurl"


def test_versions_are_known_where_a_bucket_has_them(
    minio_server: servers.Minio, store: S3Store
) -> None:
    store.put("work/a", b"one")
    info = store.head("work/a")
    assert info is not None and info.version == ""
    location = fresh_buckets(minio_server, versioned=True)
    kept = store_at(location, minio_server.environment)
    versions = set()
    for body in (b"one", b"two"):
        kept.put("work/a", body)
        info = kept.head("work/a")
        assert info is not None and info.version
        versions.add(info.version)
    assert len(versions) == 2
    assert kept.put("work/a", b"three", match=info.etag)
    assert not kept.put("work/a", b"four", match=info.etag)
    kept.delete("work/a")
    assert not kept.put("work/a", b"four", match=info.etag)
    assert kept.put("work/a", b"again", match="")
    assert kept.get("work/a") == b"again"


def test_a_bucket_of_ours_that_is_missing_is_named_with_the_command_that_makes_it(
    minio_server: servers.Minio,
) -> None:
    store = store_at("s3://nobody-made-it", minio_server.environment)
    calls = (
        lambda: store.head("work/a"),
        lambda: store.get("work/a"),
        lambda: list(store.read("work/a", [ByteRange(0, 1)])),
        lambda: store.create("work/a", b""),
        lambda: store.put("media/a", b""),
        lambda: list(store.list("uploads/")),
        lambda: list(store.list("")),
        lambda: store.delete("work/a"),
    )
    for call in calls:
        with pytest.raises(
            Unavailable, match=r"no bucket nobody-made-it-\w+; `kinora buckets init`"
        ):
            call()


def test_a_bucket_of_others_that_is_missing_is_empty(store: S3Store) -> None:
    assert store.head("nobodys/a") is None
    assert list(store.list("nobodys/")) == []
    with pytest.raises(Unavailable, match="no bucket nobodys"):
        store.put("nobodys/a", b"")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "does not accept our keys"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "does not accept our keys"),
        ({"AWS_SESSION_TOKEN": "expired"}, "does not accept our keys"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"AWS_ENDPOINT_URL": "http://no-such-host.invalid"}, "cannot be reached"),
    ],
)
def test_a_wrong_account_is_a_sentence(
    minio_server: servers.Minio, location: str, wrong: dict[str, str], said: str
) -> None:
    store = store_at(location, {**minio_server.environment, **wrong})
    calls = (
        lambda: store.head("work/a"),
        lambda: store.get("work/a"),
        lambda: store.create("work/a", b""),
        lambda: list(store.list("")),
    )
    for call in calls:
        with pytest.raises(Unavailable, match=said):
            call()


def test_buckets_may_be_host_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def found(host: str, *args: Any, **kwargs: Any) -> Any:
        return known("127.0.0.1" if host.endswith(".s3.test") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with servers.minio(tmp_path / "minio", env={"MINIO_DOMAIN": "s3.test"}) as server:
        location = fresh_buckets(server)
        environment = {
            **server.environment,
            "AWS_ENDPOINT_URL": f"http://s3.test:{server.port}",
            "KINORA_S3_PATH_STYLE": "0",
        }
        store = store_at(location, environment)
        assert store.create("work/a b/é", b"x")
        assert store.get("work/a b/é") == b"x"
        assert [info.key for info in store.list("")] == ["work/a b/é"]
