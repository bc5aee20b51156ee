"""The operator's settings as function processes need them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

PATHS: Final = ("KINORA_FFMPEG", "KINORA_FFPROBE", "KINORA_PROFILES", "KINORA_TRACE_FILE")


def for_functions(env: Mapping[str, str]) -> dict[str, str]:
    """Those of `env` that are relative paths, made absolute: functions work in other folders."""
    return {name: str(Path(value).absolute()) for name in PATHS if (value := env.get(name))}
