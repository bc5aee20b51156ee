"""Every function is a target of Functions Framework, where it answers as it does when served."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eventing import codec
from eventing.cloudevent import CloudEvent
from eventing.contract import TICK, JobAccepted, JobCompleted, ObjectCreated
from tests.contract.event_samples import JOB, TIME, event_of

ROOT = Path(__file__).resolve().parent.parent.parent
MAINS = sorted(
    main
    for main in ROOT.glob("functions/*/main.py")
    # The gateway is an application of its own, and no target.
    if main.parent.name != "gateway"
)

# The framework sets up logging and registers targets for a whole process: one of its own for each.
CLIENT = """
import base64, json, sys
from functions_framework import create_app
app = create_app(target="function", source=sys.argv[1])
client = app.test_client()
for line in sys.stdin:
    method, headers, body = json.loads(line)
    answer = client.open("/", method=method, headers=headers, data=base64.b64decode(body))
    print(json.dumps([answer.status_code, answer.get_data(as_text=True)]), flush=True)
"""


def answers(
    source: Path,
    requests: list[tuple[str, Mapping[str, str], bytes]],
    env: Mapping[str, str],
) -> list[tuple[int, str]]:
    """What the framework answers with the target of `source` loaded."""
    lines = [
        json.dumps([method, dict(headers), base64.b64encode(body).decode()])
        for method, headers, body in requests
    ]
    ran = subprocess.run(
        [sys.executable, "-c", CLIENT, str(source)],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return [(status, body) for status, body in map(json.loads, ran.stdout.splitlines())]


def post(message: codec.Message) -> tuple[str, Mapping[str, str], bytes]:
    return "POST", message.headers, message.body


@contextmanager
def broker() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(202)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(folder: Path, sink: str) -> dict[str, str]:
    for name in ("uploads", "work", "media", "runtime/scratch"):
        (folder / name).mkdir(parents=True)
    return {
        "K_SINK": sink,
        "KINORA_STORE": str(folder),
        "KINORA_STATE": str(folder / "runtime" / "state.sqlite"),
        "KINORA_SCRATCH": str(folder / "runtime" / "scratch"),
        "KINORA_ENCODERS": "2",
        "KINORA_SOURCE_OPEN": "1",
    }


SAMPLE = """
from eventing.contract import JobAccepted, JobEncoded
from eventing.errors import Rejected, Unavailable
from eventing.host import target

def accepted(payload):
    yield from ()

def encoded(payload):
    if payload.generation == 1:
        raise Rejected("source_empty", "The file is empty.")
    if payload.generation == 2:
        raise Unavailable("later")
    raise RuntimeError("hunter2")

function = target("sample", {JobAccepted: accepted, JobEncoded: encoded})
"""


def test_a_target_answers_under_the_framework_as_it_does_when_served(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SAMPLE)
    accepted = codec.encode(event_of(JobAccepted(job=JOB, tenant="acme")))
    encoded = codec.encode(
        CloudEvent(
            id="1",
            source="/s",
            type="dev.kinora.job.encoded.v1",
            subject="a b",
            datacontenttype=codec.JSON,
        )
    )
    requests = [
        post(accepted),
        *(
            ("POST", encoded.headers, json.dumps({"job": JOB, "generation": n}).encode())
            for n in (1, 2, 3)
        ),
        ("POST", {"content-type": "application/json"}, b"{}"),
        ("POST", {"content-type": "application/cloudevents-batch+json"}, b"[]"),
        ("POST", accepted.headers, b"x" * 65_537),
        ("GET", {}, b""),
        ("OPTIONS", {}, b""),
    ]
    found = answers(tmp_path / "main.py", requests, {})
    assert [status for status, _ in found] == [204, 422, 503, 500, 400, 415, 413, 405, 204]
    assert found[0][1] == ""
    assert "hunter2" not in found[3][1]


@pytest.mark.parametrize("main", MAINS, ids=lambda main: main.parent.name)
def test_every_function_loads_and_refuses_what_is_no_event(main: Path, tmp_path: Path) -> None:
    ((status, body),) = answers(main, [("POST", {}, b"{}")], environment(tmp_path, ""))
    # The source takes whatever a storage may send, which would send it again.
    expected = 204 if main.parent.name == "source" else 400
    assert (status, "\n" in body) == (expected, False)


TICKED = codec.encode(CloudEvent(id="1", source="/apis/v1/pingsources/x", type=TICK, time=TIME))
NOTIFICATION = ROOT / "tests/contract/notifications/minio-put.json"
PREPARED = {
    "source": codec.Message(
        {"content-type": "application/json"},
        json.dumps(json.loads(NOTIFICATION.read_text())["request"]["body"]).encode(),
    ),
    "ingest": codec.encode(event_of(ObjectCreated(bucket="uploads", key="acme/a.mp4", etag="1"))),
    "sweeper": TICKED,
    "notifier": codec.encode(
        event_of(JobCompleted(job=JOB, tenant="acme", master="m", manifest="n", report="r"))
    ),
    "deadletter": TICKED,
}
"""Events that a function can handle with nothing in its stores."""


@pytest.mark.parametrize(
    "main",
    [main for main in MAINS if main.parent.name in PREPARED],
    ids=lambda main: main.parent.name,
)
def test_a_handled_event_is_answered_2xx_with_nothing_in_the_body(
    main: Path, tmp_path: Path
) -> None:
    message = PREPARED[main.parent.name]
    with broker() as sink:
        ((status, body),) = answers(main, [post(message)], environment(tmp_path, sink))
    assert (200 <= status < 300, body) == (True, "")
