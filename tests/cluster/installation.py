"""Kinora on the test cluster, as those see it who drop files, who call it and who operate it."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import redis as redis_py
from minio import Minio

from functions.jobs import layout
from tests.cluster.kube import Kube
from tests.e2e.command import until
from tests.e2e.inbox import Receiver
from tests.e2e.judges import Planned, judge

NAMESPACE: Final = "kinora"
PREFIX: Final = "kinora"
UPLOADS: Final = f"{PREFIX}-{layout.UPLOADS}"
WORK: Final = f"{PREFIX}-{layout.WORK}"
MEDIA: Final = f"{PREFIX}-{layout.MEDIA}"
TENANT: Final = "local"
NEIGHBOUR: Final = "ben"
COMMAND_S: Final = 300.0
JOB_S: Final = 180.0
"""Within which a short clip is done, on a machine that does much else."""
TICK: Final = "sweeper-tick"
NEVER: Final = "0 0 0 31 2 *"
"""A date that does not come."""
UNSWEPT_S: Final = 14.0
"""The time between two ticks, and what the sweeper's pod takes to be there after one."""
FUNCTION: Final = "serving.knative.dev/service"
"""The label of a function's pods."""


@dataclass(slots=True)
class Installation:
    """One that was deployed and is ready."""

    kube: Kube
    folder: Path
    """For what is fetched."""
    keys: dict[str, str] = field(default_factory=dict)
    """Of the gateway, by tenant."""

    # Its stores.

    @property
    def root(self) -> tuple[str, str]:
        """The keys of MinIO's owner."""
        held = self.kube.get("secret", "minio-root")["data"]
        access, secret = (base64.b64decode(held[each]).decode() for each in _ROOT_KEYS)
        return access, secret

    @property
    def s3(self) -> Minio:
        access, secret = self.root
        address = f"{self.kube.address('minio')}:9000"
        return Minio(address, access_key=access, secret_key=secret, secure=False)

    @property
    def redis(self) -> redis_py.Redis:
        address = self.kube.address("redis")
        return redis_py.Redis(address, socket_timeout=30, decode_responses=True)

    @property
    def env(self) -> dict[str, str]:
        """For commands that read the stores from this machine."""
        access, secret = self.root
        return {
            **self.kube.env,
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": f"http://{self.kube.address('minio')}:9000",
            "KINORA_STORE": f"s3://{PREFIX}",
            "KINORA_STATE": f"redis://{self.kube.address('redis')}:6379/0",
        }

    def deploy(self, overlay: Path) -> None:
        """Also where there is nothing yet. Raises CalledProcessError."""
        self._kinora(self.kube.env, "deploy", "--overlay", str(overlay), "--timeout", "240")

    def kinora(self, *words: str) -> str:
        """A command as an operator gives it; its output. Raises CalledProcessError."""
        return self._kinora(self.env, *words)

    def _kinora(self, env: Mapping[str, str], *words: str) -> str:
        try:
            return subprocess.run(
                [sys.executable, "-m", "knative.cli.main", *words],
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=COMMAND_S,
            ).stdout
        except subprocess.CalledProcessError as error:
            error.add_note(f"kinora {' '.join(words)}: {error.stdout}{error.stderr}")
            raise

    # Its gateway.

    def api(self, tenant: str = TENANT) -> httpx2.Client:
        """Through the ingress, from zero if need be."""
        if tenant not in self.keys:
            self.keys[tenant] = self.kinora("keys", "create", "--tenant", tenant).strip()
        return httpx2.Client(
            base_url=f"{self.kube.env['GATEWAY']}/api/v1",
            headers={
                "host": f"gateway.{NAMESPACE}.{self.kube.env['DOMAIN']}",
                "authorization": f"Bearer {self.keys[tenant]}",
            },
            timeout=60,
            trust_env=False,
        )

    @contextmanager
    def telling(self, inbox: Receiver, tenant: str) -> Iterator[None]:
        """Webhooks of `tenant` go there meanwhile; afterwards nobody tries to reach it."""
        with self.api(tenant) as api:
            answer = api.post("/webhooks", json={"url": inbox.url})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        inbox.secret = made["secret"]
        yield
        with self.api(tenant) as api:
            assert api.delete(f"/webhooks/{made['endpoint']}").is_success

    # Its jobs: by their records, which are there whatever else is not.

    def drop(
        self,
        source: Path,
        name: str,
        *,
        tenant: str = TENANT,
        options: Mapping[str, str] | None = None,
    ) -> str:
        """Put a file into the bucket, as anybody would; its key there, which nothing had before."""
        key = f"{tenant}/{secrets.token_hex(4)}/{name}"
        wanted = {"profile": "tiny", **(options or {})}
        metadata: dict[str, str | list[str] | tuple[str]] = {
            f"kinora-{option}": value for option, value in wanted.items()
        }
        self.s3.fput_object(UPLOADS, key, str(source), metadata=metadata)
        return key

    def record(self, key: str) -> Any:
        """An object of the port as JSON, None where there is none (or no storage, just now)."""
        bucket, _, name = key.partition("/")
        with suppress(Exception):
            answer = self.s3.get_object(f"{PREFIX}-{bucket}", name)
            try:
                return json.loads(answer.read())
            finally:
                answer.close()
        return None

    def below(self, prefix: str) -> list[str]:
        """Keys of the port that begin so."""
        bucket, _, within = prefix.partition("/")
        found = self.s3.list_objects(f"{PREFIX}-{bucket}", prefix=within, recursive=True)
        return [f"{bucket}/{item.object_name}" for item in found]

    def job_of(self, dropped: str) -> str:
        """The job of what was dropped, "" while there is none."""
        return self.jobs_of([dropped]).get(dropped, "")

    def jobs_of(self, dropped: Sequence[str]) -> dict[str, str]:
        """Jobs by what was dropped, of those that have one."""
        found = {}
        for key in self.below(f"{layout.WORK}/jobs/"):
            if key.endswith("/job.json"):
                job = key.split("/")[2]
                if (source := self._source(job, key)) in dropped:
                    found[source] = job
        return found

    def _source(self, job: str, key: str) -> str:
        if job not in _SOURCES and (manifest := self.record(key)):
            _SOURCES[job] = manifest["source"]["key"]
        return _SOURCES.get(job, "")

    def verdict(self, job: str) -> str:
        """`completed`, `failed` …; "" while there is none."""
        found = self.record(layout.verdict(job)) if job else None
        return str(found["state"]) if found else ""

    def ended(self, dropped: Sequence[str], *, within_s: float = JOB_S) -> dict[str, str]:
        """Wait for the verdicts of all; jobs by what was dropped."""
        found: dict[str, str] = {}
        done: set[str] = set()

        def every() -> bool:
            with suppress(Exception):  # the storage may be away for a while
                if len(found) < len(dropped):
                    found.update(self.jobs_of(dropped))
                done.update(job for job in set(found.values()) - done if self.verdict(job))
            return len(done) == len(dropped)

        try:
            until("every job ends", every, within_s=within_s, every_s=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}") from None
        return found

    def assert_exact(self, job: str, source: Path, *, frames_of: bool = True) -> Path:
        """Completed, and right by judges that know nothing of our media code."""
        assert self.verdict(job) == "completed", (self.record(layout.verdict(job)), self.state())
        out = self.folder / "fetched" / job
        for key in self.below(f"{layout.MEDIA}/{job}/"):
            name = key.removeprefix(f"{layout.MEDIA}/{job}/")
            self.s3.fget_object(MEDIA, f"{job}/{name}", str(out / name))
        complaints = judge(out, source, Planned.read(out), frames_of=frames_of)
        assert complaints == [], (job, complaints)
        return out

    def report(self, job: str) -> Any:
        return self.record(layout.media(job, "report.json"))

    # Its pods.

    def functions(self) -> list[str]:
        """Pods of functions; those that are asked to go have nothing to do any more."""
        return [pod["metadata"]["name"] for pod in self.kube.pods(FUNCTION)]

    def pods_of(self, function: str) -> list[Any]:
        return self.kube.pods(f"{FUNCTION}={function}")

    def quiet(self, *, within_s: float = 120) -> None:
        """Wait until there is no pod of any function."""
        until("no function has a pod", lambda: not self.functions(), within_s=within_s, every_s=0.5)

    # What a test has otherwise for a while, and nobody after it.

    @contextmanager
    def without_tick(self) -> Iterator[None]:
        """Nothing wakes the sweeper any more, but for a tick that may be on its way."""
        before: str = self.kube.get("pingsource", TICK)["spec"]["schedule"]
        try:
            self._schedule(NEVER)
            yield
        finally:
            self._schedule(before)

    @contextmanager
    def without_sweeps(self) -> Iterator[None]:
        """The sweeper sleeps, and mends nothing: the last tick has been swept for as well."""
        with self.without_tick():
            self._unswept()
            yield

    def _unswept(self, *, within_s: float = 120) -> None:
        """Wait until the sweeper has had no pod for so long that none is to come."""
        # A source is as ready as it was before its adapter has taken another schedule: that it has
        # is told only by a tick that is missing.
        since_s = time.monotonic()

        def passed() -> bool:
            nonlocal since_s
            looked_s = time.monotonic()
            if self.pods_of("sweeper"):
                since_s = time.monotonic()
            return looked_s - since_s > UNSWEPT_S

        until("no tick is left to sweep for", passed, within_s=within_s, every_s=0.5)

    @contextmanager
    def variables(self, function: str, **values: str) -> Iterator[None]:
        """The function's newest revision has these values."""
        (container,) = self.kube.get("ksvc", function)["spec"]["template"]["spec"]["containers"]
        before: list[Any] = container["env"]
        given = [{"name": name, "value": value} for name, value in values.items()]
        try:
            self._revise(function, [each for each in before if each["name"] not in values] + given)
            yield
        finally:
            self._revise(function, before)

    def _revise(self, function: str, env: Sequence[Any]) -> None:
        path = "/spec/template/spec/containers/0/env"
        change = json.dumps([{"op": "replace", "path": path, "value": env}])
        self.kube("patch", "ksvc", function, "--type=json", "--patch", change)
        newest = f"{function} runs its newest revision"
        until(newest, lambda: self._runs_newest(function), every_s=0.3)

    def _runs_newest(self, function: str) -> bool:
        # Just after a change the Service is still as ready as it was before.
        found = self.kube.get("ksvc", function)
        (ready,) = (each for each in found["status"]["conditions"] if each["type"] == "Ready")
        seen = found["status"]["observedGeneration"] == found["metadata"]["generation"]
        return bool(seen and ready["status"] == "True")

    def revise(self, function: str) -> None:
        """Ask for a new revision, which differs in a mark alone."""
        mark = {"kinora.dev/revised": secrets.token_hex(8)}
        patch = {"spec": {"template": {"metadata": {"annotations": mark}}}}
        self.kube("patch", "ksvc", function, "--type=merge", "--patch", json.dumps(patch))

    def _schedule(self, schedule: str) -> None:
        change = json.dumps({"spec": {"schedule": schedule}})
        self.kube("patch", "pingsource", TICK, "--type", "merge", "--patch", change)
        self.kube("wait", "--for=condition=ready", f"pingsource/{TICK}", "--timeout=60s")

    def state(self) -> str:
        """What there is to read when something did not happen."""
        with suppress(Exception):
            pods = self.kube("get", "pods,ksvc,broker,trigger")
            open_jobs = self.below(layout.OPEN_PREFIX)
            parked = self.below(layout.PARKED_PREFIX)
            events = self.kube("get", "events", "--sort-by=.lastTimestamp")
            tail = "\n".join(events.splitlines()[-25:])
            return f"{pods}\nopen: {open_jobs}\nparked: {parked}\n{tail}"
        return "the cluster does not answer"


_ROOT_KEYS: Final = ("access-key", "secret-key")
_SOURCES: Final[dict[str, str]] = {}
"""Sources of jobs, which never change."""
