"""Clients that do not give up: each goes on with its upload until somebody says that it is there.

What an answer says is final (a 4xx but for those that ask to come again) is a finding, and fails.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
import urllib3
from minio import Minio
from minio.error import MinioException
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from tests import servers
from tests.e2e.services import UPLOADS, Town

T = TypeVar("T")

OPTIONS: Final = {"profile": "steady", "chunk_segments": 1}
CHUNK_BYTES: Final = 1_000_000
_WHOLE_BYTES: Final = 64 << 20
"""Up to this size in one request: half a multipart upload of somebody else is MinIO's to drop."""
_PATIENCE_S: Final = 120.0
_PAUSE_S: Final = 0.2
_COME_AGAIN: Final = (408, 409, 423, 429)
"""409: another request writes to the upload; one that was cut off does so a little while longer."""

Progress = Callable[[float], None]
"""Told of the share of an upload that was sent, from 0 to 1."""


class NotNow(Exception):
    """The same may work in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An upload that was acknowledged."""

    tenant: str
    way: str
    source: Path
    ending: str
    """What the key ends with: no other object's does."""
    job: str = ""
    """That became of it, where the answer said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One who uploads for a tenant."""

    town: Town
    tenant: str
    choose: random.Random
    sent: Progress = lambda share: None

    def put(self, source: Path, name: str) -> Taken:
        """Straight to the bucket, as a drop: a name of its own for each attempt, since a second
        object under the same would be a second job."""
        client = Minio(
            f"127.0.0.1:{self.town.minio.port}",
            access_key=servers.ACCESS_KEY,
            secret_key=servers.SECRET_KEY,
            secure=False,
            http_client=urllib3.PoolManager(retries=False, timeout=20),
        )
        metadata = {"kinora-profile": "steady", "kinora-chunk-segments": "1"}

        def attempt() -> str:
            ending = f"{self.choose.randrange(10**9)}-{name}"
            try:
                client.fput_object(
                    UPLOADS,
                    f"{self.tenant}/{ending}",
                    str(source),
                    metadata=dict(metadata),
                    part_size=_WHOLE_BYTES,
                )
            except (MinioException, urllib3.exceptions.HTTPError) as error:
                raise NotNow from error
            return ending

        self.sent(0.0)
        ending = insist(f"{name} is put", attempt)
        self.sent(1.0)
        return Taken(tenant=self.tenant, way="put", source=source, ending=ending)

    def multipart(self, source: Path, name: str) -> Taken:
        """Parts straight to the bucket, to addresses that the gateway presigns."""
        body = source.read_bytes()
        asked = {
            "name": name,
            "size_bytes": len(body),
            "method": "multipart",
            "options": OPTIONS,
        }
        upload = self._ask("POST", "/uploads", json=asked)
        part_bytes: int = upload["part_bytes"]
        count = -(-len(body) // part_bytes)
        for number in range(1, count + 1):
            part = body[(number - 1) * part_bytes : number * part_bytes]
            insist(f"part {number} is taken", partial(self._part, upload, number, part))
            self.sent(number / count)
        done = self._ask("POST", f"/uploads/{upload['upload']}/complete", json={})
        assert done["state"] == "completed", done
        return self._through_gateway("multipart", source, name, upload["upload"], done["job"])

    def _part(self, upload: Mapping[str, Any], number: int, body: bytes) -> None:
        signed = self._ask("POST", f"/uploads/{upload['upload']}/parts", json={"numbers": [number]})
        try:
            answer = httpx2.put(
                signed["parts"][0]["url"], content=body, timeout=20, trust_env=False
            )
        except httpx2.TransportError as error:
            raise NotNow from error
        _judge(answer)

    def tus(self, source: Path, name: str) -> Taken:
        """Through the gateway, by an ordinary tus client that resumes where it was."""
        client = TusClient(f"{self.town.url}/api/v1/tus", self.town.credentials(self.tenant))
        checked = self.choose.random() < 0.5
        url = ""

        def attempt() -> None:
            nonlocal url
            try:
                uploader = client.uploader(
                    file_stream=stream,
                    url=url or None,
                    chunk_size=CHUNK_BYTES,
                    metadata={
                        "filename": name,
                        "profile": "steady",
                        "kinora-chunk-segments": "1",
                    },
                    upload_checksum=checked,
                )
                if not url:
                    url = str(uploader.create_url())
                    uploader.set_url(url)
                while uploader.offset < uploader.stop_at:
                    uploader.upload_chunk()  # type: ignore[no-untyped-call]
                    self.sent(uploader.offset / uploader.stop_at)
            except TusCommunicationError as error:
                status = error.status_code or 0
                assert status in (0, *_COME_AGAIN) or status >= 500, (
                    f"{status}: {error.response_content!r}"
                )
                raise NotNow from error

        with source.open("rb") as stream:
            insist(f"{name} is sent", attempt)
        upload = url.rpartition("/")[2]
        done = self._ask("GET", f"/uploads/{upload}")
        assert done["state"] == "completed", done
        return self._through_gateway("tus", source, name, upload, done["job"])

    def _through_gateway(self, way: str, source: Path, name: str, upload: str, job: str) -> Taken:
        # The gateway names the object by the upload.
        return Taken(
            tenant=self.tenant, way=way, source=source, ending=f"/{upload}/{name}", job=job
        )

    def _ask(self, method: str, path: str, *, json: Mapping[str, Any] | None = None) -> Any:
        def attempt() -> Any:
            try:
                with self.town.api_of(self.tenant) as api:
                    answer = api.request(method, path, json=json)
            except httpx2.TransportError as error:
                raise NotNow from error
            _judge(answer)
            return answer.json()

        return insist(f"{method} {path} is answered", attempt)


def insist(what: str, attempt: Callable[[], T]) -> T:
    """Again and again, as long as it is only not now."""
    end_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return attempt()
        except NotNow as error:
            if time.monotonic() > end_s:
                raise AssertionError(f"not within {_PATIENCE_S:g} s: {what}") from error
            time.sleep(_PAUSE_S)


def _judge(answer: httpx2.Response) -> None:
    """Raises NotNow for what may work in a moment; anything else that is no success fails."""
    if answer.status_code >= 500 or answer.status_code in _COME_AGAIN:
        raise NotNow(f"{answer.status_code}: {answer.text[:300]}")
    assert answer.is_success, f"{answer.status_code}: {answer.text[:300]}"
