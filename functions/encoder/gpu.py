"""Whether a GPU encodes here: tried once, by a tiny encode, when the first task asks for one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eventing.errors import Unavailable
from functions.encoder.outcome import FFMPEG_SIGNALLED
from functions.encoder.settings import Settings
from functions.media.encoding import nvenc
from functions.ports import Finished, Limits, Process

WALL_S: Final = 60.0
"""A driver that has to wake its device takes seconds."""
OUTPUT_BYTES: Final = 1 << 20

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Gpu:
    """True where one works. Nothing here knows its libraries: ffmpeg does, or says why not."""

    process: Process
    ffmpeg: Callable[[], Path]
    settings: Settings
    scratch: Callable[[Path], AbstractContextManager[Path]]
    _works: bool | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> bool:
        """Kept for as long as the process lives. Raises Unavailable where it could not be tried."""
        with self._lock:
            if self._works is None:
                tried = self._try()
                self._works = tried.returncode == 0 and not tried.stopped
                if not self._works:
                    facts = {"returncode": tried.returncode, "detail": tried.stderr[-1000:]}
                    _log.warning("no GPU that encodes", extra={"facts": facts})
            return self._works

    def _try(self) -> Finished:
        with self.scratch(self.settings.scratch) as folder:
            tried = self.process(
                nvenc.probe(str(self.ffmpeg())),
                limits=Limits(
                    wall_s=WALL_S,
                    cpu_s=WALL_S,
                    memory_bytes=self.settings.memory_bytes,
                    output_bytes=OUTPUT_BYTES,
                    stall_s=WALL_S,
                    maps_more=True,
                ),
                cwd=folder,
            )
        if (tried.returncode < 0 or tried.returncode == FFMPEG_SIGNALLED) and not tried.stderr:
            raise Unavailable("the trial of the GPU was ended from outside")
        return tried
