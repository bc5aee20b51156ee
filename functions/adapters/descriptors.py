"""How many files and sockets this process may have open at once."""

from __future__ import annotations

import resource
from contextlib import suppress


def raised(wanted: int) -> int:
    """How many there may be, raised towards `wanted` as far as this process is let.

    Many systems begin with 1024 for the sake of old programs, and let every process have more.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        more = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # what the kernel says goes
            resource.setrlimit(resource.RLIMIT_NOFILE, (more, hard))
    return min(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
