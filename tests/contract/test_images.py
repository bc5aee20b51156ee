"""The images hold what their functions import, at the versions that everything is tested with."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.image.installer import configured
from infra.image.prove import FUNCTIONS as TARGETS

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGE = ROOT / "infra/image"
CONTAINERFILE = (IMAGE / "Containerfile").read_text()
SPECIFIED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
OURS = ("eventing", "functions", "knative")
SCALE_FROM_ZERO = ("lean", "media")
WITHOUT_PYTHON = {"profiles"}
"""Folders that are read, not imported."""
ONLY_THE_GATEWAY_ASKS = {"limits", "jwt"}
"""Imported within calls of shared adapters that nobody but the gateway makes."""


def lock(name: str) -> dict[str, str]:
    return dict(SPECIFIED.findall((ROOT / f"infra/locks/{name}.txt").read_text()))


def stage(name: str) -> str:
    """The instructions of a stage of the Containerfile."""
    _, _, after = CONTAINERFILE.partition(f" AS {name}\n")
    assert after, name
    return re.split(r"^FROM ", after, flags=re.MULTILINE)[0]


@cache
def imports(module: str) -> frozenset[str]:
    """What a module of ours imports, at any time but for types."""
    path = ROOT / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return frozenset(_imported(ast.parse(file.read_text())))


def _imported(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imported(child)


def exists(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def closure(target: str) -> tuple[set[str], set[str]]:
    """Our modules that the functions of a target need, and the top names of others' modules."""
    waiting = [f"functions.{name}.main" for name in TARGETS[target]]
    waiting += ["eventing.serve", "eventing.server", "eventing.job"]
    ours: set[str] = set()
    others: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module.split(".")[0] not in OURS:
            others.add(module.split(".")[0])
        elif module not in ours and exists(module):
            ours.add(module)
            waiting += imports(module)
    return ours, others - sys.stdlib_module_names - {"__future__"}


@pytest.mark.parametrize("target", TARGETS)
def test_a_locked_version_of_an_image_is_the_one_that_is_tested(target: str) -> None:
    found = lock(target)
    assert found
    assert found.items() <= lock("run").items()


@pytest.mark.parametrize("target", TARGETS)
def test_every_package_of_an_image_is_locked_by_hash_and_without_an_address(target: str) -> None:
    text = (ROOT / f"infra/locks/{target}.txt").read_text()
    assert "://" not in text
    for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize("target", SCALE_FROM_ZERO)
def test_an_image_holds_the_folders_that_its_functions_need_and_no_other(target: str) -> None:
    ours, _ = closure(target)
    needed = {module.split(".")[1] for module in ours if (ROOT / module.replace(".", "/")).is_dir()
              and module.startswith("functions.")}  # fmt: skip
    needed |= {module.split(".")[1] for module in ours if module.count(".") > 1
               and module.startswith("functions.")}  # fmt: skip
    (listed,) = re.findall(r"source\.sh ((?:[\w\\\s])+)", stage(f"{target}-source"))
    assert set(listed.replace("\\", "").split()) == needed | WITHOUT_PYTHON


@pytest.mark.parametrize("target", SCALE_FROM_ZERO)
def test_an_image_installs_what_its_functions_import(target: str) -> None:
    _, others = closure(target)
    provided = packages_distributions()
    installed = {name.lower().replace("_", "-") for name in lock(target)}
    assert {"msgspec", "httpx2", "uvicorn"} <= others
    for name in others - ONLY_THE_GATEWAY_ASKS:
        owners = {owner.lower().replace("_", "-") for owner in provided[name]}
        assert owners & installed, name


@pytest.mark.parametrize("target", TARGETS)
def test_each_service_runs_in_the_image_that_holds_its_function(target: str) -> None:
    for function in TARGETS[target]:
        text = (ROOT / f"knative/base/{function}.yaml").read_text()
        service: Any = next(iter(yaml.safe_load_all(text)))
        (container,) = service["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"kinora-{target}"


def test_every_function_is_in_one_image() -> None:
    listed = [function for functions in TARGETS.values() for function in functions]
    assert sorted(listed) == sorted(main.parent.name for main in ROOT.glob("functions/*/main.py"))


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_runs_as_nobody_in_particular_and_without_a_shell(target: str) -> None:
    text = stage(target)
    assert re.findall(r"^USER (.*)", text, re.MULTILINE) == ["65532:65532"]
    (entry,) = re.findall(r"^ENTRYPOINT (.*)", text, re.MULTILINE)
    assert json.loads(entry)[0] == "python"
    for label in ("title", "version", "revision", "source", "licenses"):
        assert f"org.opencontainers.image.{label}=" in text


def test_the_base_is_pinned_and_can_be_another() -> None:
    (base,) = re.findall(r"^ARG BASE=(.*)", CONTAINERFILE, re.MULTILINE)
    assert re.fullmatch(r".+/python:3\.11\.\d+-slim-bookworm", base)
    froms = re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", CONTAINERFILE, re.MULTILINE))
    assert set(froms) - stages == {"${BASE}", "${INSTALLER}"}


def test_an_installer_is_told_of_its_way_to_packages_the_environment_winning() -> None:
    listing = (
        ":env:.index-url='https://environment.example/simple'\n"
        "global.index-url='https://file.example/simple'\n"
        "global.cert='/etc/own.pem'\n"
        "freeze.all='true'\n"
    )
    assert configured(listing) == {
        "index-url": "https://environment.example/simple",
        "cert": "/etc/own.pem",
    }


def test_an_inventory_names_packages_programs_and_what_the_base_has(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    about = packages / "Some_thing-1.2.dist-info/METADATA"
    about.parent.mkdir(parents=True)
    about.write_text(
        "Metadata-Version: 2.4\nName: Some_thing\nVersion: 1.2\nLicense-Expression: MIT\n"
    )
    program = packages / "some_thing/prober"
    program.parent.mkdir()
    shutil.copy(sys.executable, program)
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\n"
        "Architecture: amd64\nVersion: 2.36-9+deb12u1\n"
        "Description: C library\n text\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n"
    )
    argv = [sys.executable, str(IMAGE / "sbom.py"), "kinora-lean", str(packages), str(status)]
    first = subprocess.run(argv, capture_output=True, check=True).stdout
    assert first == subprocess.run(argv, capture_output=True, check=True).stdout
    inventory = json.loads(first)
    assert (inventory["bomFormat"], inventory["specVersion"]) == ("CycloneDX", "1.6")
    found = {component["bom-ref"]: component for component in inventory["components"]}
    assert found["pkg:pypi/some-thing@1.2"]["licenses"] == [{"expression": "MIT"}]
    assert found["file:some_thing/prober"]["hashes"][0]["alg"] == "SHA-256"
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64" in found
    assert not [ref for ref in found if "gone" in ref]
