"""Cold starts on the test cluster: from zero pods to the first byte, beside a hello-world.

Every function of the overlay `local` runs in a namespace of the bench, with the stores of the
installation in `kinora`, and beside them a hello-world in each of the images: of a lean one it
tells what Knative and Python cost whoever runs there, of the others what the image adds. One
service after another is asked, round by round; until its turn comes again it is at zero.

The clocks of the cluster's containers are taken for this machine's.
"""

from __future__ import annotations

import http.client
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.bench.figure import at_most, plain
from tests.bench.fromzero import HELLO, ColdStart, cold_start, timed
from tests.cluster.kube import HOME, ROOT, Kube

RUNS: Final = 10
BEYOND_LIMIT_S: Final = 0.5
"""What a function's imports may add to a container that imports next to nothing."""
NAMESPACE: Final = "kinora-bench"
INSTALLATION: Final = "kinora"
HELLOS: Final = {"hello": "ingest", "hello-media": "encoder", "hello-gateway": "gateway"}
"""A hello-world with the manifest of a function, and so in its image."""
PATHS: Final = {"gateway": "/health", **dict.fromkeys(HELLOS, "/")}
_SERVICE: Final = "serving.knative.dev/service"
_LOCAL: Final = {"networking.knative.dev/visibility": "cluster-local"}
_DEADLINE_S: Final = 180.0


def services(rendered: str) -> dict[str, Any]:
    """Rendered Services by name as the bench runs them, and hello-worlds beside them."""
    # Stores are next door.
    text = rendered.replace("//minio:", f"//minio.{INSTALLATION}:")
    text = text.replace("//redis:", f"//redis.{INSTALLATION}:")
    found = {
        each["metadata"]["name"]: each
        for each in yaml.safe_load_all(text)
        if each["apiVersion"].startswith("serving.knative.dev/")
    }
    measured = {name: _with(each, name, timed) for name, each in found.items()}
    hellos = {name: _with(found[like], name, lambda _: HELLO) for name, like in HELLOS.items()}
    return {**hellos, **measured}


def _with(service: Any, name: str, command: Callable[[list[str]], list[str]]) -> Any:
    made = json.loads(json.dumps(service))
    made["metadata"] = {"name": name, "namespace": NAMESPACE, "labels": _LOCAL}
    (container,) = made["spec"]["template"]["spec"]["containers"]
    container["command"] = command(container["command"])
    if name in HELLOS:
        container["env"] = []
        for probe in ("readinessProbe", "livenessProbe"):
            container[probe]["httpGet"]["path"] = "/"
    return made


def up() -> bool:
    """Whether `make cluster-up` left a cluster on this machine."""
    return (HOME / "env").exists()


def measure(scratch: Path) -> list[dict[str, Any]]:
    kube = Kube(NAMESPACE)
    names = _deployed(kube)
    try:
        door = kube.within("kourier-system").address("kourier-internal")
        found: dict[str, list[ColdStart]] = {name: [] for name in names}
        for _ in range(RUNS):
            for name in names:
                found[name].append(_start(kube, door, name))
        (scratch / "cluster.json").write_text(json.dumps(found, default=str))
        return rows(found)
    finally:
        kube("delete", "namespace", NAMESPACE, "--wait=false")


def rows(found: Mapping[str, list[ColdStart]]) -> list[dict[str, Any]]:
    def median(name: str, what: Callable[[ColdStart], float]) -> float:
        return statistics.median(what(each) for each in found[name])

    made = []
    hello_s = median("hello", lambda each: each.total_s)
    for name in found:
        total_s = median(name, lambda each: each.total_s)
        shares = (
            f"{total_s:.2f} = {median(name, lambda each: each.placed_s):.2f} placed"
            f" + {median(name, lambda each: each.python_s):.2f} Python"
            f" + {median(name, lambda each: each.answered_s):.2f} answered"
        )
        made.append(plain(f"from zero to the first byte of {name}, s, median of {RUNS}", shares))
        if name not in HELLOS:
            figure = f"{name} beyond a hello-world, s"
            made.append(at_most(figure, total_s - hello_s, BEYOND_LIMIT_S))
    lean_s = median("hello", lambda each: each.placed_s)
    for name in HELLOS:
        if name != "hello":
            more_s = median(name, lambda each: each.placed_s) - lean_s
            made.append(plain(f"of that, what the image of {name} adds to a lean one, s", more_s))
    return made


def _deployed(kube: Kube) -> list[str]:
    """The names of all services, made and ready once."""
    kube("create", "namespace", NAMESPACE)
    for secret in kube.within(INSTALLATION).get("secrets")["items"]:
        if secret["metadata"]["name"].startswith("kinora-"):
            secret["metadata"] = {"name": secret["metadata"]["name"]}
            kube("apply", "--filename", "-", stdin=json.dumps(secret))
    made = services(kube("kustomize", str(ROOT / "knative/overlays/local")))
    kube("apply", "--filename", "-", stdin=yaml.safe_dump_all(list(made.values())))
    wait = ("wait", "--for=condition=Ready", f"--timeout={_DEADLINE_S:.0f}s")
    kube(*wait, *(f"ksvc/{name}" for name in made), within_s=len(made) * _DEADLINE_S)
    return list(made)


def _start(kube: Kube, door: str, name: str) -> ColdStart:
    _until(lambda: not kube.pods(f"{_SERVICE}={name}"), f"{name} at zero")
    asked, answered = _ask(door, name)
    (pod,) = kube.pods(f"{_SERVICE}={name}")
    log = kube("logs", pod["metadata"]["name"], "--container", "function")
    return cold_start(asked, answered, log)


def _ask(door: str, name: str) -> tuple[float, float]:
    """When it was asked and when the first byte came, in seconds since 1970."""
    connection = http.client.HTTPConnection(door, timeout=_DEADLINE_S)
    host = {"host": f"{name}.{NAMESPACE}.svc.cluster.local"}
    try:
        asked = time.time()
        connection.request("GET", PATHS.get(name, "/health/ready"), headers=host)
        status = connection.getresponse().status
        answered = time.time()
    finally:
        connection.close()
    if status != 200:
        raise RuntimeError(f"{name} answered {status}")
    return asked, answered


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while not holds():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"waited in vain: {what}")
        time.sleep(0.5)
