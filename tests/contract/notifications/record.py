"""Records what a real MinIO tells of objects, for the tests to replay: run it, look at the diff.

python -m tests.contract.notifications.record

Each file holds one notification (its headers and its body) and the events it has to become. What
those say comes from the server itself, asked for the object, not from what is tested.
"""

from __future__ import annotations

import http.client
import json
import queue
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from minio import Minio
from minio.commonconfig import ENABLED, CopySource, Tags
from minio.datatypes import PostPolicy
from minio.error import S3Error
from minio.notificationconfig import NotificationConfig, QueueConfig
from minio.time import utcnow
from minio.versioningconfig import SUSPENDED, VersioningConfig

from tests import servers

FOLDER: Final = Path(__file__).parent
ARN: Final = "arn:minio:sqs::KINORA:webhook"
TOKEN: Final = "a-token-of-the-source"
PART: Final = bytes(5 * 1024 * 1024)
_WAIT_S: Final = 30.0


@dataclass(frozen=True)
class Told:
    """One request that the server made."""

    headers: Mapping[str, str]
    body: Any


class Listener:
    """A loopback endpoint that keeps what it is told. It answers with `statuses`, one after the
    other, and with 204 from then on."""

    def __init__(self, *statuses: int) -> None:
        told: queue.Queue[Told] = queue.Queue()
        answers = iter(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                told.put(Told(dict(self.headers.items()), json.loads(body)))
                self.send_response(next(answers, 204))
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._told = told
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def next(self) -> Told:
        return self._told.get(timeout=_WAIT_S)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


def webhook(url: str, *, token: str = TOKEN) -> dict[str, str]:
    """What lets a MinIO post its notifications to `url`, one attempt after the other."""
    return {
        "MINIO_NOTIFY_WEBHOOK_ENABLE_KINORA": "on",
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_KINORA": url,
        "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_KINORA": token,
    }


def client(server: servers.Minio) -> Minio:
    return Minio(
        endpoint=urlsplit(server.endpoint).netloc,
        access_key=servers.ACCESS_KEY,
        secret_key=servers.SECRET_KEY,
        region="us-east-1",
        secure=False,
    )


def bucket(minio: Minio, name: str, *, versioned: bool, events: str = "s3:ObjectCreated:*") -> None:
    """A bucket that tells of `events`."""
    minio.make_bucket(bucket_name=name)
    if versioned:
        minio.set_bucket_versioning(bucket_name=name, config=VersioningConfig(ENABLED))
    wait_for_target(minio, name)
    minio.set_bucket_notification(
        bucket_name=name,
        config=NotificationConfig(queue_config_list=[QueueConfig(queue=ARN, events=[events])]),
    )


def wait_for_target(minio: Minio, name: str) -> None:
    """Until the server knows its own webhook: a moment after it calls itself ready."""
    deadline_s = time.monotonic() + _WAIT_S
    some = QueueConfig(queue=ARN, events=["s3:ObjectRemoved:Delete"])
    while True:
        try:
            minio.set_bucket_notification(
                bucket_name=name, config=NotificationConfig(queue_config_list=[some])
            )
        except S3Error as error:
            if error.code != "InvalidArgument" or time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
        else:
            return


def put(minio: Minio, where: str, key: str, body: bytes = b"moving pictures", **more: Any) -> None:
    minio.put_object(
        bucket_name=where, object_name=key, data=BytesIO(body), length=len(body), **more
    )


def copy(minio: Minio, where: str, key: str, *, source: str) -> None:
    minio.copy_object(
        bucket_name=where,
        object_name=key,
        source=CopySource(bucket_name=where, object_name=source),
    )


def multipart(minio: Minio, where: str, key: str) -> None:
    body = PART + b"the rest"
    minio.put_object(
        bucket_name=where,
        object_name=key,
        data=BytesIO(body),
        length=len(body),
        part_size=len(PART),
    )


def tag(minio: Minio, where: str, key: str) -> None:
    tags = Tags.new_object_tags()
    tags["kind"] = "film"
    minio.set_object_tags(bucket_name=where, object_name=key, tags=tags)


def post(server: servers.Minio, minio: Minio, where: str, key: str) -> None:
    """As a browser's form does it, with a signed policy."""
    policy = PostPolicy(bucket_name=where, expiration=utcnow() + timedelta(minutes=5))
    policy.add_equals_condition("key", key)
    policy.add_equals_condition("x-amz-meta-kinora-profile", "fast")
    fields = {
        **minio.presigned_post_policy(policy),
        "key": key,
        "x-amz-meta-kinora-profile": "fast",
    }
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="film"\r\n'
        f"Content-Type: video/mp4\r\n\r\nposted pictures\r\n--{boundary}--\r\n"
    )
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_WAIT_S)
    try:
        connection.request(
            "POST",
            f"/{where}",
            "".join(parts).encode(),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        answer = connection.getresponse()
        assert answer.status == 204, answer.read()
    finally:
        connection.close()


KEYS: Final = {
    "space": "acme/my film.mp4",
    "plus": "acme/a+b.mp4",
    "percent": "acme/a%2Bb 100%.mp4",
    "utf8": "acme/Ünïcode · 映画 🎬.mp4",
    "dots": "acme/a..b/...mp4",
    "quotes": 'acme/it\'s "quoted" & <tagged>.mp4',
}


def _record(folder: Path) -> None:
    listener = Listener()
    with (
        listener.running(),
        servers.minio(folder / "minio", env=webhook(listener.url)) as server,
    ):
        minio = client(server)
        bucket(minio, "uploads", versioned=False)
        bucket(minio, "versions", versioned=True)

        def keep(name: str, where: str, key: str, *, created: bool = True) -> None:
            _write(name, listener.next(), _event(minio, where, key) if created else None)

        for where, prefix in (("uploads", ""), ("versions", "versioned-")):
            put(minio, where, "acme/film.mp4", content_type="video/mp4")
            keep(f"{prefix}put", where, "acme/film.mp4")
            tag(minio, where, "acme/film.mp4")
            keep(f"{prefix}tagging", where, "acme/film.mp4", created=False)
            copy(minio, where, "acme/copy.mp4", source="acme/film.mp4")
            keep(f"{prefix}copy", where, "acme/copy.mp4")
            multipart(minio, where, "acme/long.mp4")
            keep(f"{prefix}multipart", where, "acme/long.mp4")
            post(server, minio, where, "acme/posted.mp4")
            keep(f"{prefix}post", where, "acme/posted.mp4")
            put(minio, where, "acme/film.mp4", b"other pictures")
            keep(f"{prefix}replaced", where, "acme/film.mp4")
        for name, key in KEYS.items():
            put(minio, "uploads", key)
            keep(f"key-{name}", "uploads", key)
        minio.set_bucket_versioning(bucket_name="versions", config=VersioningConfig(SUSPENDED))
        put(minio, "versions", "acme/suspended.mp4")
        keep("suspended", "versions", "acme/suspended.mp4")
        put(minio, "uploads", "acme/options.mp4", metadata={"x-amz-meta-kinora-profile": "fast"})
        keep("metadata", "uploads", "acme/options.mp4")
        put(minio, "uploads", "acme/empty.mp4", b"")
        keep("empty", "uploads", "acme/empty.mp4")
        put(minio, "uploads", "acme/folder/", b"")
        keep("folder", "uploads", "acme/folder/", created=False)


def _event(minio: Minio, where: str, key: str) -> dict[str, object]:
    found = minio.stat_object(bucket_name=where, object_name=key)
    return {
        "bucket": where,
        "key": key,
        "etag": found.etag,
        # Of an object that was written without versioning.
        "version": "" if found.version_id in (None, "null") else found.version_id,
        "size_bytes": found.size,
    }


def _write(name: str, told: Told, event: dict[str, object] | None) -> None:
    headers = {name.lower(): value for name, value in told.headers.items()}
    kept = {
        "request": {
            "headers": {name: headers[name] for name in ("content-type", "user-agent")},
            "body": told.body,
        },
        "events": [event] if event else [],
    }
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    (FOLDER / f"minio-{name}.json").write_text(text + "\n")
    sys.stdout.write(f"minio-{name}.json\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "minio").mkdir()
        _record(Path(place))
