"""A real MinIO tells the real source, which tells a broker: the same that a sweep would tell."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from minio import Minio
from minio.versioningconfig import SUSPENDED, VersioningConfig
from typer.testing import CliRunner

from eventing import codec
from eventing.contract import ObjectCreated, identity
from eventing.envelope import unwrap
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.sweeper.uploads import Uploads
from knative.cli.main import app
from tests import servers
from tests.contract.notifications import record
from tests.integration.served import DEADLINE_S, Served, served

pytestmark = pytest.mark.servers

SOURCE = "from functions.source.main import function\n"


@dataclass
class Broker:
    """Takes events on a loopback port."""

    url: str = ""
    taken: queue.Queue[tuple[str, ObjectCreated]] = field(default_factory=queue.Queue)

    def until(self, key: str) -> list[tuple[str, ObjectCreated]]:
        """Everything that comes up to the object of this key."""
        found = []
        while True:
            found.append(self.taken.get(timeout=DEADLINE_S))
            if found[-1][1].key == key:
                return found


@contextmanager
def broker() -> Iterator[Broker]:
    made = Broker()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            event = codec.decode(list(self.headers.items()), body)
            payload = unwrap(event)
            assert isinstance(payload, ObjectCreated)
            made.taken.put((event.id, payload))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Place:
    server: servers.Minio
    minio: Minio
    broker: Broker
    source: Served

    def swept(self, store: str, *buckets: str) -> list[ObjectCreated]:
        """What a sweep tells of: every source, for nothing has a job here."""
        uploads = Uploads(
            store=S3Store(
                Account.read({**os.environ, **self.server.environment}), Buckets.at(store)
            ),
            buckets=buckets,
            now_s=time.time() + 60,
            settle_s=0.0,
            listed=1000,
            limit=1000,
            seed="",
        )
        return list(uploads.unheard())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("source")
    with (
        broker() as taking,
        served(
            folder,
            SOURCE,
            K_SINK=taking.url,
            KINORA_STORE="s3://drops",
            KINORA_TENANTS='{"plain-in": "acme"}',
            KINORA_SOURCE_TOKEN=f"an-older-one,{record.TOKEN}",
        ) as source,
    ):
        assert source.request("HEAD", "/").status == 200
        env = record.webhook(f"http://127.0.0.1:{source.port}/")
        with servers.minio(tmp_path_factory.mktemp("minio"), env=env) as server:
            minio = record.client(server)
            minio.make_bucket(bucket_name="probe")
            record.wait_for_target(minio, "probe")
            yield Place(server, minio, taking, source)


def drop(place: Place, bucket: str) -> set[str]:
    """Objects in every way that there is, and what is no new object. The keys of the sources."""
    record.put(place.minio, bucket, "acme/film.mp4")
    record.copy(place.minio, bucket, "acme/copy.mp4", source="acme/film.mp4")
    record.multipart(place.minio, bucket, "acme/long.mp4")
    record.post(place.server, place.minio, bucket, "acme/posted.mp4")
    record.tag(place.minio, bucket, "acme/film.mp4")
    record.put(place.minio, bucket, "acme/film.mp4.json", b"{}")
    record.put(place.minio, bucket, "acme/folder/", b"")
    for key in record.KEYS.values():
        record.put(place.minio, bucket, key)
    return {f"acme/{name}.mp4" for name in ("film", "copy", "long", "posted")} | {
        key for key in record.KEYS.values() if "/..." not in key
    }


def test_what_buckets_init_sets_up_tells_of_every_new_object_as_a_sweep_does(place: Place) -> None:
    env = {**place.server.environment, "KINORA_STORE": "s3://drops"}
    made = CliRunner().invoke(app, ["buckets", "init"], env=env)
    assert made.exit_code == 0, made.output
    keys = drop(place, "drops-uploads")
    record.put(place.minio, "drops-uploads", "acme/last.mp4")
    told = dict.fromkeys(place.broker.until("acme/last.mp4"))
    while len(told) <= len(keys):  # they may overtake each other
        told[place.broker.taken.get(timeout=DEADLINE_S)] = None
    events = [event for _, event in told]
    assert {event.key for event in events} == keys | {"acme/last.mp4"}
    assert {event.bucket for event in events} == {"uploads"}
    assert all(event.version for event in events)
    assert sorted(events, key=str) == sorted(place.swept("s3://drops", "uploads"), key=str)
    assert {id_ for id_, _ in told} == {identity(event) for event in events}


def test_without_versions_and_with_every_notification_there_is_the_same_holds(
    place: Place,
) -> None:
    record.bucket(place.minio, "plain-in", versioned=False)
    # Somebody has set up too much: our own outputs are told of as well.
    record.bucket(place.minio, "plain-media", versioned=False)
    record.put(place.minio, "plain-media", "0/720p/1.m4s")
    keys = drop(place, "plain-in")
    record.put(place.minio, "plain-in", "acme/last.mp4")
    told = dict.fromkeys(place.broker.until("acme/last.mp4"))
    while len(told) <= len(keys):
        told[place.broker.taken.get(timeout=DEADLINE_S)] = None
    events = [event for _, event in told]
    assert {event.key for event in events} == keys | {"acme/last.mp4"}
    assert not any(event.version for event in events)
    assert sorted(events, key=str) == sorted(place.swept("s3://drops", "plain-in"), key=str)


def test_what_was_written_before_there_were_versions_is_told_the_same_by_both(
    place: Place,
) -> None:
    place.minio.set_bucket_versioning(
        bucket_name="drops-uploads", config=VersioningConfig(SUSPENDED)
    )
    record.put(place.minio, "drops-uploads", "acme/suspended.mp4")
    ((_, event),) = place.broker.until("acme/suspended.mp4")
    assert event.version == ""
    assert event in place.swept("s3://drops", "uploads")


def test_a_server_with_a_queue_repeats_what_was_not_taken_until_it_is(tmp_path: Path) -> None:
    listener = record.Listener(401, 503)
    env = {
        **record.webhook(listener.url),
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_KINORA": str(tmp_path / "queue"),
        "MINIO_API_SYNC_EVENTS": "on",
    }
    (tmp_path / "minio").mkdir()
    with listener.running(), servers.minio(tmp_path / "minio", env=env) as server:
        minio = record.client(server)
        record.bucket(minio, "uploads", versioned=False)
        record.put(minio, "uploads", "acme/film.mp4")
        told = [listener.next() for _ in range(3)]
    assert told[0].body == told[1].body == told[2].body
    assert {each.headers["Authorization"] for each in told} == {f"Bearer {record.TOKEN}"}


def test_the_source_answers_whoever_asks_whether_it_is_there(place: Place) -> None:
    assert place.source.request("GET", "/").status == 200
    assert place.source.request("GET", "/health/ready").status == 200
    assert place.source.request("POST", "/", b"{}").status == 401
    junk = place.source.request("POST", "/", b"junk", {"authorization": f"Bearer {record.TOKEN}"})
    assert (junk.status, junk.body) == (204, b"")
    # More than a function takes of an event.
    for size in (100_000, 1_000_000):
        large = place.source.request(
            "POST", "/", b" " * size, {"authorization": f"Bearer {record.TOKEN}"}
        )
        assert large.status == 204
