"""Write the inventory of an image as CycloneDX 1.6 to stdout: sbom.py NAME PACKAGES DPKG_STATUS.

Runs within the build, on the standard library alone: Python packages by their metadata, programs
that they bring by digest, the base's Debian packages by dpkg's list. Same packages, same bytes.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import uuid
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

ELF: Final = b"\x7fELF"

Component = dict[str, Any]


def main(name: str, packages: Path, dpkg_status: Path) -> None:
    components = [
        _python(),
        *(_package(found) for found in distributions(path=[str(packages)])),
        *_programs(packages),
        *_debian(dpkg_status.read_text()),
    ]
    components.sort(key=lambda component: component["bom-ref"])
    body = json.dumps(components, sort_keys=True)
    inventory = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{name} {body}')}",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "bom-ref": name}},
        "components": components,
    }
    json.dump(inventory, sys.stdout, indent=1, sort_keys=True)


def _component(kind: str, name: str, version: str, purl: str, **more: Any) -> Component:
    return {"type": kind, "name": name, "version": version, "purl": purl, "bom-ref": purl, **more}


def _python() -> Component:
    version = platform.python_version()
    return _component("platform", "python", version, f"pkg:generic/python@{version}")


def _package(found: Distribution) -> Component:
    name, about = found.metadata["Name"], found.metadata
    more: Component = {}
    if "License-Expression" in about:
        more["licenses"] = [{"expression": about["License-Expression"]}]
    else:
        words = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or ()
                 if line.startswith("License :: ")]  # fmt: skip
        if words:
            more["licenses"] = [{"license": {"name": word}} for word in words]
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{found.version}"
    return _component("library", name, found.version, purl, **more)


def _programs(packages: Path) -> Iterator[Component]:
    """Programs within packages: what the metadata of no package tells."""
    for path in sorted(packages.rglob("*")):
        # A library is the package's own code.
        if path.suffix == ".so" or ".so." in path.name or not path.is_file() or path.is_symlink():
            continue
        with path.open("rb") as opened:
            if opened.read(4) != ELF:
                continue
            opened.seek(0)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        place = str(path.relative_to(packages))
        yield {
            "type": "file",
            "name": path.name,
            "bom-ref": f"file:{place}",
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }


def _debian(status: str) -> Iterator[Component]:
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if ": " in line[1:]
            and not line.startswith(" ")
        )  # fmt: skip
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={fields['Architecture']}"
            yield _component("library", name, version, purl)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
