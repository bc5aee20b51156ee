"""A long upload through a real gateway: what it keeps in memory, how fast it is, what a broken
connection costs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from tests import servers
from tests.bench.figure import at_least, at_most
from tests.gateway_process import Running, gateway
from tests.s3_buckets import fresh_buckets

SIZE_BYTES: Final = 2 * 1024**3
_MIB: Final = 1024 * 1024
_PIECE: Final = bytes(range(256)) * 4096
"""1 MiB."""
_TUS: Final = {"tus-resumable": "1.0.0"}


def measure(scratch: Path) -> list[dict[str, Any]]:
    rows = []
    folder = scratch / "folder"
    folder.mkdir()
    rows += _through(folder, "a folder", f"{(folder / 'store').as_uri()}?durable=0", {})
    with servers.minio(scratch / "minio") as minio:
        place = scratch / "gateway"
        place.mkdir()
        rows += _through(place, "MinIO", fresh_buckets(minio), minio.environment)
    return rows


def _through(folder: Path, where: str, store: str, env: Mapping[str, str]) -> list[dict[str, Any]]:
    with gateway(folder, store=store, env=env) as running:
        # Whatever is loaded with the first upload is not this one's.
        _upload(running, 1)
        idle_bytes = running.rss_bytes()
        started_s = time.monotonic()
        lost_bytes = _upload(running, SIZE_BYTES // _MIB, breaks_mib=(700, 1500))
        took_s = time.monotonic() - started_s
        above_mib = (running.peak_rss_bytes() - idle_bytes) / _MIB
        completed = len(running.events) == 2
    return [
        at_most(f"2 GiB by tus into {where}: memory above idle, MiB", above_mib, 150),
        at_most(
            f"2 GiB by tus into {where}: sent again after two breaks, MiB", lost_bytes / _MIB, 2
        ),
        at_least(f"2 GiB by tus into {where}: jobs", float(completed), 1),
        {"figure": f"2 GiB by tus into {where}: MiB/s", "measured": SIZE_BYTES / _MIB / took_s},
    ]


def _upload(running: Running, mib: int, *, breaks_mib: tuple[int, ...] = ()) -> int:
    """Upload so much, with a connection that breaks off at these places; what was sent twice."""
    length = mib * _MIB
    headers = {**_TUS, "upload-length": str(length), "upload-metadata": "filename ZmlsbS5tcDQ="}
    made = httpx2.post(f"{running.url}/api/v1/tus", headers=headers, trust_env=False)
    address = f"{running.url}{urlsplit(made.headers['location']).path}"
    at = lost_bytes = 0
    for stop_mib in breaks_mib:
        stop = stop_mib * _MIB
        _break_off(address, at, stop, length)
        kept = _offset(address)
        lost_bytes += stop - kept
        at = kept
    answer = httpx2.patch(
        address,
        headers={
            **_TUS,
            "content-type": "application/offset+octet-stream",
            "upload-offset": str(at),
            "content-length": str(length - at),
        },
        content=_bytes(at, length),
        trust_env=False,
        timeout=600,
    )
    assert answer.status_code == 204, answer.text
    assert answer.headers["kinora-job"]
    return lost_bytes


def _break_off(address: str, at: int, stop: int, length: int) -> None:
    host = urlsplit(address)
    with closing(socket.create_connection((host.hostname, host.port), timeout=600)) as connection:
        connection.sendall(
            f"PATCH {host.path} HTTP/1.1\r\nhost: {host.netloc}\r\ntus-resumable: 1.0.0\r\n"
            "content-type: application/offset+octet-stream\r\n"
            f"upload-offset: {at}\r\ncontent-length: {length - at}\r\n\r\n".encode()
        )
        for piece in _bytes(at, stop):
            connection.sendall(piece)


def _bytes(start: int, stop: int) -> Iterator[bytes]:
    """The file's bytes between these places."""
    while start < stop:
        inside = start % len(_PIECE)
        piece = _PIECE[inside : inside + stop - start]
        yield piece
        start += len(piece)


def _offset(address: str) -> int:
    """Where the upload is, once that stands still."""
    before = -1
    while True:
        answer = httpx2.head(address, headers=_TUS, trust_env=False, timeout=60)
        now = int(answer.headers["upload-offset"])
        if now == before:
            return now
        before = now
