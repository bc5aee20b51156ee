"""Folders of knative/ as kustomize builds them: overlays, and overlays with components more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

needs_kubectl: Final = pytest.mark.skipif(
    shutil.which("kubectl") is None and not os.environ.get("CI"),
    reason="kubectl is not here; `make servers` builds it",
)

KNATIVE: Final = Path(__file__).resolve().parent.parent / "knative"
README: Final = KNATIVE / "components" / "README.md"
COMPONENTS: Final = tuple(re.findall(r"^\| `([a-z-]+)` \|", README.read_text(), re.MULTILINE))
"""In the order in which they are listed by an overlay that has them all."""
LAST: Final = "settings"
OVERLAYS: Final = tuple(sorted(path.name for path in (KNATIVE / "overlays").iterdir()))
INSTEAD: Final[Mapping[str, str]] = {"keda-encoder": "long-tasks"}
"""What does not go together with what."""
EXTERNAL: Final = "profiles"
"""The component that stands on a ConfigMap of the installation's own."""
NAMED: Final = "tls"
"""The component that needs to know where clients reach the gateway."""
_NO_HASH: Final = {"disableNameSuffixHash": True}
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def listed(overlay: str) -> tuple[str, ...]:
    """The components that an overlay has by itself."""
    found = yaml.safe_load((KNATIVE / "overlays" / overlay / "kustomization.yaml").read_text())
    return tuple(Path(each).name for each in found["components"])


Combination = tuple[str, tuple[str, ...]]
"""An overlay, and components that it has not by itself."""


def combinations() -> Iterator[Combination]:
    """Each overlay, each with one component more, and production with all that go together."""
    for overlay in OVERLAYS:
        has = listed(overlay)
        yield overlay, ()
        yield from ((overlay, (name,)) for name in COMPONENTS if name not in has)
    for pair in INSTEAD.items():
        for left_out in pair:
            yield "production", tuple(name for name in COMPONENTS if name not in (left_out, LAST))


@cache
def text(overlay: str, components: tuple[str, ...] = (), settings: tuple[str, ...] = ()) -> str:
    """An overlay with more `components` listed in it, and with `settings` like `encoders=3`.

    Raises AssertionError with what kustomize says.
    """
    original = KNATIVE / "overlays" / overlay
    if not components and not settings:
        return _built(original)
    with tempfile.TemporaryDirectory() as folder:
        # As somebody who edits the overlay would have it; only its way to the rest is another.
        edited = shutil.copytree(original, Path(folder).resolve() / overlay)
        way = os.path.relpath(KNATIVE, edited)
        file = edited / "kustomization.yaml"
        built = yaml.safe_load(file.read_text().replace("../../", f"{way}/"))
        wanted = sorted({*listed(overlay), *components}, key=COMPONENTS.index)
        built["components"] = [f"{way}/components/{name}" for name in wanted]
        (generator,) = built["configMapGenerator"]
        own = dict(each.split("=", 1) for each in (*generator["literals"], *settings))
        if NAMED in wanted:
            own.setdefault("public-url", "https://kinora.example")
        generator["literals"] = [f"{key}={value}" for key, value in own.items()]
        if EXTERNAL in wanted:
            built["configMapGenerator"].append(
                {"name": "kinora-profiles", "literals": ["web.toml="], "options": _NO_HASH}
            )
        file.write_text(yaml.safe_dump(built))
        return _built(edited)


@cache
def objects(
    overlay: str, components: tuple[str, ...] = (), settings: tuple[str, ...] = ()
) -> tuple[Any, ...]:
    """The same as documents. They are shared: nobody changes them."""
    found = yaml.load_all(text(overlay, components, settings), Loader=_LOADER)
    return tuple(document for document in found if document)


def prepare(wanted: Iterable[Combination]) -> None:
    """Build them side by side; afterwards `objects` has them at hand."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for _ in pool.map(lambda each: objects(*each), wanted):
            pass


def of_kind(found: Iterable[Any], kind: str, group: str = "") -> list[Any]:
    """Those of `kind`; a Service is one of Knative's or of Kubernetes', as `group` says."""
    return [
        document
        for document in found
        if document["kind"] == kind and document["apiVersion"].startswith(group)
    ]


def _built(folder: Path) -> str:
    ran = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
