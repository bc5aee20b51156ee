"""The S3 store and a service that fails: everything ends, and nothing is said that is not true."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters.connect import object_store
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.ports import ByteRange
from tests import servers
from tests.integration.served import until
from tests.s3_buckets import fresh_buckets
from tests.s3_proxy import CONDITIONS, Fault, Proxy, proxy_before

pytestmark = pytest.mark.servers

BUSY = Fault(status=503, body=b"<Error><Code>SlowDown</Code></Error>", headers={"Retry-After": "7"})
BROKEN = Fault(status=500, body=b"<Error><Code>InternalError</Code></Error>")
LOST = Fault(reset="after")
RESET = Fault(reset="before")


def store_at(location: str, environment: Mapping[str, str], **more: str) -> S3Store:
    return S3Store(Account.read({**environment, **more}), Buckets.at(location))


def every_call(store: S3Store) -> dict[str, Callable[[], object]]:
    return {
        "head": lambda: store.head("work/a"),
        "get": lambda: store.get("work/a"),
        "read": lambda: list(store.read("work/a", [ByteRange(0, 1)])),
        "create": lambda: store.create("work/new", b"x"),
        "put": lambda: store.put("work/a", b"body"),
        "swap": lambda: store.put("work/a", b"body", match="0" * 32),
        "list": lambda: list(store.list("")),
        "delete": lambda: store.delete("work/b"),
    }


CALLS = sorted(every_call(None))  # type: ignore[arg-type]


@pytest.fixture
def proxy(minio_server: servers.Minio) -> Iterator[Proxy]:
    with proxy_before(minio_server) as proxy:
        yield proxy


@pytest.fixture
def location(minio_server: servers.Minio) -> str:
    return fresh_buckets(minio_server)


@pytest.fixture
def store(proxy: Proxy, location: str) -> S3Store:
    """It knows already that the service keeps to conditions."""
    store = store_at(location, proxy.environment)
    store.create("work/a", b"body")
    store.put("work/a", b"body", match="no-such-etag")
    return store


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("fault", [BUSY, BROKEN, RESET, LOST], ids=["503", "500", "reset", "lost"])
def test_a_service_that_goes_on_failing_is_unavailable(
    proxy: Proxy, store: S3Store, name: str, fault: Fault
) -> None:
    proxy.fault = lambda _: fault
    with pytest.raises(Unavailable) as raised:
        every_call(store)[name]()
    assert raised.value.retry_after_s == (7 if fault is BUSY else 1)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "swap"])
@pytest.mark.parametrize("fault", [BUSY, BROKEN, RESET], ids=["503", "500", "reset"])
def test_what_fails_once_is_not_noticed(
    proxy: Proxy, store: S3Store, name: str, fault: Fault
) -> None:
    failed = iter([fault])
    proxy.fault = lambda _: next(failed, None)
    every_call(store)[name]()


def test_whoever_lost_the_reply_to_its_create_reads_what_it_wrote(
    proxy: Proxy, store: S3Store
) -> None:
    proxy.spoil(LOST, method="PUT", part="/receipt")
    assert not store.create("work/receipt", b"mine")
    assert store.get("work/receipt") == b"mine"


def test_a_swap_whose_reply_is_lost_is_never_said_to_have_failed(
    proxy: Proxy, store: S3Store
) -> None:
    there = store.head("work/a")
    assert there is not None
    proxy.spoil(LOST, method="PUT", part="/a")
    with pytest.raises(Unavailable):
        store.put("work/a", b"mine", match=there.etag)
    assert store.get("work/a") == b"mine"
    assert proxy.count("PUT", "/a") == 3  # that of the fixture, its swap, this one: not again


def test_a_swap_that_was_not_begun_is_tried_again(proxy: Proxy, store: S3Store) -> None:
    there = store.head("work/a")
    assert there is not None
    proxy.spoil(BUSY, method="PUT", part="/a")
    assert store.put("work/a", b"mine", match=there.etag)


def test_a_body_that_is_cut_off_is_asked_for_again(proxy: Proxy, store: S3Store) -> None:
    proxy.spoil(Fault(cut_bytes=2), method="GET", part="/a")
    assert store.get("work/a") == b"body"
    proxy.spoil(Fault(cut_bytes=0), method="GET", part="/a")
    assert list(store.read("work/a", [ByteRange(1, 3)])) == [b"od"]
    proxy.spoil(Fault(cut_bytes=2), method="GET", times=99)
    with pytest.raises(Unavailable, match="cannot be reached"):
        store.get("work/a")
    with pytest.raises(Unavailable):
        list(store.list("work/"))


def test_a_page_that_is_no_listing_is_unavailable(proxy: Proxy, store: S3Store) -> None:
    proxy.fault = lambda _: Fault(status=200, body=b"<html>Welcome</html>")
    with pytest.raises(Unavailable, match="something else"):
        list(store.list("work/"))


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "AuthorizationHeaderMalformed", "AWS_REGION must name it"),
        (301, "PermanentRedirect", "AWS_REGION must name it"),
        (403, "AccessDenied", r"GET test\d+-work/a: these keys may not do that \(AccessDenied\)"),
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "ExpiredToken", "AWS_SESSION_TOKEN"),
        (405, "MethodNotAllowed", "answered 405 MethodNotAllowed"),
    ],
)
def test_a_refusal_is_a_sentence(
    proxy: Proxy, store: S3Store, status: int, code: str, said: str
) -> None:
    body = f"<Error><Code>{code}</Code></Error>".encode()
    proxy.fault = lambda _: Fault(status=status, body=body)
    with pytest.raises(Unavailable, match=said):
        store.get("work/a")
    with pytest.raises(Unavailable):
        store.head("work/a")


def test_writers_at_the_same_moment_are_told_to_try_again(proxy: Proxy, store: S3Store) -> None:
    conflict = Fault(status=409, body=b"<Error><Code>ConditionalRequestConflict</Code></Error>")
    proxy.spoil(conflict, method="PUT", part="/one", times=2)
    assert store.create("work/one", b"x")
    proxy.spoil(conflict, method="PUT", part="/two", times=99)
    with pytest.raises(Unavailable):
        store.create("work/two", b"x")


@pytest.mark.parametrize("name", CALLS)
def test_a_frozen_service_is_unavailable_and_thaws(private: servers.Minio, name: str) -> None:
    location = fresh_buckets(private)
    store_at(location, private.environment).create("work/a", b"body")
    hurried = store_at(location, private.environment, KINORA_S3_TIMEOUT_S="0.5")

    def is_there() -> bool:
        """A busy machine may take longer than it waits."""
        with suppress(Unavailable):
            return hurried.get("work/a") == b"body"
        return False

    until(is_there, "it is read")
    private.signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="does not answer"):
            every_call(hurried)[name]()
    finally:
        private.signal(signal.SIGCONT)
    until(is_there, "it is read again")


def test_a_service_killed_in_the_middle_of_a_reading_is_unavailable(
    private: servers.Minio,
) -> None:
    store = store_at(fresh_buckets(private), private.environment)
    store.create("work/a", bytes(range(200)))
    reading = store.read("work/a", [ByteRange(0, 100), ByteRange(100, 200)])
    assert next(reading) == bytes(range(100))
    private.kill()
    with pytest.raises(Unavailable, match="cannot be reached"):
        next(reading)
    private.start()
    assert store.get("work/a") == bytes(range(200))


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Minio]:
    """One that may be hurt."""
    with servers.minio(tmp_path_factory.mktemp("private") / "minio") as server:
        yield server


def test_conditions_are_asked_for_once_a_process_and_only_where_they_are_needed(
    proxy: Proxy, location: str
) -> None:
    store_at(location, proxy.environment).create("work/made-the-probe", b"")
    proxy.asked.clear()
    store = store_at(location, proxy.environment)
    store.put("work/a", b"x")
    store.get("work/a")
    assert proxy.count("PUT") == 1
    store.create("work/b", b"x")
    store.create("work/c", b"x")
    assert proxy.count("PUT", ".kinora/") == 1
    assert proxy.count("PUT") == 4
    assert [info.key for info in store.list("work/")] == [
        "work/a", "work/b", "work/c", "work/made-the-probe"
    ]  # fmt: skip


def test_without_conditions_and_without_a_state_store_nothing_is_written_on_one(
    proxy: Proxy, location: str
) -> None:
    proxy.stripped = CONDITIONS
    store = store_at(location, proxy.environment)
    with pytest.raises(Unavailable, match="KINORA_STATE"):
        store.create("work/a", b"")
    with pytest.raises(Unavailable, match="KINORA_STATE"):
        store.put("work/a", b"", match="etag")
    assert store.put("work/a", b"x")


def test_a_service_that_knows_no_conditions_is_like_one_that_ignores_them(
    proxy: Proxy, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = Fault(status=501, body=b"<Error><Code>NotImplemented</Code></Error>")
    proxy.fault = lambda asked: unknown if asked.headers.keys() & CONDITIONS else None
    for name, value in proxy.environment.items():
        monkeypatch.setenv(name, value)
    store = object_store(location, state=str(tmp_path / "state.sqlite"))
    assert store.create("work/a", b"one")
    assert not store.create("work/a", b"two")
    there = store.head("work/a")
    assert there is not None
    assert store.put("work/a", b"three", match=there.etag)
    assert not store.put("work/a", b"four", match=there.etag)
    assert store.get("work/a") == b"three"
