"""The environment of a function process: stated, not inherited."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from knative.local.service import Service

_KEPT: Final = ("PATH", "HOME", "TMPDIR", "TZ", "USER")
_KEPT_PREFIXES: Final = ("KINORA_", "OTEL_")
"""What an operator sets for all functions, like KINORA_FFMPEG."""


def build(
    service: Service,
    *,
    inherited: Mapping[str, str],
    shared: Mapping[str, str],
    own: Mapping[str, str],
) -> dict[str, str]:
    """Everything but PORT. What comes later wins: the manifest, the operator's settings in
    `inherited`, what all processes of the runtime share, what is this process's own."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        # Its working folder holds what it fetched; nothing in there is a module.
        "PYTHONSAFEPATH": "1",
        **service.env,
        **kept,
        **shared,
        **own,
        "KINORA_HOST": "127.0.0.1",
        "KINORA_PARENT_DEATH": str(os.getpid()),
        "K_SERVICE": service.name,
        "K_CONFIGURATION": service.name,
        "K_REVISION": service.revision,
    }
