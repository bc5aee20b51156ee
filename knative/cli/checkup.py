"""What the pipeline needs of a machine, each as a finding with advice."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import functions
from knative.cli import wording

if TYPE_CHECKING:
    from rich.table import Table

State = Literal["ok", "poor", "missing"]

OLDEST_PYTHON: Final = (3, 11)
OLDEST_FFMPEG: Final = 7
"""The encoder's argv uses options that older ones do not have."""
ROOM_BYTES: Final = 2_000_000_000
"""Below this a job of ordinary length may not fit."""
PLAYER: Final = Path(*functions.__path__) / "gateway/static/vendor/hls/hls.js"
"""That of the page, which comes from others."""
ENCODERS: Final = ("libx264", "aac")
COLOURS: Final[Mapping[State, str]] = {"ok": "green", "poor": "yellow", "missing": "red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    what: str
    state: State
    """`poor`: it works, with less comfort or speed. `missing`: it does not work."""
    found: str
    advice: str = ""
    """What to do; empty when nothing needs to be done."""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def run(directory: Path) -> list[Check]:
    """Every check, in the order in which one would repair things."""
    checks: Sequence[Callable[[], Check]] = (
        python,
        ffmpeg,
        encoders,
        ffprobe,
        lambda: program("setpriv", "ffmpeg could keep privileges that it does not need"),
        lambda: program("prlimit", "ffmpeg's memory and time could not be bounded"),
        cores,
        lambda: space(directory),
        lambda: hard_links(directory),
        lambda: leases(directory),
        port,
        player,
    )
    return [check() for check in checks]


def python() -> Check:
    found = platform.python_version()
    if sys.version_info >= OLDEST_PYTHON:
        return Check(what="Python", state="ok", found=found)
    return Check(
        what="Python", state="missing", found=found, advice="Install Python 3.11 or newer."
    )


def ffmpeg() -> Check:
    advice = "Install the project's dependencies again, or name one with KINORA_FFMPEG."
    said = _said("ffmpeg", "-version")
    if said is None:
        return Check(what="ffmpeg", state="missing", found="none that runs", advice=advice)
    return version("ffmpeg", said, advice)


def ffprobe() -> Check:
    advice = "Install the project's dependencies again, or name one with KINORA_FFPROBE."
    said = _said("ffprobe", "-version")
    if said is None:
        return Check(what="ffprobe", state="missing", found="none that runs", advice=advice)
    return version("ffprobe", said, advice)


def version(what: str, said: str, advice: str) -> Check:
    """Of what `-version` printed: a release from OLDEST_FFMPEG on, or a build without a number."""
    words = said.split()
    found = words[2] if len(words) > 2 and words[1] == "version" else "unknown"
    number = re.match(r"n?(\d+)\.", found)
    if number is not None and int(number[1]) < OLDEST_FFMPEG:
        return Check(
            what=what,
            state="missing",
            found=found,
            advice=f"Use {OLDEST_FFMPEG} or newer. {advice}",
        )
    return Check(what=what, state="ok", found=found)


def encoders() -> Check:
    return listed_encoders(_said("ffmpeg", "-hide_banner", "-encoders") or "")


def listed_encoders(said: str) -> Check:
    """Of what `-encoders` printed."""
    there = {words[1] for line in said.splitlines() if len(words := line.split()) > 1}
    lacking = [name for name in ENCODERS if name not in there]
    if not lacking:
        return Check(what="encoders", state="ok", found=", ".join(ENCODERS))
    return Check(
        what="encoders",
        state="missing",
        found=f"no {' and no '.join(lacking)}",
        advice="Use an ffmpeg built with them: unset KINORA_FFMPEG or name another.",
    )


def program(name: str, without: str) -> Check:
    found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
    if found:
        return Check(what=name, state="ok", found=found)
    return Check(
        what=name,
        state="poor",
        found="not installed",
        advice=f"Install the package util-linux: without it {without}.",
    )


def cores() -> Check:
    from knative.local import overlay

    count = overlay.cores()
    if count > 1:
        return Check(what="cores", state="ok", found=str(count))
    return Check(
        what="cores", state="poor", found="1", advice="Encodes run one after another on one core."
    )


def space(directory: Path) -> Check:
    place = _existing(directory)
    free = shutil.disk_usage(place).free
    found = f"{wording.size(free)} free at {place}"
    if free >= ROOM_BYTES:
        return Check(what="disk", state="ok", found=found)
    return Check(what="disk", state="poor", found=found, advice="Make room, or use another --dir.")


def hard_links(directory: Path) -> Check:
    with _probe(directory) as probe:
        if probe is not None:
            try:
                os.link(probe / "file", probe / "link")
                return Check(what="file system", state="ok", found="hard links work")
            except OSError as error:
                found = f"no hard links: {error.strerror}"
        else:
            found = f"nothing can be written at {_existing(directory)}"
    return Check(
        what="file system",
        state="missing",
        found=found,
        advice="Use a folder on a local file system (ext4, xfs, btrfs, tmpfs) with --dir.",
    )


def leases(directory: Path) -> Check:
    """Whether the kernel says who has a file open for writing (fcntl F_SETLEASE)."""
    what = "open files"
    with _probe(directory) as probe:
        if probe is not None:
            opened = os.open(probe / "file", os.O_RDONLY)
            try:
                fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                fcntl.fcntl(opened, fcntl.F_SETLEASE, fcntl.F_UNLCK)
                return Check(what=what, state="ok", found="writers are seen (F_SETLEASE)")
            except OSError as error:
                found = f"writers are not seen: {error.strerror}"
            finally:
                os.close(opened)
        else:
            found = "cannot be told"
    return Check(
        what=what,
        state="poor",
        found=found,
        advice="A dropped file is taken later, once it has stood still; "
        "copy it under a hidden name and rename it.",
    )


def port() -> Check:
    try:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1)
            return Check(what="ports", state="ok", found="127.0.0.1 can be listened on")
    except OSError as error:
        return Check(
            what="ports",
            state="missing",
            found=f"127.0.0.1: {error.strerror}",
            advice="Allow programs to listen on 127.0.0.1: functions are reached there.",
        )


