"""The secrets of a runtime on one machine: made at its first start, kept in its folder.

What the environment names counts instead: whoever shares stores with other runtimes shares these.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_BYTES: Final = {"KINORA_MASTER_KEY": 32, "KINORA_SOURCE_TOKEN": 24}


def keyring(file: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The value of every secret, by the variable that functions read it from.

    `file` is made readable by its owner alone. Raises OSError where it cannot be.
    """
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    missing = [name for name in _BYTES if name not in kept]
    if missing:
        for name in missing:
            kept[name] = base64.b64encode(secrets.token_bytes(_BYTES[name])).decode()
        temporary = file.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(kept) + "\n")
        temporary.replace(file)
    return {name: env.get(name) or kept[name] for name in _BYTES}
