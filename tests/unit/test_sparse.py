from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventing.errors import Rejected
from functions.adapters import sparse
from functions.media.source.byterange import ByteRange
from tests.fakes import MemoryStore

KEY = "uploads/acme/film"


def stored(data: bytes) -> tuple[MemoryStore, str]:
    store = MemoryStore()
    store.create(KEY, data)
    info = store.head(KEY)
    assert info is not None
    return store, info.etag


def test_a_sparse_copy_is_as_long_as_the_object_and_zero_where_nothing_was_fetched(
    tmp_path: Path,
) -> None:
    data = bytes(range(1, 251))
    store, etag = stored(data)
    path = tmp_path / "copy"
    ranges = [ByteRange(10, 20), ByteRange(240, 250)]
    fetched = sparse.fetch(store, KEY, ranges, path, size_bytes=250, etag=etag)
    assert fetched == 20
    assert path.read_bytes() == bytes(10) + data[10:20] + bytes(220) + data[240:]
    sparse.fetch(store, KEY, [ByteRange(0, 10)], path, size_bytes=250, etag=etag)
    assert path.read_bytes()[:20] == data[:20]


def test_parts_of_what_is_read_go_where_they_are_said_to(tmp_path: Path) -> None:
    data = bytes(range(250))
    store, etag = stored(data)
    path = tmp_path / "made"
    path.write_bytes(b"head")

    def places(start: int, body: bytes) -> Iterator[tuple[int, memoryview]]:
        yield 4 + start // 10, memoryview(body)[1:3]

    ranges = [ByteRange(0, 10), ByteRange(20, 30)]
    assert sparse.collect(store, KEY, ranges, path, places=places, etag=etag) == 20
    assert path.read_bytes() == b"head" + data[1:3] + data[21:23]
    with pytest.raises(Rejected):
        sparse.collect(store, KEY, ranges, path, places=places, etag="other")


def test_a_source_that_was_replaced_or_removed_is_gone(tmp_path: Path) -> None:
    store, etag = stored(b"first")
    store.put(KEY, b"other")
    for key, mark in ((KEY, etag), ("uploads/acme/other", "")):
        with pytest.raises(Rejected) as refused:
            sparse.fetch(store, key, [ByteRange(0, 5)], tmp_path / "copy", size_bytes=5, etag=mark)
        assert refused.value.code == "source_gone"
