"""What every ObjectStore keeps of the port's promises. An adapter's test inherits these classes.

`ObjectStoreSuite` wants a fixture `store`; `SharedObjectStoreSuite` also `location`, an address
at which other processes find the same objects.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports import Absent, ByteRange, ObjectStore
from tests.contract.racer import BODY_BYTES, body_of, race

ILLEGAL_KEYS = ["", "/", "a/", "/a", "a//b", ".", "..", "a/./b", "a/../b", "a\0b", "a" * 1025]

# Around the slash in byte order, in other planes, and what shells, URLs and file systems mind.
_CHARACTERS = "aAb0-.!+ ~%*?\\\"'#&é\u0130ßﬀ\uffff\U0001f3ac\n"
_segments = st.text(_CHARACTERS, min_size=1, max_size=3).filter(lambda it: it not in (".", ".."))
_keys = st.lists(_segments, min_size=1, max_size=3).map("/".join)
_counter = itertools.count()


def _without_nesting(keys: set[str]) -> list[str]:
    """Those that are no folder of another: a folder cannot be an object as well."""
    return [key for key in keys if not any(other.startswith(f"{key}/") for other in keys)]


class ObjectStoreSuite:
    def test_what_was_created_is_there_whole(self, store: ObjectStore) -> None:
        assert store.create("work/a/b", b"body", content_type="text/plain")
        info = store.head("work/a/b")
        assert info is not None
        assert (info.key, info.size_bytes) == ("work/a/b", 4)
        assert info.etag
        assert store.get("work/a/b") == b"body"

    def test_modification_times_are_of_this_age(self, store: ObjectStore) -> None:
        store.create("work/a", b"")
        info = store.head("work/a")
        assert info is not None
        assert info.modified_s > 1_500_000_000

    def test_the_second_create_loses_and_changes_nothing(self, store: ObjectStore) -> None:
        assert store.create("work/a", b"first")
        before = store.head("work/a")
        assert not store.create("work/a", b"second")
        assert store.head("work/a") == before
        assert store.get("work/a") == b"first"

    def test_a_winner_whose_reply_was_lost_finds_its_own_body(self, store: ObjectStore) -> None:
        store.create("work/receipt", b"mine")  # and the reply is lost on the way
        assert not store.create("work/receipt", b"mine")
        assert store.get("work/receipt") == b"mine"

    def test_an_object_may_be_empty(self, store: ObjectStore) -> None:
        assert store.create("work/empty", b"")
        info = store.head("work/empty")
        assert info is not None
        assert info.size_bytes == 0
        assert store.get("work/empty") == b""
        assert not store.create("work/empty", b"x")

    def test_what_is_not_there_is_absent(self, store: ObjectStore) -> None:
        store.create("work/folder/file", b"x")
        for key in ("work/none", "none", "work/folder", "work/folder/file/deeper", "work"):
            assert store.head(key) is None
            with pytest.raises(Absent):
                store.get(key)
            with pytest.raises(Absent):
                list(store.read(key, [ByteRange(0, 1)]))

    def test_a_body_may_come_from_a_file(self, store: ObjectStore, tmp_path: Path) -> None:
        body = bytes(range(256)) * 12_345
        source = tmp_path / "body"
        source.write_bytes(body)
        assert store.create("work/one", source)
        assert store.put("work/two", source)
        assert store.get("work/one") == store.get("work/two") == body
        assert source.read_bytes() == body

    def test_a_body_file_that_is_missing_is_the_callers_error(
        self, store: ObjectStore, tmp_path: Path
    ) -> None:
        with pytest.raises(FileNotFoundError):
            store.put("work/a", tmp_path / "none")
        assert store.head("work/a") is None

    def test_put_replaces(self, store: ObjectStore) -> None:
        assert store.put("work/a", b"one")
        assert store.put("work/a", b"two")
        assert store.get("work/a") == b"two"

    def test_every_write_changes_the_etag(self, store: ObjectStore) -> None:
        etags = set()
        for n in range(50):
            store.put("work/a", b"%02d" % n)
            info = store.head("work/a")
            assert info is not None
            etags.add(info.etag)
        assert len(etags) == 50

    def test_put_with_a_match_is_compare_and_swap(self, store: ObjectStore) -> None:
        assert not store.put("work/a", b"x", match="no-such-etag")
        assert store.head("work/a") is None
        assert store.put("work/a", b"one", match="")
        assert not store.put("work/a", b"x", match="")
        first = store.head("work/a")
        assert first is not None
        assert store.put("work/a", b"two", match=first.etag)
        assert not store.put("work/a", b"x", match=first.etag)
        assert store.get("work/a") == b"two"

    def test_ranges_come_in_the_order_asked_for(self, store: ObjectStore) -> None:
        store.create("work/a", bytes(range(200)))
        ranges = [ByteRange(100, 200), ByteRange(0, 1), ByteRange(50, 150), ByteRange(0, 1)]
        got = list(store.read("work/a", ranges))
        assert got == [bytes(range(r.start, r.stop)) for r in ranges]
        assert list(store.read("work/a", [])) == []

    def test_a_range_beyond_the_end_is_a_mistake(self, store: ObjectStore) -> None:
        store.create("work/a", b"0123456789")
        for wanted in (ByteRange(5, 11), ByteRange(10, 11), ByteRange(100, 200)):
            with pytest.raises(ValueError, match="beyond the end"):
                list(store.read("work/a", [ByteRange(0, 1), wanted]))

    def test_reading_with_an_etag_refuses_another_version(self, store: ObjectStore) -> None:
        store.create("work/a", b"old")
        old = store.head("work/a")
        assert old is not None
        assert list(store.read("work/a", [ByteRange(0, 3)], etag=old.etag)) == [b"old"]
        store.put("work/a", b"new")
        with pytest.raises(Absent):
            list(store.read("work/a", [ByteRange(0, 3)], etag=old.etag))
        store.delete("work/a")
        with pytest.raises(Absent):
            list(store.read("work/a", [ByteRange(0, 3)], etag=old.etag))

    @pytest.mark.parametrize("change", ["replaced", "removed"])
    def test_one_reading_never_mixes_two_versions(self, store: ObjectStore, change: str) -> None:
        store.create("work/a", b"old" * 1000)
        old = store.head("work/a")
        assert old is not None
        ranges = [ByteRange(start, start + 3) for start in range(0, 3000, 3)]
        got = []
        with pytest.raises(Absent):
            for data in store.read("work/a", ranges, etag=old.etag):
                got.append(data)
                if len(got) == 1 and change == "replaced":
                    store.put("work/a", b"new" * 1000)
                if len(got) == 1 and change == "removed":
                    store.delete("work/a")
        assert set(got) == {b"old"}

    def test_what_was_deleted_is_absent_and_can_be_created(self, store: ObjectStore) -> None:
        store.create("work/a/b", b"one")
        store.delete("work/a/b")
        store.delete("work/a/b")
        assert store.head("work/a/b") is None
        assert list(store.list("work/")) == []
        assert store.create("work/a/b", b"two")
        assert store.get("work/a/b") == b"two"

    def test_deleting_one_leaves_its_neighbours(self, store: ObjectStore) -> None:
        for key in ("work/a/b/c", "work/a/b2", "work/a/b/d"):
            store.create(key, b"")
        store.delete("work/a/b/c")
        store.delete("work/a")
        assert [info.key for info in store.list("work/")] == ["work/a/b/d", "work/a/b2"]

    @pytest.mark.parametrize("key", ILLEGAL_KEYS, ids=repr)
    def test_an_illegal_key_is_a_mistake_everywhere(self, store: ObjectStore, key: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: store.head(key),
            lambda: store.get(key),
            lambda: list(store.read(key, [ByteRange(0, 1)])),
            lambda: store.create(key, b""),
            lambda: store.put(key, b""),
            lambda: store.put(key, b"", match=""),
            lambda: store.delete(key),
        ]
        for call in calls:
            with pytest.raises(ValueError):
                call()

    def test_keys_that_differ_in_case_or_form_are_two(self, store: ObjectStore) -> None:
        names = ["work/Film", "work/film", "work/\u00e9", "work/e\u0301", "work/ film"]
        for name in names:
            assert store.create(name, name.encode())
        assert [store.get(name) for name in names] == [name.encode() for name in names]

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(keys=st.sets(_keys, max_size=12), prefix=st.one_of(st.just(""), _keys), after=_keys)
    def test_a_listing_is_sorted_by_the_bytes_of_the_key(
        self, store: ObjectStore, keys: set[str], prefix: str, after: str
    ) -> None:
        root = f"work/{next(_counter)}/"
        mine = sorted((root + key for key in _without_nesting(keys)), key=str.encode)
        for key in mine:
            assert store.create(key, key.encode())
        wanted = [key for key in mine if key.startswith(root + prefix)]
        assert [info.key for info in store.list(root + prefix)] == wanted
        behind = [key for key in wanted if key.encode() > (root + after).encode()]
        assert [info.key for info in store.list(root + prefix, after=root + after)] == behind
        for start, key in enumerate(mine, start=1):
            assert [info.key for info in store.list(root, after=key)] == mine[start:]
        for info in store.list(root):
            head = store.head(info.key)
            assert head is not None
            assert (head.size_bytes, head.etag) == (info.size_bytes, info.etag)
            assert store.get(info.key) == info.key.encode()

    def test_a_prefix_need_not_end_at_a_slash(self, store: ObjectStore) -> None:
        for key in ("work/ab/1", "work/abc", "work/ac", "media/ab"):
            store.create(key, b"")
        assert [info.key for info in store.list("work/ab")] == ["work/ab/1", "work/abc"]
        assert [info.key for info in store.list("work/ab/")] == ["work/ab/1"]
        assert [info.key for info in store.list("wor")] == ["work/ab/1", "work/abc", "work/ac"]
        for nothing in ("work/abcd", "work/abc/", "work//", "work/../media", "none/", "\0"):
            assert list(store.list(nothing)) == []

    def test_objects_may_come_and_go_while_they_are_listed(self, store: ObjectStore) -> None:
        for n in range(20):
            store.create(f"work/{n:02}/a", b"")
        seen = []
        for info in store.list("work/"):
            seen.append(info.key)
            number = int(info.key[5:7])
            store.delete(f"work/{number + 1:02}/a")
        assert seen[0] == "work/00/a"
        assert seen == sorted(set(seen))

    def test_of_many_threads_one_creates(self, store: ObjectStore) -> None:
        names = "ABCDEFGH"
        start = threading.Barrier(len(names))

        def run(name: str) -> list[int]:
            start.wait()
            return [n for n in range(20) if store.create(f"work/race/{n}", body_of(name))]

        with ThreadPoolExecutor(len(names)) as pool:
            won = dict(zip(names, pool.map(run, names), strict=True))
        assert sorted(itertools.chain(*won.values())) == list(range(20))
        for name, numbers in won.items():
            for n in numbers:
                assert store.get(f"work/race/{n}") == body_of(name)

    def test_readers_never_see_half_an_object(self, store: ObjectStore) -> None:
        store.put("work/a", body_of("A"))
        finished = threading.Event()

        def write(name: str) -> None:
            for _ in range(40):
                store.put("work/a", body_of(name))

        def read() -> int:
            reads = 0
            while not finished.is_set() or not reads:
                data = store.get("work/a")
                assert data == data[:1] * BODY_BYTES
                listed = list(store.list("work/a"))
                assert [info.size_bytes for info in listed] == [BODY_BYTES]
                reads += 1
            return reads

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            try:
                for writer in [pool.submit(write, name) for name in "BC"]:
                    writer.result()
            finally:
                finished.set()
            assert all(reader.result() for reader in readers)

    def test_no_compare_and_swap_is_lost_between_threads(self, store: ObjectStore) -> None:
        store.create("work/count", b"0")

        def count_up(_: int) -> None:
            for _ in range(20):
                while True:
                    there = store.head("work/count")
                    assert there is not None
                    try:
                        (data,) = store.read(
                            "work/count", [ByteRange(0, there.size_bytes)], etag=there.etag
                        )
                    except Absent:
                        continue
                    if store.put("work/count", b"%d" % (int(data) + 1), match=there.etag):
                        break

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count_up, range(4)))
        assert store.get("work/count") == b"80"

    def test_creating_beside_what_others_delete_works(self, store: ObjectStore) -> None:
        def come_and_go(name: str) -> None:
            for n in range(60):
                assert store.create(f"work/deep/er/{name}", b"%d" % n)
                assert store.get(f"work/deep/er/{name}") == b"%d" % n
                store.delete(f"work/deep/er/{name}")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(come_and_go, "ABCD"))
        assert list(store.list("")) == []


class SharedObjectStoreSuite(ObjectStoreSuite):
    def test_of_many_processes_one_creates(self, store: ObjectStore, location: str) -> None:
        won = race("create", location, names="ABCD", count=40)
        assert sorted(itertools.chain(*won.values()), key=str) == sorted(range(40), key=str)
        for name, numbers in won.items():
            for n in numbers:
                assert store.get(f"work/race/{n}") == body_of(name)

    def test_no_compare_and_swap_is_lost_between_processes(
        self, store: ObjectStore, location: str
    ) -> None:
        race("increment", location, names="ABCD", count=25)
        assert store.get("work/count") == b"100"
