"""Commands that work on a cluster, where there is none, or not that one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
import yaml
from typer.testing import CliRunner, Result

from eventing.contract import TICK
from knative.cli import reach
from knative.cli.main import app
from knative.operating.deploying import rendering


@pytest.fixture
def event(tmp_path: Path) -> Path:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"type": TICK}))
    return file


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Of a cluster where nobody listens."""
    file = tmp_path / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "nobody", "context": {"cluster": "c", "user": "u"}}
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [cluster],
                "users": [{"name": "u", "user": {}}],
                "contexts": [context],
                "current-context": "nobody",
            }
        )
    )
    return file


def kinora(kubeconfig: Path, *words: str) -> Result:
    result = CliRunner().invoke(app, words, env={"KUBECONFIG": str(kubeconfig)})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def words_of(command: str, event: Path) -> list[str]:
    return {
        "deploy": ["deploy", "--overlay", "local"],
        "doctor": ["doctor", "--cluster"],
        "evidence": ["evidence", "--cluster", "-o", str(event.parent / "e.tar.gz")],
        "invoke": ["invoke", "sweeper", "--cluster", "-e", str(event)],
    }[command]


COMMANDS = ["deploy", "doctor", "evidence", "invoke"]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_kubeconfig_every_command_says_how_to_name_one(
    command: str, event: Path, tmp_path: Path
) -> None:
    result = kinora(tmp_path / "none", *words_of(command, event), "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert told["code"] == "no_cluster"
    assert "KUBECONFIG" in told["reason"]


@pytest.mark.parametrize(
    "text", [":::{", "[]", "a: [", "contexts: 1\ncurrent-context: 2", "", "\xff"]
)
def test_a_file_that_is_no_kubeconfig_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_bytes(text.encode("latin-1"))
    result = kinora(file, "doctor", "--cluster")
    assert result.exit_code == 2
    assert "kubeconfig" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_context_that_is_none_is_answered_with_those_that_are(
    command: str, event: Path, kubeconfig: Path
) -> None:
    result = kinora(kubeconfig, *words_of(command, event), "--context", "other")
    assert result.exit_code == 2
    assert "Use one of: nobody." in " ".join(result.stderr.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_cluster_that_does_not_answer_is_named(
    command: str, event: Path, kubeconfig: Path
) -> None:
    result = kinora(kubeconfig, *words_of(command, event))
    assert result.exit_code == 4
    assert "http://127.0.0.1:9 does not answer" in " ".join(result.stderr.split())
    assert not (event.parent / "e.tar.gz").exists()


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    """The address of a server that answers everything with 200 and this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody wants to read it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_password_in_the_address_is_not_shown(kubeconfig: Path) -> None:
    text = kubeconfig.read_text().replace("127.0.0.1:9", "me:hunter2@127.0.0.1:9")
    kubeconfig.write_text(text)
    result = kinora(kubeconfig, "doctor", "--cluster", "--json")
    assert "http://127.0.0.1:9 does not answer" in json.loads(result.stdout)["reason"]
    assert "hunter2" not in result.output


NO_KUBERNETES = [b"<html>Log in\xff</html>", b"", b"null", b"[1]", b'{"hello": 1}']


@pytest.mark.parametrize(
    ("command", "body"),
    [("doctor", body) for body in NO_KUBERNETES]
    + [(each, b"") for each in ("deploy", "evidence", "invoke")],
)
def test_a_server_that_is_no_kubernetes_is_named(
    command: str, body: bytes, event: Path, kubeconfig: Path
) -> None:
    with serving(body) as server:
        kubeconfig.write_text(kubeconfig.read_text().replace("http://127.0.0.1:9", server))
        result = kinora(kubeconfig, *words_of(command, event), "--json")
    assert result.exit_code == 4
    told = json.loads(result.stdout)
    assert told["code"] == "unavailable"
    assert f"{server} answers, but not as an API server" in told["reason"]


@pytest.mark.parametrize("name", ["", "../default", "a/b", "Kinora", "-a", "a" * 64])
def test_what_is_no_name_of_a_namespace_is_not_asked_for(name: str, kubeconfig: Path) -> None:
    result = kinora(kubeconfig, "doctor", "--cluster", "--namespace", name)
    assert result.exit_code == 2
    assert "is no name of a namespace" in " ".join(result.stderr.split())


MISTAKES: list[tuple[list[str], str]] = [
    (["deploy", "--overlay", "nowhere"], "There is no overlay `nowhere`"),
    (["deploy", "--overlay", "local", "--image", "x"], "is not NAME=IMAGE"),
    (["deploy", "--overlay", "local", "--image", "x=y"], "Use one of: kinora-gateway, kinora-lean"),
    (["deploy", "--overlay", "local", "--platform", "moon"], "There is no moon"),
    (["doctor", "--overlay", "local"], "Add --cluster."),
    (["doctor", "--cluster", "--overlay", "nowhere"], "There is no overlay `nowhere`"),
    (["invoke", "sweeper", "-e", "EVENT", "--cluster", "--url", "http://x/"], "two places"),
]


@pytest.mark.parametrize(("words", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_mistake_is_told_before_any_cluster_is_asked(
    words: list[str], said: str, event: Path, tmp_path: Path
) -> None:
    typed = [str(event) if word == "EVENT" else word for word in words]
    result = kinora(tmp_path / "none", *typed)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_a_signal_ends_a_command_as_ctrl_c_does(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), reach.cluster():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("words", [["deploy"], ["doctor", "--cluster"]])
def test_a_signal_while_the_overlay_is_built_ends_whoever_builds_it(
    words: list[str], tmp_path: Path
) -> None:
    os.mkfifo(fifo := tmp_path / "begun")
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!/bin/sh\nexec >{fifo}\necho begun\nsleep 600 &\nexec sleep 600\n")
    kubectl.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    typed = [sys.executable, "-m", "knative.cli.main", *words, "--overlay", "local"]
    with subprocess.Popen(typed, env=env, stderr=subprocess.PIPE, text=True) as process:
        with fifo.open() as builder:
            builder.readline()
            process.send_signal(signal.SIGTERM)
            # Ends when nobody holds the other end any more.
            assert builder.read() == ""
        assert process.stderr is not None
        assert process.stderr.read() == "kinora: interrupted\n"
    assert process.returncode == 130


def test_a_build_given_up_at_any_step_of_its_start_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\nexec sleep 600\n")
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)

    def left() -> list[psutil.Process]:
        """Children that run there, or ran and were not waited for."""
        return [each for each in psutil.Process().children() if is_here(each)]

    def is_here(process: psutil.Process) -> bool:
        try:
            return process.cwd() == str(tmp_path)
        except psutil.NoSuchProcess:
            return False

    async def given_up(after_turns: int) -> bool:
        """Whether anything had been started by then."""
        building = asyncio.create_task(rendering.render(tmp_path))
        for _ in range(after_turns):
            await asyncio.sleep(0)
        begun = bool(left())
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        assert not left()
        return begun

    begun = [asyncio.run(given_up(turns)) for turns in range(5)]
    assert not begun[0]
    assert begun[-1]


def test_the_command_starts_without_the_client_of_kubernetes() -> None:
    loaded = "import sys, knative.cli.main; print('kubernetes' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_complaint_is_told_also_where_standard_output_takes_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "knative.cli.main", "doctor", "--cluster", "--json"]
    env = {**os.environ, "KUBECONFIG": str(tmp_path / "none")}
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=env)
    assert ran.returncode == 2
    assert ran.stderr.startswith("kinora: No cluster is configured")
    assert "Traceback" not in ran.stderr
