"""How an attempt ends when it does not end well, and what an ended program tells of it."""

from __future__ import annotations

import re
import signal
from typing import Final

from eventing.errors import Rejected, Unavailable
from functions.jobs.refusal import NO_ACCELERATOR, refuse
from functions.media.encoding import nvenc
from functions.ports import Finished

CRASHES: Final = frozenset(
    -number
    for number in (
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGSYS,
        signal.SIGTRAP,
    )
)
FFMPEG_SIGNALLED: Final = 255
"""ffmpeg catches SIGTERM and SIGINT, and ends so."""
NO_MEMORY: Final = 256 - 12
NO_SPACE: Final = 256 - 28
"""ffmpeg ends with the low byte of a negative errno."""
DETAIL_CHARS: Final = 4000

_PREFIX: Final = re.compile(r"^(\[[^\]]{1,80}\]\s*)+")
_RATE: Final = re.compile(r"Decode error rate ([01]\.?\d*) exceeds")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


class CalledOff(Exception):
    """The work is no longer wanted, or somebody else does it: there is nothing to tell."""


class Failed(Exception):
    """The attempt failed on the task's own account."""

    def __init__(
        self, code: str, *, detail: str = "", final: bool = False, **facts: object
    ) -> None:
        super().__init__(f"{code}: {facts}")
        self.code = code
        self.facts = facts
        self.detail = detail[-DETAIL_CHARS:]
        self.final = final

    def reason(self, *, attempts: int) -> str:
        """The sentence for people, after so many attempts."""
        return refuse(self.code, **{"count": attempts, **self.facts}).reason

    @classmethod
    def of(cls, rejected: Rejected) -> Failed:
        """What will never work, as the failure of this attempt."""
        return _Refused(rejected)


def of_gpu(failed: Failed) -> Failed:
    """The failure of an attempt on a GPU. Whether it was the source's fault the CPU will tell,
    unless it is plain already."""
    if failed.code in (NO_ACCELERATOR, "decode_failed") or isinstance(failed, _Refused):
        return failed
    problem = failed.facts.get("problem") or failed.code.replace("_", " ")
    return Failed(NO_ACCELERATOR, problem=problem, detail=failed.detail)


class _Refused(Failed):
    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.code, final=True)
        self._reason = rejected.reason

    def reason(self, *, attempts: int) -> str:
        return self._reason


def check(finished: Finished, kind: str) -> None:
    """Return if the program ended by itself and says that all is well; that proves nothing yet.

    `kind` is what it read: "video", "audio" or "file". Raises Unavailable for what happened to the
    program from outside, Failed for what the source did to it, CalledOff where we ended it for
    that reason.
    """
    code, detail = finished.returncode, finished.stderr
    match finished.stopped:
        case "called off":
            raise CalledOff
        case "wall":
            problem = f"it was not done after {finished.wall_s:.0f} s"
        case "stall":
            problem = "it made no progress"
        case "cpu":
            problem = f"it took {finished.cpu_s:.0f} s of CPU"
        case "output":
            problem = "its output grew beyond all measure"
        case _:
            problem = ""
    if problem:
        raise Failed("resource_limit", problem=problem, detail=detail)
    if code == 0:
        return
    if code in CRASHES:
        raise Failed("encoder_crashed", detail=detail)
    complaints = "\n".join(_complaints(detail))
    if code > 0 and complaints:
        # Before the codes: without a driver ffmpeg ends with the one it has for a signal.
        raise Failed(NO_ACCELERATOR, problem=_problem(complaints), detail=detail)
    if code < 0 or code == FFMPEG_SIGNALLED:
        raise Unavailable(f"the encoder was ended from outside ({code})")
    if code == NO_SPACE or "No space left on device" in detail:
        raise Unavailable("no space left on the scratch disk", retry_after_s=30)
    if code in (126, 127):
        raise Unavailable("the encoder could not be started", retry_after_s=30)
    if code == NO_MEMORY or "Cannot allocate memory" in detail:
        raise Failed("resource_limit", problem="it needs more memory", detail=detail)
    raise Failed("decode_failed", kind=kind, problem=_problem(detail), detail=detail)


def _complaints(messages: str) -> list[str]:
    """What the encoder on the GPU said, if that took part."""
    return [line for line in messages.splitlines() if line.startswith(nvenc.COMPLAINT)]


def _problem(messages: str) -> str:
    """The first thing that ffmpeg complained of, without addresses and unprintable characters; but
    how much did not decode, where that was too much."""
    if rate := _RATE.search(messages):
        return f"{round(100 * float(rate[1]))} % of its packets are damaged"
    for line in messages.splitlines():
        text = _UNPRINTABLE.sub("?", _PREFIX.sub("", line)).strip().rstrip(".")
        if text and "source" not in text:
            return text[:200]
    return "its data is damaged"
