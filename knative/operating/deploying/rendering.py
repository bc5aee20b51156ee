"""The objects of an overlay, as kustomize builds them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

import knative

OVERLAYS: Final = Path(*knative.__path__) / "overlays"
PLATFORM: Final = OVERLAYS.parent.parent / "infra/platform"
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "knative": ("knative/crds", "knative"),
    "redis": ("namespace", "redis"),
    "storage": ("namespace", "storage"),
}
"""Folders of infra/platform by the part that they bring, in order."""
_PROGRAMS: Final[Sequence[tuple[str, ...]]] = (("kubectl", "kustomize"), ("kustomize", "build"))
_TIMEOUT_S: Final = 60.0

Object = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads what kustomize writes: to it a lone `=` and a date are text."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _tag in ("value", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _text)


class NotRendered(Exception):
    """The overlay cannot be built; the text says why and what to do."""


def folder_of(overlay: str) -> Path:
    """An overlay of ours by its name, or any folder with a kustomization. Raises NotRendered."""
    for folder in (OVERLAYS / overlay, Path(overlay)):
        if (folder / "kustomization.yaml").is_file():
            return folder
    ours = ", ".join(sorted(each.parent.name for each in OVERLAYS.glob("*/kustomization.yaml")))
    raise NotRendered(
        f"There is no overlay `{overlay}`. Use one of: {ours}; or the path of a folder with a "
        "kustomization.yaml."
    )


def platform(part: str) -> list[Path]:
    """The folders of a part of the platform, in the order in which they are applied.

    Raises NotRendered.
    """
    folders = [PLATFORM / each for each in _PARTS.get(part, ())] or [Path(part)]
    for folder in folders:
        if not (folder / "kustomization.yaml").is_file():
            raise NotRendered(
                f"There is no {folder}. The parts of the platform are {', '.join(_PARTS)}, of a "
                "checkout of the project; or name a folder with a kustomization.yaml."
            )
    return folders


async def render(folder: Path) -> list[Object]:
    """Every object, in kustomize's order. Whoever builds it ends when this is cancelled.

    Raises NotRendered.
    """
    program = next((each for each in _PROGRAMS if shutil.which(each[0])), None)
    if program is None:
        raise NotRendered("Neither kubectl nor kustomize is installed. Install one of them.")
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            status, built, log = await _ran(*program, str(folder))
    except TimeoutError:
        # Of remote resources mostly: kustomize fetches them.
        raise NotRendered(f"{folder} was not built within {_TIMEOUT_S:g} s.") from None
    if status:
        said = _said(log.decode(errors="replace")).rstrip(".")
        raise NotRendered(f"{folder} cannot be built: {said}.")
    try:
        found = list(yaml.load_all(built, Loader=_Loader))
    except (yaml.YAMLError, ValueError) as error:
        said = " ".join(str(error).split())
        raise NotRendered(f"What {folder} is built to cannot be read: {said}.") from None
    if not (objects := [each for each in found if each]):
        raise NotRendered(f"There is no object in {folder}. List its resources.")
    return objects


async def _ran(*words: str) -> tuple[int, bytes, bytes]:
    """Exit status, standard output and standard error of a program.

    Cancelled, it leaves nothing of the program, nor of those that this started to fetch what is
    remote: they are a group of their own.
    """
    # Started at a stroke: a cancellation comes before it or after it.
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        reading = asyncio.ensure_future(asyncio.to_thread(process.communicate))
        try:
            output, errors = await asyncio.shield(reading)
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await reading
            raise
    return process.returncode, output, errors


def _said(stderr: str) -> str:
    """The error itself, where kubectl wrote it as a line of its log."""
    logged = re.search(r'"command failed" err=("(?:[^"\\]|\\.)*")', stderr)
    try:
        return str(json.loads(logged[1])) if logged else stderr.strip()
    except ValueError:
        return stderr.strip()


def with_images(objects: Sequence[Object], images: Mapping[str, str]) -> list[Object]:
    """The objects with other images: by the last part of their names, without tag and digest."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: images.get(image_name(inner), inner)
            if key == "image" and isinstance(inner, str)
            else changed(inner)
            for key, inner in value.items()
        }

    return [changed(each) for each in objects]


def images(objects: Sequence[Object]) -> set[str]:
    """Every image that is named in them."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                look(each)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key == "image" and isinstance(inner, str):
                    found.add(inner)
                look(inner)

    look(list(objects))
    return found


def image_name(image: str) -> str:
    """`kinora-media` of `registry:5000/team/kinora-media:1.2@sha256:…`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
