"""Uploads through a gateway process of its own, by the clients that people have."""

from __future__ import annotations

import functools
import hashlib
import io
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

import httpx2
import pytest
from tusclient.client import TusClient

from eventing.contract import ObjectCreated
from functions.adapters import connect
from functions.jobs.intake import Intake
from functions.ports import ObjectStore
from tests.gateway_process import Running, gateway
from tests.integration.served import until
from tests.s3_buckets import fresh_buckets
from tests.servers import Minio

PART = 5 * 1024 * 1024
BODY = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(400_000))
"""12.8 MB: two parts and a tail."""
LOST_BYTES = 512 * 1024
"""What a server may have read and not handed on when it learns that the client has gone."""


@pytest.fixture(scope="module", params=["folder", pytest.param("minio", marks=pytest.mark.servers)])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Address of a store, and the environment that it needs."""
    if request.param == "folder":
        yield f"{(tmp_path_factory.mktemp('place') / 'store').as_uri()}?durable=0", {}
        return
    server: Minio = request.getfixturevalue("minio_server")
    with _in_environment(server):
        yield fresh_buckets(server), server.environment


@contextmanager
def _in_environment(server: Minio) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def _shared(
    place: tuple[str, Mapping[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    location, env = place
    env = {"KINORA_UPLOAD_PART_BYTES": str(PART), **env}
    with gateway(tmp_path_factory.mktemp("gateway"), store=location, env=env) as found:
        yield found


@pytest.fixture
def running(_shared: Running) -> Running:
    """One for all tests that leave it alive."""
    _shared.events.clear()
    return _shared


@pytest.fixture
def store(place: tuple[str, Mapping[str, str]], running: Running) -> ObjectStore:
    return connect.object_store(place[0])


def _created(running: Running) -> ObjectCreated:
    (event,) = running.events
    assert isinstance(event, ObjectCreated)
    return event


def _require_job(running: Running, store: ObjectStore, body: bytes = BODY) -> ObjectCreated:
    """The object is there as it was sent, and was told of as whoever lists the store would."""
    event = _created(running)
    key = f"uploads/{event.key}"
    assert store.get(key) == body
    info = store.head(key)
    assert info is not None
    assert (event.etag, event.version, event.size_bytes) == (info.etag, info.version, len(body))
    assert [each.key for each in store.list("work/uploading/")] == []
    assert [each.key for each in store.list("work/tails/")] == []
    return event


@pytest.mark.parametrize("chunk_bytes", [len(BODY), 3_000_000])
def test_an_ordinary_tus_client_uploads(
    running: Running, store: ObjectStore, chunk_bytes: int
) -> None:
    client = TusClient(f"{running.url}/api/v1/tus")
    uploader = client.uploader(
        file_stream=cast(IO[bytes], io.BytesIO(BODY)),
        chunk_size=chunk_bytes,
        metadata={"filename": "a film.mp4", "filetype": "video/mp4", "profile": "fast"},
        upload_checksum=chunk_bytes < len(BODY),
    )
    uploader.upload()
    event = _require_job(running, store)
    assert event.key.endswith("/a film.mp4")
    assert store.get(f"uploads/{event.key}.json") == b'{"profile":"fast"}'


def _offset(address: str) -> int:
    answer = httpx2.head(address, headers={"tus-resumable": "1.0.0"}, trust_env=False)
    return int(answer.headers["upload-offset"])


def _is_beyond(address: str, least: int) -> bool:
    return _offset(address) > least


def _send_some(url: str, path: str, at: int, length: int, body: bytes) -> None:
    """A PATCH that promises `length` bytes, sends these and breaks off."""
    host = urlsplit(url)
    with closing(socket.create_connection((host.hostname, host.port), timeout=30)) as connection:
        connection.sendall(
            (
                f"PATCH {path} HTTP/1.1\r\nhost: {host.netloc}\r\ntus-resumable: 1.0.0\r\n"
                "content-type: application/offset+octet-stream\r\n"
                f"upload-offset: {at}\r\ncontent-length: {length}\r\n\r\n"
            ).encode()
            + body
        )


def test_a_dropped_connection_resumes_where_it_was(running: Running, store: ObjectStore) -> None:
    client = TusClient(f"{running.url}/api/v1/tus")
    stream = cast(IO[bytes], io.BytesIO(BODY))
    uploader = client.uploader(file_stream=stream, metadata={"filename": "film.mp4"})
    address = uploader.create_url()
    path = urlsplit(address).path
    at = 0
    for more in (6_000_000, 3_000_000):
        _send_some(running.url, path, at, len(BODY) - at, BODY[at : at + more])
        # What the server had read when it learned that the client has gone.
        least = at + more - LOST_BYTES
        until(functools.partial(_is_beyond, address, least), f"{least} bytes are kept")
        assert _offset(address) <= at + more
        at = _offset(address)
    again = client.uploader(file_stream=stream, url=address)
    assert again.offset == at
    again.upload()
    _require_job(running, store)


@contextmanager
def _writing(running: Running, path: str, body: bytes) -> Iterator[None]:
    """A client that sends so much of the file, and then nothing, without hanging up."""
    host = urlsplit(running.url)
    with closing(socket.create_connection((host.hostname, host.port), timeout=30)) as connection:
        head = (
            f"PATCH {path} HTTP/1.1\r\nhost: {host.netloc}\r\ntus-resumable: 1.0.0\r\n"
            "content-type: application/offset+octet-stream\r\n"
            f"upload-offset: 0\r\ncontent-length: {len(BODY)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        yield


def _begin(running: Running) -> str:
    client = TusClient(f"{running.url}/api/v1/tus")
    stream = cast(IO[bytes], io.BytesIO(BODY))
    uploader = client.uploader(file_stream=stream, metadata={"filename": "film.mp4"})
    path: str = urlsplit(uploader.create_url()).path
    return path


def _go_on(running: Running, path: str, *, retries: int = 0) -> int:
    """Upload what is missing; returns where it went on."""
    uploader = TusClient(f"{running.url}/api/v1/tus").uploader(
        file_stream=cast(IO[bytes], io.BytesIO(BODY)),
        url=f"{running.url}{path}",
        retries=retries,
        retry_delay=2,
    )
    at: int = uploader.offset
    uploader.upload()
    return at


def test_a_client_that_fell_silent_makes_way_for_the_one_that_came_back(
    running: Running, place: tuple[str, Mapping[str, str]], store: ObjectStore
) -> None:
    path = _begin(running)
    with _writing(running, path, BODY[: PART + 1000]):
        _until_parts(place[0], path, 1)
        assert _go_on(running, path) == PART + 1000
    _require_job(running, store)


def test_a_gateway_that_is_told_to_end_keeps_what_it_has(
    place: tuple[str, Mapping[str, str]], tmp_path: Path
) -> None:
    location, env = place
    env = {"KINORA_UPLOAD_PART_BYTES": str(PART), **env}
    with gateway(tmp_path, store=location, env=env) as first:
        path = _begin(first)
        with _writing(first, path, BODY[: PART + 1000]):
            _until_parts(location, path, 1)
            first.process.terminate()
            assert first.process.wait(timeout=30) == 0
    with gateway(tmp_path, store=location, env=env) as second:
        assert _go_on(second, path) == PART + 1000
        _require_job(second, connect.object_store(location))


@pytest.mark.slow
def test_an_upload_goes_on_after_its_gateway_was_killed(
    place: tuple[str, Mapping[str, str]], tmp_path: Path
) -> None:
    location, env = place
    env = {"KINORA_UPLOAD_PART_BYTES": str(PART), **env}
    with gateway(tmp_path, store=location, env=env) as first:
        path = _begin(first)
        with _writing(first, path, BODY[: 2 * PART + 1000]):
            _until_parts(location, path, 2)
            first.process.kill()
            first.process.wait()
    with gateway(tmp_path, store=location, env=env) as second:
        # The dead one's lease runs out within the client's patience.
        assert _go_on(second, path, retries=10) == 2 * PART
        _require_job(second, connect.object_store(location))


def _until_parts(location: str, path: str, count: int) -> None:
    work = Intake(connect.object_store(location), connect.uploads(location))
    found = work.find("local", path.rsplit("/", 1)[-1])
    assert found is not None
    until(lambda: len(work.parts(found.uploading)) == count, "the parts were taken")


def test_a_whole_file_is_put_in_one_request(running: Running, store: ObjectStore) -> None:
    made = _make(running, method="direct", name="film.mp4")
    answer = httpx2.put(made["links"]["content"], content=BODY, trust_env=False)
    assert answer.status_code == 200, answer.text
    event = _require_job(running, store)
    assert answer.json()["job"] == event.job
    assert httpx2.post(made["links"]["complete"], trust_env=False).json()["job"] == event.job
    assert len(running.events) == 1


def _make(running: Running, **asked: Any) -> dict[str, Any]:
    answer = httpx2.post(f"{running.url}/api/v1/uploads", json=asked, trust_env=False)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def _bucket(minio_server: Minio) -> Iterator[str]:
    with _in_environment(minio_server):
        yield fresh_buckets(minio_server, versioned=True)


@pytest.fixture(scope="module")
def _of_a_bucket(
    _bucket: str, minio_server: Minio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("gateway")
    env = {"KINORA_UPLOAD_PART_BYTES": str(PART), **minio_server.environment}
    with gateway(folder, store=_bucket, env=env) as found:
        yield found


@pytest.mark.servers
class TestStraightToTheBucket:
    @pytest.fixture
    def running(self, _of_a_bucket: Running) -> Running:
        _of_a_bucket.events.clear()
        return _of_a_bucket

    @pytest.fixture
    def store(self, _bucket: str) -> ObjectStore:
        return connect.object_store(_bucket)

    def test_a_form_is_posted_by_a_browser(self, running: Running, store: ObjectStore) -> None:
        made = _make(running, method="post", name="a film.mp4", content_type="video/mp4")
        early = httpx2.post(made["links"]["complete"], trust_env=False)
        assert early.status_code == 409
        form = made["form"]
        posted = httpx2.post(
            form["url"], data=form["fields"], files={"file": ("x", BODY)}, trust_env=False
        )
        assert posted.status_code == 201, posted.text
        done = httpx2.post(made["links"]["complete"], trust_env=False)
        assert done.status_code == 200, done.text
        assert done.json()["job"] == _require_job(running, store).job

    def test_parts_are_put_to_where_they_were_signed_for(
        self, running: Running, store: ObjectStore
    ) -> None:
        options = {"profile": "fast", "public": True}
        made = _make(
            running, method="multipart", name="film.mp4", size_bytes=len(BODY), options=options
        )
        numbers = list(range(1, -(-len(BODY) // made["part_bytes"]) + 1))
        signed = httpx2.post(
            made["links"]["parts"], json={"numbers": numbers}, trust_env=False
        ).json()["parts"]
        at = 0
        for part in signed:
            piece = BODY[at : at + part["size_bytes"]]
            assert httpx2.put(part["url"], content=piece, trust_env=False).status_code == 200
            at += len(piece)
            shown = httpx2.get(made["links"]["self"], trust_env=False).json()
            assert shown["offset_bytes"] == at
        done = httpx2.post(made["links"]["complete"], trust_env=False)
        assert done.status_code == 200, done.text
        event = _require_job(running, store)
        assert event.version
        assert store.get(f"uploads/{event.key}.json") == b'{"profile":"fast","public":true}'

    def test_parts_that_are_missing_make_no_object(self, running: Running) -> None:
        made = _make(running, method="multipart", name="film.mp4", size_bytes=len(BODY))
        assert httpx2.post(made["links"]["complete"], trust_env=False).status_code == 409
        assert httpx2.delete(made["links"]["self"], trust_env=False).status_code == 204
        assert httpx2.post(made["links"]["complete"], trust_env=False).status_code == 404


def test_memory_stays_bounded_while_a_long_file_passes_through(tmp_path: Path) -> None:
    size_bytes = 200 * 1024 * 1024
    with gateway(tmp_path, store=f"{(tmp_path / 'store').as_uri()}?durable=0") as running:
        _make(running, method="tus", name="warm.mp4")
        idle_bytes = running.rss_bytes()
        made = _make(running, method="direct", name="film.mp4", size_bytes=size_bytes)
        piece = bytes(1024 * 1024)
        answer = httpx2.put(
            made["links"]["content"],
            content=(piece for _ in range(size_bytes // len(piece))),
            trust_env=False,
            timeout=120,
        )
        assert answer.status_code == 200, answer.text
        assert running.peak_rss_bytes() - idle_bytes < 80 * 1024 * 1024
