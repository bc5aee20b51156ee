"""Images of one layer are what the specification of OCI images says."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from infra.cluster.oci_image import Image, Placed, archive


@pytest.fixture
def image(tmp_path: Path) -> Image:
    program, library = tmp_path / "program", tmp_path / "library.so.1.2"
    program.write_bytes(b"\x7fELF program")
    library.write_bytes(b"\x7fELF library")
    files = [Placed.parse(f"{program}:/ko-app/program"), Placed.parse(f"{library}:/lib/l.so.1")]
    return Image("dev.local/program:v1", "/ko-app/program", 65532, files, "amd64")


def opened(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {entry.name: entry for entry in tar}


def contents(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {entry.name: tar.extractfile(entry) for entry in tar if entry.isfile()}
        return {name: file.read() for name, file in found.items() if file is not None}


def blob(held: dict[str, bytes], descriptor: Any) -> bytes:
    """What a descriptor refers to, if it is that."""
    found = held["blobs/" + descriptor["digest"].replace(":", "/")]
    assert f"sha256:{hashlib.sha256(found).hexdigest()}" == descriptor["digest"]
    assert len(found) == descriptor["size"]
    return found


def test_the_index_leads_to_the_manifest_the_configuration_and_the_layer(image: Image) -> None:
    held = contents(archive(image))
    assert json.loads(held["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(held["index.json"])["manifests"]
    assert set(entry["annotations"].values()) == {"dev.local/program:v1"}
    manifest = json.loads(blob(held, entry))
    (layer,) = manifest["layers"]
    config = json.loads(blob(held, manifest["config"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"]]
    assert config["config"]["Entrypoint"] == ["/ko-app/program"]
    assert config["config"]["User"] == "65532:65532"
    assert contents(blob(held, layer)) == {
        "ko-app/program": b"\x7fELF program",
        "lib/l.so.1": b"\x7fELF library",
    }
    # Nothing lies in it that nothing leads to.
    assert len(held) == 2 + 3


def test_folders_come_before_what_is_in_them_and_anybody_may_write_to_tmp(image: Image) -> None:
    held = contents(archive(image))
    layer = max((value for name, value in held.items() if "blobs" in name), key=len)
    entries = list(opened(layer).values())
    assert [entry.name for entry in entries if entry.isdir()] == ["ko-app", "lib", "tmp"]
    assert [entry.isdir() for entry in entries] == [True] * 3 + [False] * 2
    modes = {entry.name: entry.mode for entry in entries}
    assert modes["tmp"] == 0o1777 and modes["ko-app/program"] == 0o755


def test_the_same_files_give_the_same_bytes_whenever_and_in_whatever_order(image: Image) -> None:
    before = archive(image)
    for file in image.files:
        file.source.touch()
    turned = Image(image.name, image.entrypoint, image.user, image.files[::-1], image.architecture)
    assert archive(turned) == before


def test_a_path_may_have_colons() -> None:
    assert Placed.parse("/a:b/c:/d") == Placed(Path("/a:b/c"), PurePosixPath("d"))
