"""The archive: pieces, redacted, in one compressed file that is there whole or not at all."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knative.evidence.exhibit import Exhibit, Gap, Piece
from knative.evidence.redaction import Redactor

GAPS: Final = "gaps.txt"


@dataclass(frozen=True, slots=True)
class Archived:
    """What came of it."""

    files: tuple[str, ...]
    gaps: tuple[Gap, ...]
    size_bytes: int


def write(file: Path, pieces: Iterable[Piece], redact: Redactor) -> Archived:
    """Raises OSError. Files are in a folder of the archive's own name."""
    folder = file.name.partition(".")[0]
    whole = file.with_name(f".{file.name}.part")
    paths: list[str] = []
    gaps: list[Gap] = []
    try:
        with tarfile.open(whole, "w:gz") as archive:
            for piece in pieces:
                if isinstance(piece, Gap):
                    gaps.append(piece)
                else:
                    _add(archive, folder, piece, redact)
                    paths.append(piece.path)
            if gaps:
                said = "".join(f"{gap.what}: {gap.why}\n" for gap in gaps)
                _add(archive, folder, Exhibit(GAPS, said), redact)
                paths.append(GAPS)
        whole.chmod(0o600)
        whole.replace(file)
    finally:
        whole.unlink(missing_ok=True)
    return Archived(tuple(paths), tuple(gaps), file.stat().st_size)


def _add(archive: tarfile.TarFile, folder: str, exhibit: Exhibit, redact: Redactor) -> None:
    body = redact(exhibit.text).encode()
    entry = tarfile.TarInfo(f"{folder}/{redact(exhibit.path)}")
    entry.size, entry.mtime, entry.mode = len(body), int(time.time()), 0o600
    archive.addfile(entry, io.BytesIO(body))
