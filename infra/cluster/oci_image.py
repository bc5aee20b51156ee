"""Writes an OCI archive of one layer: oci_image.py OUT NAME:TAG --entrypoint PATH SRC:DST …

For programs that need no file system beside them; anything else is an image of infra/image. The
same inputs give the same bytes. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

_KIND: Final = "application/vnd.oci.image."
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Placed:
    """A file of this machine, and where it lies in the image."""

    source: Path
    target: PurePosixPath

    @classmethod
    def parse(cls, text: str) -> Placed:
        source, _, target = text.rpartition(":")
        return cls(Path(source), PurePosixPath(target.lstrip("/")))


@dataclass(frozen=True)
class Image:
    name: str
    entrypoint: str
    user: int
    files: Sequence[Placed]
    architecture: str


@dataclass
class _Blobs:
    by_path: dict[str, bytes] = field(default_factory=dict)

    def add(self, kind: str, data: bytes) -> dict[str, Any]:
        """Its descriptor, by which others refer to it."""
        digest = hashlib.sha256(data).hexdigest()
        self.by_path[f"blobs/sha256/{digest}"] = data
        return {"mediaType": _KIND + kind, "digest": f"sha256:{digest}", "size": len(data)}


def archive(image: Image) -> bytes:
    """OSError where a file cannot be read."""
    blobs = _Blobs()
    layer = blobs.add("layer.v1.tar", _layer(image.files))
    config = {
        "architecture": image.architecture,
        "os": "linux",
        "config": {
            "Entrypoint": [image.entrypoint],
            "User": f"{image.user}:{image.user}",
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        },
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _KIND + "manifest.v1+json",
        "config": blobs.add("config.v1+json", _json(config)),
        "layers": [layer],
    }
    found = blobs.add("manifest.v1+json", _json(manifest))
    # containerd goes by the first name, other programs by the second.
    names = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
    found["annotations"] = dict.fromkeys(names, image.name)
    index = {"schemaVersion": 2, "mediaType": _KIND + "index.v1+json", "manifests": [found]}
    layout = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": _json(index)}
    return _tar({**layout, **blobs.by_path}, mode=0o644)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _layer(files: Iterable[Placed]) -> bytes:
    return _tar({str(file.target): file.source.read_bytes() for file in files}, folders=True)


def _tar(contents: Mapping[str, bytes], *, mode: int = 0o755, folders: bool = False) -> bytes:
    """In the order of their names, without times and owners; with `folders` also /tmp."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in _folders(contents) if folders else ():
            entry = tarfile.TarInfo(path)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o1777 if path == "tmp" else 0o755
            tar.addfile(entry)
        for path, data in sorted(contents.items()):
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = mode, len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _folders(paths: Iterable[str]) -> list[str]:
    above = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
    return sorted((above | {"tmp"}) - {"."})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("name")
    parser.add_argument("files", nargs="+", type=Placed.parse, metavar="SRC:DST")
    parser.add_argument("--entrypoint", required=True)
    parser.add_argument("--user", type=int, default=0)
    given = parser.parse_args()
    image = Image(
        given.name, given.entrypoint, given.user, given.files, _ARCHITECTURES[os.uname().machine]
    )
    part = given.out.with_name(given.out.name + ".part")
    part.write_bytes(archive(image))
    part.replace(given.out)


if __name__ == "__main__":
    main()
