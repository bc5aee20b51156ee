"""When the process or the machine has no room for one more file, socket or buffer."""

from __future__ import annotations

import errno
from typing import Final

_ERRORS: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def is_exhausted(error: object) -> bool:
    """True where it passes by itself, once somebody else has let go."""
    return isinstance(error, OSError) and error.errno in _ERRORS
