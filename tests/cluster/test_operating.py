"""`kinora knative` on a cluster: a function of its own is watched, changed and taken back."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx2
import pytest
import yaml

from eventing.cloudevent import CloudEvent
from functions.deadletter.handler import DeadLetter
from functions.jobs import layout
from tests.cluster.installation import NAMESPACE, WORK, Installation
from tests.cluster.kube import Kube
from tests.e2e.command import until
from tests.fakes import MemoryStore

pytestmark = pytest.mark.cluster

OURS: Final = Path(__file__).parent / "operated.yaml"
OTHER_IMAGE: Final = "dev.local/kinora-gateway:dev"
"""Has every function in it, too."""
NUMBERS: Final = count(1)
NO_IMAGE: Final = "dev.local/kinora-nothing:none"
COMMAND: Final = (sys.executable, "-m", "knative.cli.main", "knative")
MEDIA_IMAGE: Final = "dev.local/kinora-media:dev"
FAILS_WITH_FFMPEG: Final = """
import http.server, importlib.util

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if importlib.util.find_spec("imageio_ffmpeg") else 204)
        self.send_header("content-length", "0")
        self.end_headers()

http.server.ThreadingHTTPServer(("", 8080), Answer).serve_forever()
"""
"""A program that starts in either image, and in one of them answers every request with 500."""
PACE: Final = ("--canary", "50", "--step", "50", "--interval", "1")


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with a kubeconfig and no way to the store."""

    kube: Kube
    function: str = ""

    def __call__(self, *words: str, within_s: float = 300) -> tuple[int, Any, str]:
        """Exit code, JSON and remarks."""
        env = {name: value for name, value in os.environ.items() if name != "KINORA_STORE"}
        ran = subprocess.run(
            [*COMMAND, *words, "--namespace", self.kube.namespace, "--json"],
            env={**env, **self.kube.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
        )
        assert ran.stdout, (ran.returncode, ran.stderr)
        return ran.returncode, json.loads(ran.stdout), ran.stderr

    def done(self, *words: str) -> Any:
        code, found, said = self(*words)
        assert code == 0, (found, said)
        return found

    @property
    def state(self) -> Any:
        """Of the function, as `status` tells."""
        (found,) = self.done("status", self.function)["functions"]
        return found

    @property
    def shares(self) -> dict[str, int]:
        return {each["revision"]: each["percent"] for each in self.state["revisions"]}

    def newest(self) -> str:
        """The latest that was made."""
        name: str = self.kube.get("ksvc", self.function)["status"]["latestCreatedRevisionName"]
        return name


@pytest.fixture(scope="module")
def place(cluster: Kube) -> Iterator[Kube]:
    """A namespace of these tests alone."""
    with cluster.apart("kinora-operating") as found:
        yield found


@pytest.fixture
def operator(place: Kube) -> Iterator[Operator]:
    """Of a function that no other test has, and that is ready."""
    yield from _operated(place, yaml.safe_load(OURS.read_text()))


@pytest.fixture
def moody(place: Kube) -> Iterator[Operator]:
    """Of one that fails in another image, though it starts."""
    manifest = yaml.safe_load(OURS.read_text())
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["command"] = ["python", "-c", FAILS_WITH_FFMPEG]
    yield from _operated(place, manifest)


def _operated(place: Kube, manifest: Any) -> Iterator[Operator]:
    name = f"function-{next(NUMBERS)}"
    manifest["metadata"]["name"] = name
    place("apply", "--filename", "-", stdin=json.dumps(manifest))
    try:
        place("wait", "--for=condition=ready", f"ksvc/{name}", "--timeout=90s")
        yield Operator(place, name)
    finally:
        place("delete", "ksvc", name, "--wait=false")


def test_status_shows_the_pods_there_are(operator: Operator) -> None:
    before = operator.newest()
    operator.done("scale", operator.function, "--min", "1")
    # A pod of the revision before would be ready too, in the midst of the change.
    until("it is served by another revision", lambda: _serves(operator, before))
    until("it has a pod that is ready", lambda: _ready(operator) == 1)
    mine = f"serving.knative.dev/service={operator.function}"
    there = operator.kube.pods(mine)
    assert there
    found = operator.state
    assert found["ready"] is True
    assert found["cold_starts"] >= 1
    assert sum(sum(each["pods"].values()) for each in found["revisions"]) >= len(there)
    assert all(each["in_flight"] is not None for each in found["revisions"] if each["percent"])


def test_another_scale_is_another_revision(operator: Operator) -> None:
    before = operator.newest()
    changed = operator.done("scale", operator.function, "--max", "2", "--target", "3")
    assert [each["function"] for each in changed["changes"]] == [operator.function]
    until("it is served by another revision", lambda: _serves(operator, before))
    annotations = operator.kube.get("revision", operator.newest())["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/max-scale"] == "2"
    assert annotations["autoscaling.knative.dev/target"] == "3"
    assert operator.done("scale", operator.function, "--max", "2")["changes"] == []


def test_an_image_that_does_not_start_is_taken_back_and_nobody_ever_got_it(
    operator: Operator,
) -> None:
    before = operator.newest()
    code, told, _ = operator("rollout", operator.function, "--image", NO_IMAGE, *PACE)
    assert (code, told["code"], told["old"]) == (4, "returned", before)
    assert "Pull" in told["reason"]
    assert operator.shares[before] == 100
    template = operator.kube.get("ksvc", operator.function)["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] != NO_IMAGE


def test_an_image_that_fails_at_requests_is_taken_back_while_most_are_still_answered(
    moody: Operator,
) -> None:
    before = moody.newest()
    door = moody.kube.within("kourier-system").address("kourier-internal")
    host = f"{moody.function}.{moody.kube.namespace}.svc.cluster.local"
    answered: list[int] = []
    over = Event()

    def ask() -> None:
        with httpx2.Client(headers={"host": host}, timeout=60, trust_env=False) as client:
            while not over.wait(0.2):
                answered.append(client.post(f"http://{door}/", content=b"{}").status_code)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            code, told, _ = moody(
                "rollout", moody.function, "--image", MEDIA_IMAGE, "--canary", "30",
                "--interval", "600",
            )  # fmt: skip
        finally:
            over.set()
        asking.result()
    assert (code, told["code"]) == (4, "returned")
    assert "x 500" in told["reason"]
    assert moody.shares[before] == 100
    assert answered.count(204) > answered.count(500) > 0


def test_a_good_image_gets_everything_and_can_be_taken_back(operator: Operator) -> None:
    before = operator.newest()
    told = operator.done("rollout", operator.function, "--image", OTHER_IMAGE, *PACE)
    after = told["new"]
    assert (told["state"], told["old"]) == ("done", before)
    until("all goes to the new one", lambda: operator.shares.get(after) == 100)
    assert operator.state["follows_latest"] is True
    operator.done("rollback", operator.function)
    until("all goes to the old one", lambda: operator.shares.get(before) == 100)
    assert operator.state["follows_latest"] is False
    operator.done("rollback", operator.function, "--to", "latest")
    until("it follows again", lambda: operator.shares.get(after) == 100)


def test_a_rollout_that_was_interrupted_is_seen_and_carried_on(operator: Operator) -> None:
    slowly = ("--image", OTHER_IMAGE, "--canary", "50", "--interval", "3600")
    begun = subprocess.Popen(
        [*COMMAND, "rollout", operator.function, "--namespace", operator.kube.namespace, *slowly],
        env={**os.environ, **operator.kube.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until("half goes to the new one", lambda: 50 in operator.shares.values(), within_s=90)
    finally:
        begun.kill()
        begun.wait()
    assert operator.state["rollout"]["percent"] == 50
    code, told, _ = operator("rollout", operator.function, "--image", "another", *PACE)
    assert (code, told["code"]) == (2, "rolling")
    old = operator.done("rollback", operator.function)["to"]
    until("all goes to the old one", lambda: operator.shares.get(old) == 100)
    assert operator.state["rollout"] is None
    code, told, _ = operator("rollout", operator.function, "--continue")
    assert (code, told["code"]) == (4, "no_rollout")


@pytest.fixture(scope="module")
def unswept(installation: Installation) -> Iterator[Installation]:
    """Where what is parked stays so."""
    with installation.without_sweeps():
        yield installation


@pytest.mark.parametrize("from_here", [True, False])
def test_parked_events_are_delivered_again_from_here_or_by_a_pod(
    unswept: Installation, from_here: bool
) -> None:
    job = f"{'1' if from_here else '2'}" * 32
    event = CloudEvent(id="3" * 32, source=f"/jobs/{job}", type="com.example.thing")
    store = MemoryStore()
    failed = event.with_extensions(knativeerrorcode="503", knativeerrordata="bm90IG5vdw==")
    list(DeadLetter(store=store).undeliverable(failed))
    (info,) = store.list(layout.PARKED_PREFIX)
    body = store.get(info.key)
    name = info.key.removeprefix(f"{layout.WORK}/")
    unswept.s3.put_object(WORK, name, io.BytesIO(body), len(body))
    words = ("knative", "replay", "--job", job, "--json")
    if from_here:
        told = json.loads(unswept.kinora(*words))
    else:
        told = Operator(unswept.kube).done("replay", "--job", job)
    assert [group["reason"] for group in told["parked"]] == ["503 not now"]
    assert told["replayed"]["delivered"] == 1
    assert info.key not in unswept.below(layout.PARKED_PREFIX)


def test_who_waits_for_a_gpu_is_asked_of_a_pod_where_the_store_is_out_of_reach(
    installation: Installation,
) -> None:
    found = Operator(Kube(NAMESPACE, installation.kube.env)).done("gpu")
    assert found["unread"] == ""
    assert found["waiting"] == []


def _ready(operator: Operator) -> int:
    """Pods that are, once all that was asked for is done."""
    state = operator.state
    return sum(each["pods"]["ready"] for each in state["revisions"]) if state["ready"] else 0


def _serves(operator: Operator, before: str) -> bool:
    return any(share == 100 for name, share in operator.shares.items() if name != before)
