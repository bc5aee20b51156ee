from __future__ import annotations

from pathlib import Path

from functions.adapters.metered import Metered
from functions.ports import ByteRange
from tests.fakes import MemoryStore


def test_bytes_are_counted_by_what_they_belong_to(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 7)
    store = Metered(MemoryStore())
    store.put("uploads/a", b"0123456789")
    store.create("work/a", tmp_path / "body")
    list(store.read("uploads/a", [ByteRange(0, 4), ByteRange(2, 5)]))
    store.get("work/a")
    assert store.bytes_written() == 17
    assert store.bytes_written("uploads/") == 10
    assert store.bytes_read("uploads/") == 7
    assert store.bytes_read("work/") == 7
    assert store.bytes_read() == 14
    assert store.bytes_read("media/") == 0


def test_a_reading_that_stops_counts_what_it_took() -> None:
    store = Metered(MemoryStore())
    store.put("uploads/a", b"0123456789")
    next(store.read("uploads/a", [ByteRange(0, 4), ByteRange(4, 10)]))
    assert store.bytes_read() == 4
