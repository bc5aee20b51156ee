"""A pod that hears, for a while, what an event of ours causes: by a Trigger of its own."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.envelope import CAUSATION_ID
from eventing.errors import Unavailable
from eventing.topology import BROKER
from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.deploying import readiness

READY_S: Final = 60.0
QUIET_S: Final = 2.0
"""A broker delivers in milliseconds: after so long nothing more is on its way."""
_AGAIN_S: Final = 0.2
_LIVES_S: Final = 900
"""After that it ends by itself, should nobody have removed it."""
_CONTAINER: Final = "listener"
_PROGRAM: Final = """
import base64, json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        heard = [dict(self.headers.items()), base64.b64encode(body).decode()]
        print(json.dumps(heard), flush=True)
        self.send_response(202)
        self.send_header("content-length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
HTTPServer(("", 8080), Answer).serve_forever()
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """What hears, and where its words are."""

    cluster: Cluster
    namespace: str
    pod: str

    def heard(self) -> list[CloudEvent]:
        """Everything so far. Raises Unavailable, Refused."""
        return events(self.cluster.log(self.namespace, self.pod, _CONTAINER))

    def settled(self) -> list[CloudEvent]:
        """Everything, once nothing new has come for a while."""
        found, since_s = self.heard(), time.monotonic()
        while time.monotonic() - since_s < QUIET_S:
            time.sleep(_AGAIN_S)
            if len(now := self.heard()) > len(found):
                found, since_s = now, time.monotonic()
        return found


@contextmanager
def listening(
    cluster: Cluster, namespace: str, service: dict[str, Any], cause: str
) -> Iterator[Listener]:
    """To events that name `cause`, an event's id, as theirs; in an image that runs there anyway.

    Raises Unavailable where it does not begin to hear. Leaves nothing.
    """
    name = f"kinora-listener-{secrets.token_hex(4)}"
    try:
        cluster.create(kinds.POD, _pod(name, service), namespace)
        address = _ready(cluster, namespace, name)
        cluster.create(kinds.TRIGGER, _trigger(name, cause, f"http://{address}:8080/"), namespace)
        _subscribed(cluster, namespace, name)
        yield Listener(cluster, namespace, name)
    finally:
        cluster.delete(kinds.TRIGGER, name, namespace)
        cluster.delete(kinds.POD, name, namespace)


def _ready(cluster: Cluster, namespace: str, name: str) -> str:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        status = (cluster.get(kinds.POD, name, namespace) or {}).get("status") or {}
        for each in status.get("conditions", ()):
            if each["type"] == "Ready" and each["status"] == "True":
                return str(status["podIP"])
        time.sleep(_AGAIN_S)
    raise Unavailable(f"the pod {name}, which is to hear what is published, does not start")


def _subscribed(cluster: Cluster, namespace: str, name: str) -> None:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        if readiness.of(cluster.get(kinds.TRIGGER, name, namespace)).state == "ready":
            return
        time.sleep(_AGAIN_S)
    raise Unavailable(f"the Trigger {name} does not become ready")


def _pod(name: str, service: dict[str, Any]) -> dict[str, Any]:
    like = service["spec"]["template"]["spec"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "kinora"}},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIVES_S,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": like.get("imagePullSecrets", []),
            "nodeSelector": like.get("nodeSelector", {}),
            "tolerations": like.get("tolerations", []),
            "containers": [
                {
                    "name": _CONTAINER,
                    "image": like["containers"][0]["image"],
                    "command": ["python", "-c", _PROGRAM],
                    "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
                    "resources": {
                        "requests": {"cpu": "10m", "memory": "32Mi"},
                        "limits": {"memory": "64Mi"},
                    },
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                }
            ],
        },
    }


def _trigger(name: str, cause: str, uri: str) -> dict[str, Any]:
    return {
        "apiVersion": kinds.TRIGGER.api,
        "kind": "Trigger",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "kinora"}},
        "spec": {
            "broker": BROKER,
            "filter": {"attributes": {CAUSATION_ID: cause}},
            "subscriber": {"uri": uri},
            # Nobody is to park what only a listener missed.
            "delivery": {
                "retry": 0,
                "backoffPolicy": "linear",
                "backoffDelay": "PT0S",
                "timeout": "PT5S",
            },
        },
    }


def events(log: str) -> list[CloudEvent]:
    """Those that a listener wrote. What it is writing just now has no end of its line yet."""
    *lines, _ = log.split("\n")
    heard = (json.loads(line) for line in lines if line.startswith("["))
    return [codec.decode(headers, base64.b64decode(body)) for headers, body in heard]
