"""What runs in the measured containers: a look at the clock around a program, and a hello-world.

`STOPWATCH` goes before either as `python -c STOPWATCH… MODULE…`. It prints one line to stderr, as
soon as the process listens: when the process began, when Python was up and when it listened, in
seconds since 1970.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

_STOPWATCH: Final = """
import json, os, socket, sys, time
up = time.time()
with open("/proc/self/stat") as opened:
    ticks = int(opened.read().rpartition(")")[2].split()[19])
booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
begun = booted + ticks / os.sysconf("SC_CLK_TCK")
_listen = socket.socket.listen
def listen(self, *backlog):
    _listen(self, *backlog)
    print("stopwatch", json.dumps([begun, up, time.time()]), file=sys.stderr, flush=True)
socket.socket.listen = listen
"""

_MODULE: Final = """
import runpy
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""

_HELLO: Final = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args):
        pass
import signal
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
ThreadingHTTPServer(("", int(os.environ["PORT"])), Hello).serve_forever()
"""

HELLO: Final = ["python", "-c", _STOPWATCH + _HELLO]


def timed(command: list[str]) -> list[str]:
    """`python -m MODULE …` with the stopwatch running."""
    python, flag, *words = command
    if (python, flag) != ("python", "-m"):
        raise ValueError(f"no module is run by {command}")
    return ["python", "-c", _STOPWATCH + _MODULE, *words]


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One start from zero, in seconds."""

    total_s: float
    """From the request to the first byte of its answer."""
    placed_s: float
    """Until the process exists: Knative, Kubernetes, and a container made of the image."""
    python_s: float
    """From there until it listens: interpreter and imports."""
    answered_s: float
    """From there to the first byte: noticed to be ready, and the way of request and answer."""


def cold_start(asked: float, answered: float, log: str) -> ColdStart:
    """What a pod's log makes of a request. Raises ValueError where the stopwatch said nothing."""
    for line in log.splitlines():
        word, _, times = line.partition(" ")
        if word == "stopwatch":
            begun, _, listening = json.loads(times)
            return ColdStart(
                answered - asked, begun - asked, listening - begun, answered - listening
            )
    raise ValueError("the container's log holds no time of the stopwatch")
