"""Files that go to S3 in parts: seen whole or not at all, written once, nothing left behind."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from minio import Minio

from eventing.errors import Unavailable
from functions.adapters.connect import object_store
from functions.adapters.s3 import writer as s3_writer
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.ports import ByteRange, ObjectStore
from tests import servers
from tests.s3_buckets import client, fresh_buckets
from tests.s3_proxy import CONDITIONS, Asked, Fault, Proxy, proxy_before

pytestmark = pytest.mark.servers

SIZE_BYTES = s3_writer.WHOLE_BYTES + 12_345
"""Five parts."""
LOST = Fault(reset="after")

CHILD = """
import re, sys
from pathlib import Path
from functions.adapters.connect import object_store

def peak_kib():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

store = object_store(sys.argv[1])
store.create("work/small", b"x")
before = peak_kib()
assert store.create("work/big", Path(sys.argv[2]))
assert not store.create("work/big", Path(sys.argv[2]))
print((peak_kib() - before) * 1024)
"""


def store_at(location: str, environment: Mapping[str, str]) -> S3Store:
    return S3Store(Account.read(environment), Buckets.at(location))


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two files of one size; every byte of them says whose it is."""
    folder = tmp_path_factory.mktemp("films")
    for name in "AB":
        (folder / name).write_bytes(name.encode() * SIZE_BYTES)
    return {name: folder / name for name in "AB"}


@pytest.fixture
def proxy(minio_server: servers.Minio) -> Iterator[Proxy]:
    with proxy_before(minio_server) as proxy:
        yield proxy


@pytest.fixture
def location(minio_server: servers.Minio) -> str:
    return fresh_buckets(minio_server)


@pytest.fixture
def bucket(location: str) -> str:
    return f"{location.removeprefix('s3://')}-work"


@pytest.fixture
def store(proxy: Proxy, location: str) -> S3Store:
    return store_at(location, proxy.environment)


@pytest.fixture
def sdk(minio_server: servers.Minio) -> Minio:
    return client(minio_server)


def is_whole(store: ObjectStore, name: str) -> bool:
    body = store.get("work/film")
    return hashlib.sha256(body).digest() == hashlib.sha256(name.encode() * SIZE_BYTES).digest()


def half_uploads(sdk: Minio, bucket: str) -> int:
    """MinIO lists uploads by the exact name only."""
    return len(sdk._list_multipart_uploads(bucket, prefix="film").uploads)


def before_the_last_step(proxy: Proxy, act: Callable[[], object]) -> None:
    """Let something happen when all parts are there and the object is not."""

    def chosen(asked: Asked) -> None:
        if asked.method == "POST" and "film?uploadId=" in asked.path:
            proxy.fault = lambda _: None
            act()

    proxy.fault = chosen


