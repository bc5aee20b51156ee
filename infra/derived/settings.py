"""docs/settings.md: every variable of the environment, from the docstrings of the settings."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Final, get_type_hints

from eventing import serve
from eventing.topology import FUNCTIONS
from infra.derived.docstrings import attribute_docstrings

_VARIABLE: Final = re.compile(r"(?:^| )([A-Z][A-Z_]+): ")

_EVERY: Final = "every function"
_OTHERS: Final = (
    ("K_SINK", _EVERY, "Address of the broker. Knative's own name for it."),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        _EVERY,
        "Where traces go. Without it, and without a file for them, OpenTelemetry is not loaded.",
    ),
    ("KINORA_TRACE_FILE", _EVERY, "A file that spans are appended to, one JSON object a line."),
    ("KINORA_FFMPEG", "encoder, chunker", "The ffmpeg to use. Default: that of the wheel."),
    ("KINORA_FFPROBE", "chunker", "The ffprobe to use. Default: that of the wheel."),
    ("KINORA_DIR", "command line", "Folder of the runtime. Default: `kinora-data`."),
)
"""What is read elsewhere than in settings."""

_HEAD = """\
<!-- Generated from functions/*/settings.py by `make generate`: edit those. -->
# Settings

Every process reads its environment once, when it starts, and ends at once where something is
missing or wrong. `kinora up` hands on what it has itself; on Knative the manifests carry it.
Times are in seconds.

| variable | read by | what it is |
|---|---|---|
"""


def text() -> str:
    """The page."""
    readers: dict[tuple[str, str], list[str]] = {}
    for reader, variable, meaning in _described():
        readers.setdefault((variable, meaning), []).append(reader)
    rows = [
        *((variable, ", ".join(names), meaning) for (variable, meaning), names in readers.items()),
        *_OTHERS,
    ]
    cells = (f"| `{name}` | {by} | {meaning} |\n" for name, by, meaning in sorted(rows))
    return _HEAD + "".join(cells)


def _described() -> Iterator[tuple[str, str, str]]:
    """Reader, variable and meaning of each that a docstring names."""
    for reader, settings in (
        *(
            (function.name, importlib.import_module(f"functions.{function.name}.settings").Settings)
            for function in FUNCTIONS
        ),
        (_EVERY, serve.Settings),
    ):
        for docstring in _docstrings(settings):
            _, *parts = _VARIABLE.split(docstring)
            for variable, meaning in zip(parts[::2], parts[1::2], strict=True):
                yield reader, variable, meaning[:1].upper() + meaning[1:]


def _docstrings(settings: type) -> Iterator[str]:
    """Of the attributes, and of those of settings within settings."""
    yield from attribute_docstrings(settings).values()
    for kind in get_type_hints(settings).values():
        if is_dataclass(kind) and isinstance(kind, type):
            yield from attribute_docstrings(kind).values()
