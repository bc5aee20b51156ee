"""docs/settings.md: every variable, option and profile field, from docstrings and types."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, Final, get_args, get_type_hints

import msgspec

from eventing import serve
from eventing.topology import FUNCTIONS
from functions.adapters.s3.account import Account
from functions.jobs.profile import AudioProfile, Options, Profile, Rung, VideoProfile
from infra.derived.docstrings import attribute_docstrings

_VARIABLE: Final = re.compile(r"(?:^| )([A-Z][A-Z0-9_]+(?:, [A-Z][A-Z0-9_]+)*): ")
"""One, or several of which the first that is set counts."""

_EVERY: Final = "every function"
_S3: Final = "whoever uses an S3 store"
_OTHERS: Final = (
    ("K_SINK", _EVERY, "Address of the broker. Knative's own name for it."),
    (
        "K_EVENT_PATH",
        "a function that runs as a Job",
        "The folder with the file `event`. A JobSink's own name for it.",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        _EVERY,
        "Where traces go. Without it, and without a file for them, OpenTelemetry is not loaded.",
    ),
    ("KINORA_TRACE_FILE", _EVERY, "A file that spans are appended to, one JSON object a line."),
    ("KINORA_FFMPEG", "encoder, chunker", "The ffmpeg to use. Default: that of the wheel."),
    ("KINORA_FFPROBE", "chunker", "The ffprobe to use. Default: that of the wheel."),
    ("KINORA_DIR", "command line", "Folder of the runtime. Default: `kinora-data`."),
    ("KINORA_NAMESPACE", "command line", "Namespace of the installation. Default: `kinora`."),
)
"""What is read elsewhere than in settings."""

_FIELDS: Final = (
    (
        "Options of a job",
        "By metadata of the object (`kinora-chunk-segments: 4`) or a JSON file beside it, named "
        "like\n`film.mp4.json`; where both name a field, the metadata counts.",
        Options,
    ),
    (
        "A profile",
        "A TOML file `<name>.toml`. What it does not say has the default; what is not known is "
        "refused.",
        Profile,
    ),
    ("A profile's `[video]`", VideoProfile.__doc__ or "", VideoProfile),
    ("A profile's `[[video.ladder]]`", Rung.__doc__ or "", Rung),
    ("A profile's `[audio]`", AudioProfile.__doc__ or "", AudioProfile),
)

_HEAD = """\
<!-- Generated from functions/*/settings.py and functions/jobs/profile.py by `make generate`. -->
# Settings

## The environment

Every process reads its environment once, when it starts, and ends at once where something is
missing or wrong. `kinora up` hands on what it has itself; on Knative the manifests carry it.
Names that end in `_S` are seconds, those in `_BYTES` bytes.

An object store is a folder's path, `file:///path`, or `s3://kinora` for the buckets kinora-uploads,
kinora-work and kinora-media ([minio.md](minio.md)). A state store is a file's path,
`sqlite:///path`, or `redis://host:6379/0` ([redis.md](redis.md)).

| variable | read by | what it is |
|---|---|---|
"""


def text() -> str:
    """The page."""
    readers: dict[tuple[str, str], list[str]] = {}
    others = ((reader, variable, meaning) for variable, reader, meaning in _OTHERS)
    for reader, variable, meaning in (*_described(), *others):
        readers.setdefault((variable, meaning), []).append(reader)
    rows = ((variable, ", ".join(names), meaning) for (variable, meaning), names in readers.items())
    cells = (
        f"| `{name.replace(', ', '`, `')}` | {by} | {meaning} |\n"
        for name, by, meaning in sorted(rows)
    )
    return "".join((_HEAD, *cells, *(_table(*each) for each in _FIELDS)))


def _table(title: str, intro: str, kind: type[msgspec.Struct]) -> str:
    """A section on what may be asked for."""
    meanings = attribute_docstrings(kind)
    properties = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
    rows = "".join(
        f"| `{name}` | {_bounds(facts)} | {_default(facts)} | {meanings[name]} |\n"
        for name, facts in properties.items()
    )
    head = "| field | values | default | what it is |\n|---|---|---|---|\n"
    return f"\n## {title}\n\n{intro}\n\n{head}{rows}"


def _bounds(facts: dict[str, Any]) -> str:
    for each in (facts, *facts.get("anyOf", ())):
        if "enum" in each:
            return ", ".join(f"`{word}`" for word in each["enum"])
        if "minimum" in each:
            return f"{each['minimum']} to {each['maximum']}"
        if "pattern" in each:
            words = str(each["pattern"]).removeprefix("^").removesuffix("$").strip("()")
            return ", ".join(f"`{word}`" for word in words.split("|"))
    return ""


def _default(facts: dict[str, Any]) -> str:
    default = facts.get("default", "")
    return f"`{default}`" if isinstance(default, str | int | float) and default != "" else ""


def _described() -> Iterator[tuple[str, str, str]]:
    """Reader, variable and meaning of each that a docstring names."""
    for reader, settings in (
        *(
            (function.name, importlib.import_module(f"functions.{function.name}.settings").Settings)
            for function in FUNCTIONS
        ),
        (_EVERY, serve.Settings),
        (_S3, Account),
    ):
        for docstring in _docstrings(settings):
            _, *parts = _VARIABLE.split(docstring)
            for variable, meaning in zip(parts[::2], parts[1::2], strict=True):
                yield reader, variable, meaning[:1].upper() + meaning[1:]


def _docstrings(settings: type) -> Iterator[str]:
    """Of the attributes, and of those of settings within settings."""
    yield from attribute_docstrings(settings).values()
    for hint in get_type_hints(settings).values():
        # Also of settings that may be missing as a whole.
        for kind in (hint, *get_args(hint)):
            if is_dataclass(kind) and isinstance(kind, type):
                yield from attribute_docstrings(kind).values()
