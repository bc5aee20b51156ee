"""`func`, the command of Knative Functions, can run and invoke each function."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Final

import jsonschema
import msgspec
import pytest
import yaml

from eventing import codec
from eventing.envelope import unwrap
from eventing.host import Host
from eventing.topology import FUNCTIONS, Function
from infra.image.prove import FUNCTIONS as TARGETS
from tests.contract.event_samples import SAMPLES
from tests.integration.served import Served

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SETTINGS: Final = (ROOT / "docs/settings.md").read_text()
OF_THE_SHELL: Final = re.compile(r"\{\{ env:([A-Z_]+) \}\}")
HOST: Final = (sys.executable, "-m", "eventing.host")


def closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """An object of these fields and no other, as all of func's schema are."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


TEXT: Final = {"type": "string"}
ENVIRONMENT: Final = closed(
    name={"type": "string", "pattern": "^[-._a-zA-Z][-._a-zA-Z0-9]*$"}, value=TEXT
)
SUBSCRIPTION: Final = closed(
    ("source",), source=TEXT, filters={"type": "object", "additionalProperties": TEXT}
)
RULES: Final = closed(
    ("specVersion", "created"),
    specVersion=TEXT,
    name={"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
    runtime={"const": "python"},
    created={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    image=TEXT,
    invoke={"enum": ["http", "cloudevent"]},
    run=closed(envs={"type": "array", "items": ENVIRONMENT}),
    deploy=closed(
        healthEndpoints=closed(liveness=TEXT, readiness=TEXT),
        subscriptions={"type": "array", "items": SUBSCRIPTION},
    ),
)
"""What func's own schema says of the fields that are used here."""


def written(function: str) -> Any:
    return yaml.safe_load((ROOT / "functions" / function / "func.yaml").read_text())


every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda found: found.name)


@every_function
def test_func_can_read_it(function: Function) -> None:
    jsonschema.validate(written(function.name), RULES)


@every_function
def test_it_says_what_the_topology_and_the_images_say(function: Function) -> None:
    found = written(function.name)
    assert found["name"] == function.name
    assert found["invoke"] == ("http" if function.http else "cloudevent")
    (target,) = (target for target, names in TARGETS.items() if function.name in names)
    assert found["image"] == f"dev.local/kinora-{target}:dev"
    assert found["deploy"].get("subscriptions", []) == [
        {"source": "kinora", "filters": {"type": each.type, **each.attributes}}
        for each in function.consumes
    ]


@every_function
def test_every_variable_is_one_that_the_function_reads(function: Function) -> None:
    given = {each["name"]: each["value"] for each in written(function.name)["run"]["envs"]}
    for name, value in given.items():
        assert f"| `{name}` |" in SETTINGS
        if name == "KINORA_FUNCTION":
            assert value == f"functions.{function.name}.main"
        else:
            assert OF_THE_SHELL.fullmatch(value), name
    assert ("KINORA_FUNCTION" in given) is (function.name != "gateway")


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda payload: type(payload).__name__)
def test_an_event_as_func_invoke_sends_it_is_taken(payload: Any) -> None:
    event = codec.decode(
        {
            "ce-specversion": "1.0",
            "ce-id": str(uuid.UUID(int=7)),
            "ce-source": "/boson/fn",
            "ce-type": payload.type,
            "content-type": "application/json",
        },
        msgspec.json.encode(payload),
    )
    assert unwrap(event) == payload


@pytest.mark.parametrize("path", ["/health/liveness", "/health/readiness"])
def test_a_function_answers_where_func_run_asks(path: str) -> None:
    assert Host("sample", {}).answer("GET", path, {}, b"").status == 200


def test_a_container_that_is_told_its_function_by_a_variable_serves_it(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {each["name"]: each["value"] for each in written("ingest")["run"]["envs"]}
    environment = {
        **os.environ,
        "KINORA_FUNCTION": given["KINORA_FUNCTION"],
        "KINORA_STORE": str(tmp_path),
        "KINORA_STATE": str(tmp_path / "state.sqlite"),
        "KINORA_HOST": "127.0.0.1",
        "PORT": str(port),
    }
    with subprocess.Popen(HOST, env=environment) as process:
        try:
            served = Served(process, port, tmp_path / "none")
            assert served.request("GET", "/health/readiness").status == 200
        finally:
            process.terminate()


def test_without_a_module_or_a_variable_it_says_how_it_is_called() -> None:
    environment = {name: text for name, text in os.environ.items() if name != "KINORA_FUNCTION"}
    ran = subprocess.run(HOST, env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (1, "usage: python -m eventing.host MODULE\n")