def player() -> Check:
    if PLAYER.is_file():
        return Check(what="player", state="ok", found="hls.js")
    return Check(
        what="player",
        state="poor",
        found="not here",
        advice="`make assets` brings it, with npm. Without it the page plays only in browsers "
        "that know HLS by themselves.",
    )


def table(found: Sequence[Check]) -> Table:
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(4):
        shown.add_column(overflow="fold")
    for check in found:
        shown.add_row(
            check.what,
            Text(check.state, style=COLOURS[check.state]),
            Text(check.found),
            check.advice,
        )
    return shown


def _said(which: Literal["ffmpeg", "ffprobe"], *arguments: str) -> str | None:
    """What the program prints, None where it cannot be run."""
    from eventing.errors import Unavailable
    from functions.adapters import binaries

    try:
        binary = binaries.ffmpeg() if which == "ffmpeg" else binaries.ffprobe()
        ran = subprocess.run(
            [binary, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=True,
        )
    except (Unavailable, OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.decode(errors="replace")


def _existing(directory: Path) -> Path:
    place = directory.absolute()
    while not place.is_dir():
        place = place.parent
    return place


class _probe:
    """A folder with a file in it, on the file system of `directory`; None where none can be."""

    def __init__(self, directory: Path) -> None:
        self._place = _existing(directory)
        self._made: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Path | None:
        try:
            self._made = tempfile.TemporaryDirectory(prefix=".kinora-doctor-", dir=self._place)
            probe = Path(self._made.name)
            (probe / "file").touch()
            return probe
        except OSError:
            return None

    def __exit__(self, *_: Any) -> None:
        if self._made is not None:
            self._made.cleanup()
