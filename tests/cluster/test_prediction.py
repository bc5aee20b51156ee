"""What the model says of a short burst, and what the cluster does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median
from typing import Any, Final

import httpx2
import pytest

from knative.autoscaling.scaling import Scaling
from knative.duration import go_milliseconds
from knative.field import Field
from knative.tuning.forecast import Request, pods
from knative.tuning.simulation import Count
from tests.cluster.kube import Kube

pytestmark = pytest.mark.cluster

NAME: Final = "burst"
LABEL: Final = f"serving.knative.dev/service={NAME}"
# Answers after as many milliseconds as the path says.
SERVER: Final = """
import time, http.server
class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(int(self.path[1:] or 0) / 1000)
        self.send_response(204)
        self.end_headers()
http.server.ThreadingHTTPServer(("", 8080), Server).serve_forever()
"""
ANNOTATIONS: Final = {
    "autoscaling.knative.dev/target-utilization-percentage": "100",
    "autoscaling.knative.dev/target-burst-capacity": "-1",
    "autoscaling.knative.dev/max-scale": "3",
    "autoscaling.knative.dev/window": "6s",
    "autoscaling.knative.dev/panic-window-percentage": "50",
}
BURST: Final = (
    *(Request(0, 5_000) for _ in range(3)),
    *(Request(3_000, 5_000) for _ in range(3)),
    Request(18_000, 2_000),
)
SLACK_S: Final = 4
"""A tick of the autoscaler, whose phase nobody knows, the second of a sample, and one to act."""
END_S: Final = 40


@pytest.fixture(scope="module")
def kube(cluster: Kube) -> Iterator[Kube]:
    """Where the Service is alone, which begins with a pod."""
    with cluster.apart("kinora-prediction") as found:
        found("create", "--filename", "-", stdin=json.dumps(_service()))
        found("wait", f"ksvc/{NAME}", "--for=condition=Ready", "--timeout=60s")
        yield found


def _service() -> dict[str, Any]:
    container = {
        "image": "dev.local/kinora-lean:dev",
        "command": ["python", "-c", SERVER],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {
            "template": {
                "metadata": {"annotations": ANNOTATIONS},
                "spec": {
                    "containerConcurrency": 1,
                    # Not to wait for a drain that nobody needs.
                    "timeoutSeconds": 15,
                    "containers": [container],
                },
            }
        },
    }


@dataclass(slots=True)
class Observed:
    """What the burst was seen to do."""

    counts: dict[int, int] = field(default_factory=dict)
    """Pods that nobody has asked to go, by the second in which they were told of; a look that takes
    long leaves some out."""
    starts_s: dict[str, float] = field(default_factory=dict)
    """From creation to ready, by the pod's name; the API server counts whole seconds."""

    def take(self, second: int, found: Sequence[Any]) -> None:
        self.counts[second] = len(found)
        for pod in found:
            if ready_s := _ready_s(pod):
                created_s = _posix_s(pod["metadata"]["creationTimestamp"])
                self.starts_s.setdefault(pod["metadata"]["name"], ready_s - created_s)

    @property
    def cold_start_ms(self) -> int:
        """Of the pods of the burst itself: one that started before it had other neighbours."""
        return max(1_000, round(1_000 * median(self.starts_s.values())))


def test_pods_are_within_one_of_what_the_model_says(kube: Kube, figures: list[str]) -> None:
    kube("wait", "pod", "--selector", LABEL, "--for=delete", "--timeout=100s")

    observed = _observed(kube)

    cold_start_ms, last = observed.cold_start_ms, max(observed.counts)
    predicted = pods(BURST, _scaling(kube), cold_start_ms=cold_start_ms, drain_ms=0)
    told = [_at(predicted, second) for second in range(last + 1)]
    seen_at = [str(observed.counts.get(second, "-")) for second in range(last + 1)]
    figures.append(f"prediction: cold start {cold_start_ms} ms; pods each second, as predicted")
    figures.append(f"  {' '.join(map(str, told))}")
    figures.append(f"  and as observed\n  {' '.join(seen_at)}")
    assert max(observed.counts.values()) == max(told) == 3
    assert observed.counts[last] == told[last] == 0
    for second, seen in observed.counts.items():
        near = told[max(0, second - SLACK_S) : second + SLACK_S + 1]
        assert min(near) - 1 <= seen <= max(near) + 1, f"at {second} s"


def _observed(kube: Kube) -> Observed:
    """A look at the beginning of each second from the burst on, or as soon as the last is over."""
    begun = threading.Event()
    found = Observed()
    with ThreadPoolExecutor(len(BURST)) as pool:
        asked = [pool.submit(_later, kube, begun, request) for request in BURST]
        begun.set()
        began_s = time.monotonic()
        second = 0
        while second < END_S:
            time.sleep(max(0.0, began_s + second - time.monotonic()))
            there = kube.pods(LABEL)
            # kubectl takes its time to ask: the answer is nearer to its end.
            told = int(time.monotonic() - began_s)
            found.take(told, there)
            second = told + 1
        for each in asked:
            each.result()
    return found


def _later(kube: Kube, begun: threading.Event, request: Request) -> None:
    begun.wait()
    time.sleep(request.at_ms / 1_000)
    _ask(kube, request.work_ms)


def _ask(kube: Kube, work_ms: int) -> None:
    host = f"{NAME}.{kube.namespace}.{kube.env['DOMAIN']}"
    answer = httpx2.get(f"{kube.env['GATEWAY']}/{work_ms}", headers={"Host": host}, timeout=60)
    assert answer.status_code == 204


def _ready_s(pod: Any) -> float:
    """Since when it is, 0.0 while it is not."""
    for each in pod["status"].get("conditions", ()):
        if each["type"] == "Ready" and each["status"] == "True":
            return _posix_s(each["lastTransitionTime"])
    return 0.0


def _posix_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _scaling(kube: Kube) -> Scaling:
    """The Service's, with what the cluster sets for all."""
    settings = kube.within("knative-serving").get("configmap", "config-autoscaler")["data"]
    grace = settings.get("scale-to-zero-grace-period", "30s")
    scaling = Scaling.parse(Field("annotations", ANNOTATIONS), 1)
    return replace(scaling, grace_ms=go_milliseconds(grace))


def _at(counts: Sequence[Count], second: int) -> int:
    """Pods that are ready or will be."""
    found = 0
    for count in counts:
        if count.at_ms <= second * 1_000:
            found = count.ready + count.starting
    return found