@pytest.mark.slow
def test_a_file_of_600_mb_costs_a_few_mb_of_memory(
    minio_server: servers.Minio, location: str, tmp_path: Path
) -> None:
    big = tmp_path / "big"
    with big.open("wb") as stream:
        stream.truncate(600 << 20)
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, location, str(big)],
        env={**minio_server.environment, "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        cwd=servers.ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 16 << 20
    info = store_at(location, minio_server.environment).head("work/big")
    assert info is not None and info.size_bytes == 600 << 20


def test_a_big_file_is_written_once(
    store: S3Store, proxy: Proxy, sdk: Minio, bucket: str, films: dict[str, Path]
) -> None:
    assert store.create("work/film", films["A"], content_type="video/mp4")
    assert sdk.stat_object(bucket, "film").content_type == "video/mp4"
    sent = proxy.count("PUT")
    assert not store.create("work/film", films["B"])
    assert proxy.count("PUT") == sent  # it looked before it sent anything
    assert is_whole(store, "A")
    first = store.head("work/film")
    assert first is not None and first.etag.endswith("-5")
    assert list(store.read("work/film", [ByteRange(16 << 20, (16 << 20) + 2)])) == [b"AA"]
    assert not store.put("work/film", films["B"], match="another")
    assert store.put("work/film", films["B"], match=first.etag)
    assert is_whole(store, "B")
    assert store.put("work/film", films["A"])
    assert is_whole(store, "A")
    assert half_uploads(sdk, bucket) == 0


@pytest.mark.parametrize("ignoring", [False, True], ids=["conditions", "state store"])
def test_who_was_faster_while_a_big_file_was_sent_has_won(
    proxy: Proxy,
    sdk: Minio,
    location: str,
    bucket: str,
    films: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ignoring: bool,
) -> None:
    if ignoring:
        proxy.stripped = CONDITIONS
    for name, value in proxy.environment.items():
        monkeypatch.setenv(name, value)
    store = object_store(location, state=str(tmp_path / "state.sqlite"))

    def other() -> None:
        sdk.put_object(bucket, "film", io.BytesIO(b"theirs"), 6)

    before_the_last_step(proxy, other) if not ignoring else other()
    assert not store.create("work/film", films["A"])
    assert store.get("work/film") == b"theirs"
    there = store.head("work/film")
    assert there is not None
    if not ignoring:
        before_the_last_step(proxy, lambda: store.put("work/film", b"changed"))
        assert not store.put("work/film", films["A"], match=there.etag)
        assert store.get("work/film") == b"changed"
    assert half_uploads(sdk, bucket) == 0


@pytest.mark.parametrize("ignoring", [False, True], ids=["conditions", "state store"])
def test_of_many_that_send_a_big_file_one_creates(
    proxy: Proxy,
    sdk: Minio,
    location: str,
    bucket: str,
    films: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ignoring: bool,
) -> None:
    if ignoring:
        proxy.stripped = CONDITIONS
    for name, value in proxy.environment.items():
        monkeypatch.setenv(name, value)
    stores = {name: object_store(location, state=str(tmp_path / "state.sqlite")) for name in "AB"}
    with ThreadPoolExecutor(2) as pool:
        won = dict(
            zip(
                "AB", pool.map(lambda n: stores[n].create("work/film", films[n]), "AB"), strict=True
            )
        )
    (winner,) = (name for name, created in won.items() if created)
    assert is_whole(stores["A"], winner)
    assert half_uploads(sdk, bucket) == 0


def test_parts_that_a_dead_writer_left_are_dropped_when_the_file_is_written(
    store: S3Store, sdk: Minio, bucket: str, films: dict[str, Path]
) -> None:
    upload = sdk._create_multipart_upload(bucket, "film", {})
    assert upload and half_uploads(sdk, bucket) == 1
    assert store.create("work/film", films["A"])
    assert half_uploads(sdk, bucket) == 0


def test_a_part_that_fails_once_is_sent_again(
    store: S3Store, proxy: Proxy, films: dict[str, Path]
) -> None:
    proxy.spoil(Fault(reset="before"), method="PUT", part="partNumber=3")
    assert store.create("work/film", films["A"])
    assert is_whole(store, "A")


@pytest.mark.parametrize("step", ["partNumber=3", "uploadId="])
def test_a_big_file_that_cannot_be_sent_leaves_nothing(
    store: S3Store, proxy: Proxy, sdk: Minio, bucket: str, films: dict[str, Path], step: str
) -> None:
    store.create("work/warm", b"")
    method = "PUT" if "part" in step else "POST"
    proxy.spoil(Fault(status=503), method=method, part=f"film?{step}", times=99)
    with pytest.raises(Unavailable):
        store.put("work/film", films["A"])
    assert store.head("work/film") is None
    assert half_uploads(sdk, bucket) == 0


def test_a_completion_that_fails_behind_its_200_is_unavailable(
    store: S3Store, proxy: Proxy, films: dict[str, Path]
) -> None:
    late = Fault(status=200, body=b"<?xml?>\n <Error><Code>InternalError</Code></Error>")
    proxy.spoil(late, method="POST", part="film?uploadId=")
    with pytest.raises(Unavailable, match="InternalError"):
        store.put("work/film", films["A"])


def test_a_completion_whose_reply_is_lost_is_recognised(
    store: S3Store, proxy: Proxy, films: dict[str, Path]
) -> None:
    proxy.spoil(LOST, method="POST", part="film?uploadId=")
    assert store.put("work/film", films["A"])
    assert is_whole(store, "A")
    there = store.head("work/film")
    assert there is not None
    proxy.spoil(LOST, method="POST", part="film?uploadId=")
    with pytest.raises(Unavailable):  # nobody knows, and nobody says that it failed
        store.put("work/film", films["B"], match=there.etag)
    assert is_whole(store, "B")


def test_who_lost_the_reply_to_creating_a_big_file_reads_what_it_wrote(
    store: S3Store, proxy: Proxy, films: dict[str, Path]
) -> None:
    store.create("work/warm", b"")
    proxy.spoil(LOST, method="POST", part="film?uploadId=")
    assert not store.create("work/film", films["A"])
    assert is_whole(store, "A")


def test_where_only_completions_ignore_conditions_a_big_file_goes_in_one_request(
    store: S3Store, proxy: Proxy, films: dict[str, Path]
) -> None:
    def stripping(asked: Asked) -> None:
        proxy.stripped = CONDITIONS if asked.method == "POST" else frozenset()

    proxy.fault = stripping
    assert store.create("work/film", films["A"])
    assert proxy.count("PUT", "film") == 1
    assert is_whole(store, "A")


def test_a_big_file_cannot_have_a_name_that_is_refused(
    store: S3Store, films: dict[str, Path]
) -> None:
    with pytest.raises(ValueError, match="refuses the name"):
        store.put("work/a/ .", films["A"])
    with pytest.raises(ValueError, match="refuses the name"):
        store.create("work/a/ .", films["A"])


def test_a_file_that_becomes_shorter_while_it_is_sent_is_the_callers_error(
    store: S3Store, proxy: Proxy, sdk: Minio, bucket: str, tmp_path: Path
) -> None:
    film = tmp_path / "film"
    film.write_bytes(bytes(SIZE_BYTES))

    def chosen(asked: Asked) -> None:
        if "partNumber=2" in asked.path:
            film.write_bytes(b"")

    proxy.fault = chosen
    with pytest.raises(ValueError, match="shorter"):
        store.put("work/film", film)
    assert half_uploads(sdk, bucket) == 0
