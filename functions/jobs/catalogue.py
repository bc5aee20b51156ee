"""Profile files: TOML, validated, found by name.

A file `<name>.toml` holds the profile of that name. What is wrong is said with file and field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from eventing.typed import ready
from functions.jobs.profile import Profile, contradictions

BUILT_IN: Final = Path(__file__).parent.parent / "profiles"


def parse(file_name: str, text: str) -> Profile:
    """The profile in a file's text. Raises ValueError that names the file and the field."""
    try:
        fields: dict[str, Any] = tomllib.loads(text)
        profile = msgspec.convert(fields, ready(Profile))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{file_name}: {error}") from error
    if file_name != f"{profile.name}.toml":
        raise ValueError(f"{file_name}: `name` is {profile.name!r}, not that of the file")
    for field, problem in contradictions(profile):
        raise ValueError(f"{file_name}: `{field}` {problem}")
    return profile


def read(folders: Iterable[Path]) -> Mapping[str, Profile]:
    """Every profile of these folders by name; a later folder replaces what an earlier one has.

    Raises ValueError for the first file that is wrong, and for a folder that is not there.
    """
    found: dict[str, Profile] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"{folder} is no folder of profiles")
        for path in sorted(folder.glob("*.toml")):
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(f"{path.name}: not UTF-8") from error
            profile = parse(path.name, text)
            found[profile.name] = profile
    return found
