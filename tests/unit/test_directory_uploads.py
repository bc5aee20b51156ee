"""Uploads in a folder: what nobody sees, what a death leaves, and what a watcher tells of."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters.directory import DirectoryStore
from functions.adapters.folder import HIDDEN
from functions.adapters.uploads import DirectoryUploads
from functions.jobs import layout
from functions.ports import Absent, Part
from knative.local.uploads import _files

KEY = f"{layout.UPLOADS}/acme/1/film.mp4"


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(tmp_path, durable=False)


@pytest.fixture
def uploads(tmp_path: Path, store: DirectoryStore) -> DirectoryUploads:
    return DirectoryUploads(tmp_path, durable=False)


def test_the_watcher_of_dropped_files_sees_the_file_when_it_is_complete(
    tmp_path: Path, uploads: DirectoryUploads
) -> None:
    upload = uploads.begin(KEY)
    part = uploads.write(KEY, upload, 1, b"body", offset_bytes=0)
    assert list(_files(tmp_path / layout.UPLOADS)) == []
    uploads.complete(KEY, upload, [part])
    assert [key for key, _ in _files(tmp_path / layout.UPLOADS)] == ["acme/1/film.mp4"]


def test_nothing_is_left_of_what_is_over(tmp_path: Path, uploads: DirectoryUploads) -> None:
    for end in ("complete", "abort"):
        upload = uploads.begin(KEY)
        part = uploads.write(KEY, upload, 1, b"body", offset_bytes=0)
        uploads.complete(KEY, upload, [part]) if end == "complete" else uploads.abort(KEY)
        assert list((tmp_path / HIDDEN / "parts").iterdir()) == []


def test_bytes_behind_the_last_part_are_cut_off(
    store: DirectoryStore, uploads: DirectoryUploads
) -> None:
    upload = uploads.begin(KEY)
    first = uploads.write(KEY, upload, 1, b"0123", offset_bytes=0)
    uploads.write(KEY, upload, 2, b"4567", offset_bytes=4)
    uploads.complete(KEY, upload, [first])
    assert store.get(KEY) == b"0123"


def test_parts_that_leave_a_gap_make_no_object(uploads: DirectoryUploads) -> None:
    upload = uploads.begin(KEY)
    first = uploads.write(KEY, upload, 1, b"0123", offset_bytes=0)
    third = uploads.write(KEY, upload, 3, b"89", offset_bytes=8)
    with pytest.raises(ValueError):
        uploads.complete(KEY, upload, [first, third])


@pytest.mark.parametrize("upload", ["..", "../..", "a" * 31, "A" * 32, "/" * 32])
def test_an_upload_id_is_no_path(uploads: DirectoryUploads, upload: str) -> None:
    uploads.begin(KEY)
    with pytest.raises(Absent):
        uploads.write(KEY, upload, 1, b"", offset_bytes=0)
    with pytest.raises(Absent):
        uploads.complete(KEY, upload, [Part(number=1, etag="", size_bytes=0)])


def test_the_stores_own_folder_takes_no_uploads(uploads: DirectoryUploads) -> None:
    with pytest.raises(ValueError):
        uploads.begin(f"{HIDDEN}/temp/x")
