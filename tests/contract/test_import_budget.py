"""A function that starts from zero loads what it needs, and nothing that is slow to load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FUNCTIONS = sorted(main.parent.name for main in ROOT.glob("functions/*/main.py"))
FROM_ZERO = [function for function in FUNCTIONS if function != "gateway"]
"""The gateway waits for people: it starts less often, and with a web framework."""

DENIED = {
    # Each of them is a tenth of a second or more, or another framework's way of doing things.
    "aiohttp",
    "boto3",
    "cloudevents.http",
    "cloudevents.kafka",
    "cloudevents.pydantic",
    "fastapi",
    "flask",
    "functions_framework",
    "jinja2",
    "kubernetes",
    "minio",
    "opentelemetry",
    "pydantic",
    "redis",
    "requests",
    "rich",
    "starlette",
    "typer",
    "urllib3",
    "werkzeug",
    "yaml",
    # Loaded with the first event that is published.
    "httpx2",
    # Ours, that belong elsewhere.
    "eventing.tracing",
    "infra",
    "knative",
    "tests",
}
ONLY_IN = {"ffmpeg": {"encoder"}}
"""Filter graphs are drawn where they run."""

IMPORTING = """
import importlib, json, sys
import eventing.serve, eventing.server
importlib.import_module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def imported(function: str, folder: Path, **more: str) -> set[str]:
    """The modules of a process that serves `function` and has handled nothing yet."""
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTING, f"functions.{function}.main"],
        capture_output=True,
        text=True,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "KINORA_STORE": str(folder),
            "KINORA_STATE": str(folder / "state.sqlite"),
            "KINORA_SCRATCH": str(folder),
            "KINORA_SOURCE_OPEN": "1",
            **more,
        },
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout))


S3 = {
    "KINORA_STORE": "s3://kinora",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


@pytest.mark.parametrize("store", [{}, S3], ids=["folder", "S3"])
@pytest.mark.parametrize("function", FROM_ZERO)
def test_a_function_imports_nothing_that_is_denied_and_no_other_function(
    function: str, tmp_path: Path, store: dict[str, str]
) -> None:
    modules = imported(function, tmp_path, **store)
    loaded = modules | {name.split(".")[0] for name in modules}
    assert loaded & DENIED == set()
    assert loaded & {f"functions.{other}" for other in FUNCTIONS if other != function} == set()
    for package, allowed in ONLY_IN.items():
        assert package not in loaded or function in allowed
