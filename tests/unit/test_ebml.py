"""Matroska's outermost elements: what a file says of its own length."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.media.source import ebml
from tests.clips import ffmpeg

HEADER = bytes.fromhex("1a45dfa3 83 428681")
SEGMENT = bytes.fromhex("18538067")


@pytest.mark.parametrize("format", ["matroska", "webm"])
def test_a_finished_file_ends_where_it_says(tmp_path: Path, format: str) -> None:
    path = tmp_path / "clip"
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.3")
    ffmpeg(*source, *("-c:v", "libvpx", "-f", format, str(path)))
    written = path.read_bytes()
    assert ebml.end(written[:4096]) == len(written)


def test_a_file_that_was_never_finished_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip"
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=0.3")
    ffmpeg(*source, *("-c:v", "libvpx", "-live", "1", "-f", "webm", str(path)))
    assert ebml.end(path.read_bytes()[:4096]) == 0


@pytest.mark.parametrize(
    ("head", "end"),
    [
        (HEADER + SEGMENT + b"\x85", 8 + 5 + 5),
        (HEADER + SEGMENT + b"\x40\x85", 8 + 6 + 0x85),
        (HEADER + SEGMENT + b"\x01" + bytes(6) + b"\x05", 8 + 12 + 5),
        (HEADER + SEGMENT + b"\xff", 0),
        (HEADER + SEGMENT + b"\x01" + b"\xff" * 7, 0),
        (HEADER + SEGMENT + b"\x01\x00", 0),
        (HEADER + SEGMENT + b"\x00" * 9, 0),
        (HEADER + SEGMENT, 0),
        (HEADER, 0),
        (b"\x1a\x45\xdf\xa3", 0),
        (b"", 0),
        (b"RIFF\x00\x00\x00\x00AVI ", 0),
    ],
)
def test_the_size_is_read_in_every_width_and_only_whole(head: bytes, end: int) -> None:
    assert ebml.end(head) == end
