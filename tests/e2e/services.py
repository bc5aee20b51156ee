"""A runtime on real services: MinIO that notifies it, Redis, the gateway, and an endpoint.

Everything listens on loopback ports of its own, and ends with the context it was started in.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from minio import Minio

from tests import servers
from tests.e2e.command import DEADLINE_S, TINY, until
from tests.e2e.inbox import Receiver, receiver

TENANT: Final = "local"
PREFIX: Final = "kinora"
UPLOADS: Final = f"{PREFIX}-uploads"
MEDIA: Final = f"{PREFIX}-media"
QUICK: Final = {
    "KINORA_STALE_S": "4",
    "KINORA_ENCODER_LEASE_S": "5",
    "KINORA_SETTLE_S": "2",
}
"""Patience in proportion to clips of seconds."""


@dataclass(slots=True)
class Town:
    """All of it, as whoever uses it sees it."""

    folder: Path
    minio: servers.Minio
    redis: servers.Redis
    receiver: Receiver
    page_port: int
    notifications_port: int
    env: Mapping[str, str]
    options: Sequence[str] = ("--tick", "1")
    redis_options: str = ""
    """`?timeout_s=1`: how Redis is spoken to."""
    keys: dict[str, str] = field(default_factory=dict)
    """By tenant, of a gateway that is open to nobody."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    @property
    def s3(self) -> Minio:
        return Minio(
            f"127.0.0.1:{self.minio.port}",
            access_key=servers.ACCESS_KEY,
            secret_key=servers.SECRET_KEY,
            secure=False,
        )

    @property
    def api(self) -> httpx2.Client:
        return self.api_of(TENANT)

    def api_of(self, tenant: str) -> httpx2.Client:
        return httpx2.Client(
            base_url=f"{self.url}/api/v1",
            headers=self.credentials(tenant),
            timeout=30,
            trust_env=False,
        )

    def credentials(self, tenant: str) -> dict[str, str]:
        """Headers that say who asks."""
        return {"authorization": f"Bearer {self.keys[tenant]}"} if self.keys else {}

    def start(self) -> None:
        """The runtime; returns once its gateway is ready."""
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable, "-m", "knative.cli.main", "up",
                    "--dir", str(self.folder / "site"),
                    "--store", f"s3://{PREFIX}", "--state", f"{self.redis.url}{self.redis_options}",
                    "--listen", f"127.0.0.1:{self.page_port}",
                    "--notifications", f"127.0.0.1:{self.notifications_port}",
                    *self.options,
                ],
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        until("the gateway is ready", self._is_ready, within_s=60)

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "up.log").read_text()[-2000:]
        try:
            return httpx2.get(f"{self.url}/ready", timeout=30, trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL to the runtime; what it started ends with it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(60)
            finally:
                self.kill()

    def kinora(self, *words: str) -> str:
        """A command in the environment of the runtime; its output."""
        return subprocess.run(
            [sys.executable, "-m", "knative.cli.main", *words],
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE_S,
        ).stdout

    def job_of(self, name: str, *, within_s: float = DEADLINE_S) -> dict[str, Any]:
        """The job of the source whose key ends with `name`, once it has ended."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            for job in self.jobs():
                if str(job["source"]).endswith(name) and job["ended"]:
                    found.update(job)
            return bool(found)

        until(f"the job of {name} ends", ended, within_s=within_s, every_s=0.1)
        return found

    def jobs(self, tenant: str = TENANT) -> list[dict[str, Any]]:
        with self.api_of(tenant) as api:
            try:
                answer = api.get("/jobs", params={"limit": 100})
                answer.raise_for_status()
            except (httpx2.TransportError, httpx2.HTTPStatusError):
                return []
            jobs: list[dict[str, Any]] = answer.json()["jobs"]
            return jobs

    def fetch(self, job: str) -> Path:
        """The job's media as a folder, out of the bucket."""
        out = self.folder / "fetched" / job
        for item in self.s3.list_objects(MEDIA, prefix=f"{job}/", recursive=True):
            name = str(item.object_name)
            self.s3.fget_object(MEDIA, name, str(out / name.removeprefix(f"{job}/")))
        return out


@contextmanager
def town(
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    options: Sequence[str] = ("--tick", "1"),
    redis_options: str = "",
    tenants: Sequence[str] = (),
) -> Iterator[Town]:
    """Started, with buckets made and the endpoint registered. With `tenants`, one of which is
    TENANT, each has a key, and nobody gets in without."""
    token = secrets.token_hex(16)
    notifications_port, page_port = servers.free_port(), servers.free_port()
    profiles = folder / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "tiny.toml").write_text(TINY)
    with ExitStack() as stack:
        store = stack.enter_context(
            servers.minio(
                folder / "minio",
                env={
                    "MINIO_NOTIFY_WEBHOOK_ENABLE_KINORA": "on",
                    "MINIO_NOTIFY_WEBHOOK_ENDPOINT_KINORA": f"http://127.0.0.1:{notifications_port}/",
                    "MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_KINORA": token,
                    "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_KINORA": str(folder / "minio" / "queue"),
                },
            )
        )
        state = stack.enter_context(servers.redis(folder / "redis"))
        endpoint = stack.enter_context(receiver())
        found = Town(
            folder=folder,
            minio=store,
            redis=state,
            receiver=endpoint,
            page_port=page_port,
            notifications_port=notifications_port,
            env={
                **store.environment,
                **QUICK,
                "KINORA_STORE": f"s3://{PREFIX}",
                "KINORA_PROFILES": str(profiles),
                "KINORA_SOURCE_TOKEN": token,
                "KINORA_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
                "KINORA_WEBHOOK_ALLOW": "127.0.0.0/8",
                **({"KINORA_OPEN_TO": ""} if tenants else {}),
                **(env or {}),
            },
            options=options,
            redis_options=redis_options,
        )
        found.kinora("buckets", "init")
        for tenant in tenants:
            found.keys[tenant] = found.kinora("keys", "create", "--tenant", tenant).strip()
        stack.callback(found.stop)
        found.start()
        with found.api as api:
            answer = api.post("/webhooks", json={"url": endpoint.url})
            assert answer.status_code == 201, answer.text
            endpoint.secret = answer.json()["secret"]
        yield found


def dump(town: Town) -> str:
    """What there is to read when something did not happen."""
    logs = sorted((town.folder / "site" / "runtime" / "logs").glob("*.log"))
    tails = [f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs]
    return json.dumps(town.jobs(), indent=1) + "\n" + "\n".join(tails)
