"""A look at pictures that cannot be had, or that goes wrong, has seen nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.media.source.byterange import ByteRange
from functions.planning.glance import Glance
from functions.planning.scan import Seen
from functions.ports import Finished, Limits
from tests.films import FILM, STREAM


def nothing(
    argv: Sequence[str],
    *,
    limits: Limits,
    cwd: Path,
    on_progress: Callable[[Mapping[str, str]], bool] | None = None,
) -> Finished:
    """A program that crashes."""
    return Finished(returncode=-11, stdout=b"", stderr="", cpu_s=0.0, wall_s=0.0, max_rss_bytes=0)


def missing() -> Path:
    raise Unavailable("no ffmpeg for this machine")


@pytest.fixture
def fetched() -> list[ByteRange]:
    return []


def seen(ffmpeg: Callable[[], Path], folder: Path, fetched: list[ByteRange]) -> Mapping[int, Seen]:
    glance = Glance(nothing, ffmpeg, folder, 10**6)
    return glance.at(
        folder / "source", "mov", FILM.media, FILM.tables, fetched.extend, lambda: None
    )


def test_where_there_is_no_ffmpeg_nothing_is_fetched_or_seen(
    tmp_path: Path, fetched: list[ByteRange]
) -> None:
    assert seen(missing, tmp_path, fetched) == {}
    assert fetched == []


def test_a_crash_has_seen_nothing(tmp_path: Path, fetched: list[ByteRange]) -> None:
    assert seen(lambda: Path("ffmpeg"), tmp_path, fetched) == {STREAM.index: Seen()}
    # Of a thousand packets of 900 bytes, a few.
    assert 0 < sum(each.size_bytes for each in fetched) < 0.1 * 900_000
