"""Say what archives of images hold, and lay their inventories beside them: report.py ARCHIVE…"""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INVENTORY: Final = "usr/share/sbom/"
MB: Final = 1e6


@dataclass(frozen=True, slots=True)
class Content:
    """Layers from the bottom up, in bytes, and the inventory."""

    layer_bytes: tuple[int, ...]
    inventory: bytes


def content(archive: Path) -> Content:
    """What is in an archive as `docker save` and `buildah push docker-archive:` write it. Raises
    ValueError where no layer holds an inventory."""
    with tarfile.open(archive) as tar:

        def file(name: str) -> bytes:
            opened = tar.extractfile(name)
            if opened is None:
                raise ValueError(f"{archive.name}: {name} is no file")
            return opened.read()

        layers: list[str] = json.loads(file("manifest.json"))[0]["Layers"]
        sizes = tuple(tar.getmember(name).size for name in layers)
        # The inventory's layer is a small one near the top.
        for name in sorted(layers, key=lambda name: tar.getmember(name).size):
            with tarfile.open(fileobj=io.BytesIO(file(name))) as layer:
                for member in layer:
                    if member.isfile() and member.name.lstrip("./").startswith(INVENTORY):
                        found = layer.extractfile(member)
                        assert found is not None
                        return Content(sizes, found.read())
    raise ValueError(f"{archive.name}: no inventory in {INVENTORY}")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(archives: Sequence[str]) -> None:
    _line(f"{'image':<16}{'MB':>7}{'layers':>8}{'base MB':>9}{'beyond it':>11}  components")
    for name in archives:
        archive = Path(name)
        found = content(archive)
        archive.with_suffix(".cdx.json").write_bytes(found.inventory)
        base, total = found.layer_bytes[0], sum(found.layer_bytes)
        components = len(json.loads(found.inventory)["components"])
        _line(
            f"{archive.stem:<16}{total / MB:>7.1f}{len(found.layer_bytes):>8}{base / MB:>9.1f}"
            f"{(total - base) / MB:>11.1f}  {components}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
