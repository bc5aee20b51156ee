"""Folders of knative/ as kustomize builds them: overlays, and overlays with components more."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

KNATIVE: Final = Path(__file__).resolve().parent.parent / "knative"
OVERLAYS: Final = tuple(sorted(path.name for path in (KNATIVE / "overlays").iterdir()))
LAST: Final = "settings"
"""The component that every overlay ends with."""
COMPONENTS: Final = tuple(
    sorted(
        path.name
        for path in (KNATIVE / "components").iterdir()
        if path.is_dir() and path.name != LAST
    )
)
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def text(overlay: str, components: tuple[str, ...] = (), settings: tuple[str, ...] = ()) -> str:
    """An overlay with more `components` on it, and with `settings` like `encoders=3`, as YAML.

    It is put together as docs/knative.md says. Raises AssertionError with what kustomize says.
    """
    if not components and not settings:
        return _built(KNATIVE / "overlays" / overlay)
    with tempfile.TemporaryDirectory() as folder:
        there = Path(os.path.relpath(KNATIVE, Path(folder).resolve()))
        parts = [f"{there}/components/{name}" for name in (*components, LAST)]
        built: dict[str, Any] = {
            "resources": [f"{there}/overlays/{overlay}"],
            "components": parts,
        }
        if settings:
            built["configMapGenerator"] = [
                {
                    "name": "kinora-settings",
                    "namespace": "kinora",
                    "behavior": "merge",
                    "literals": list(settings),
                    "options": {"disableNameSuffixHash": True},
                }
            ]
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(built))
        return _built(Path(folder))


@cache
def objects(
    overlay: str, components: tuple[str, ...] = (), settings: tuple[str, ...] = ()
) -> tuple[Any, ...]:
    """The same as documents. They are shared: nobody changes them."""
    found = yaml.load_all(text(overlay, components, settings), Loader=_LOADER)
    return tuple(document for document in found if document)


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
