"""What a town holds although nothing goes on any more: half of anything is a finding."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil

from functions.jobs import layout, record
from functions.webhooks.outbox import Message
from tests.e2e.command import processes, until
from tests.e2e.services import PREFIX, Town

_WORK = f"{PREFIX}-{layout.WORK}"
_SOON_S = 3600.0
"""Later is when messages are forgotten."""


def nothing(town: Town) -> None:
    """Wait until nothing is left; fails with what there is."""
    found: list[str] = []

    def clean() -> bool:
        found[:] = everything(town)
        return not found

    try:
        until("nothing is left", clean, within_s=60, every_s=0.3)
    except AssertionError:
        raise AssertionError(f"left: {json.dumps(found[:20], indent=1)}") from None


def everything(town: Town) -> list[str]:
    return [*_objects(town), *_parts(town), *_index(town), *_scratch(town)]


def no_process(town: Town) -> None:
    """Only the servers still work in the folder of a runtime that has stopped."""
    servers = {town.minio.process, town.redis.process}
    pids = {process.pid for process in servers if process is not None}

    def ours() -> list[psutil.Process]:
        return [process for process in processes(town.folder) if process.pid not in pids]

    until("every process is gone", lambda: not ours(), within_s=60)


def uploads_begun(town: Town) -> Iterator[tuple[str, str]]:
    """Tenant and id of uploads whose client never learned that they were begun."""
    for item in town.s3.list_objects(
        _WORK, prefix=_within(layout.UPLOADING_PREFIX), recursive=True
    ):
        tenant, _, upload = (
            str(item.object_name).removeprefix(_within(layout.UPLOADING_PREFIX)).partition("/")
        )
        yield tenant, upload


def _objects(town: Town) -> Iterator[str]:
    for prefix in (
        layout.OPEN_PREFIX, layout.PARKED_PREFIX, layout.UPLOADING_PREFIX, layout.TAILS_PREFIX
    ):  # fmt: skip
        for item in town.s3.list_objects(_WORK, prefix=_within(prefix), recursive=True):
            yield str(item.object_name)
    for item in town.s3.list_objects(_WORK, prefix=_within(layout.DUE_PREFIX), recursive=True):
        name = str(item.object_name)
        due_ms, tenant, message = name.removeprefix(_within(layout.DUE_PREFIX)).split("/")
        if int(due_ms) / 1000 < time.time() + _SOON_S:
            # One too many, of two who changed the message at once, is found and goes by itself.
            there = town.s3.get_object(_WORK, layout.outbox(tenant, message).partition("/")[2])
            with closing(there):
                if record.load(there.read(), Message).due_ms == int(due_ms):
                    yield name


def _parts(town: Town) -> Iterator[str]:
    """MinIO lists multipart uploads by their exact key alone: on its disk they are all together."""
    folder = town.minio.folder / "data" / ".minio.sys" / "multipart"
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder))


def _index(town: Town) -> Iterator[str]:
    """Of jobs, and leases that somebody has. How an endpoint fared is remembered for a while."""
    for key in town.redis.all_keys():
        if any(f":{part}:" in key for part in ("job", "queue", "slots", "cause")):
            yield key
    with town.redis.asked() as client:
        (leases,) = client.keys("*:leases") or [""]
        for lease in client.zrangebyscore(leases, time.time(), "+inf") if leases else []:
            if not str(lease).startswith(("breaker:", "proven:")):
                yield str(lease)


def _scratch(town: Town) -> Iterator[str]:
    folder = town.folder / "site" / "runtime" / "scratch"
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder))


def _within(prefix: str) -> str:
    """A prefix of keys as it is in its bucket."""
    return str(Path(prefix).relative_to(layout.WORK)) + "/"
