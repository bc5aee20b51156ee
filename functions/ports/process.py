"""What runs a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child process may use before it is ended."""

    wall_s: float
    cpu_s: float
    memory_bytes: int
    output_bytes: int
    stall_s: float = 60.0
    """Without any advance in its progress for this long it counts as hung."""
    maps_more: bool = False
    """True for what maps far more memory than it uses, like a GPU's driver, which lays out the
    address space of every device: then `memory_bytes` bounds what it may write to."""


Stopped = Literal["", "wall", "stall", "cpu", "output", "called off"]
"""Which limit ended a child process, or that its caller did; "" for what it did by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a child process ended."""

    returncode: int
    """Negative: the signal that ended it."""
    stdout: bytes
    stderr: str
    """The last 64 KiB of its messages."""
    cpu_s: float
    wall_s: float
    max_rss_bytes: int
    stopped: Stopped = ""


class Process(Protocol):
    """Runs a program to its end in its own process group; nothing of it outlives the call."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        """Run `argv`. The environment is empty but for PATH and HOME=`cwd`.

        `on_progress` gets each block that ffmpeg writes to `-progress pipe:1` and at least one
        empty block a second; when it returns False the process is ended ("called off").
        """
