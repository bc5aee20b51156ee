"""What is particular to objects in a folder: links, pipes, temporary files, names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters.directory import DirectoryStore
from functions.adapters.folder import HIDDEN
from functions.ports import Absent, ByteRange


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def store(root: Path) -> DirectoryStore:
    return DirectoryStore(root, durable=False)


def keys_in(store: DirectoryStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


def leftovers(root: Path) -> list[Path]:
    return list((root / HIDDEN / "temp").iterdir())


def test_a_file_that_somebody_copied_in_is_an_object(store: DirectoryStore, root: Path) -> None:
    (root / "uploads/anna").mkdir(parents=True)
    (root / "uploads/anna/film.mp4").write_bytes(b"film")
    assert keys_in(store) == ["uploads/anna/film.mp4"]
    assert store.get("uploads/anna/film.mp4") == b"film"
    assert not store.create("uploads/anna/film.mp4", b"")


def test_the_hidden_folder_is_no_part_of_the_store(store: DirectoryStore, root: Path) -> None:
    (root / HIDDEN / "temp/x").write_bytes(b"half")
    assert keys_in(store) == keys_in(store, HIDDEN) == []
    for key in (HIDDEN, f"{HIDDEN}/temp/x"):
        with pytest.raises(ValueError):
            store.head(key)
        with pytest.raises(ValueError):
            store.put(key, b"")
    assert store.create(f"work/{HIDDEN}", b"elsewhere it is a name like others")


def test_no_link_leads_out(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"secret")
    (root / "uploads").mkdir()
    (root / "uploads/file").symlink_to(tmp_path / "outside/secret")
    (root / "uploads/folder").symlink_to(tmp_path / "outside")
    (root / "uploads/loop").symlink_to(root / "uploads/loop")
    assert keys_in(store) == []
    for key in ("uploads/file", "uploads/folder/secret", "uploads/loop"):
        assert store.head(key) is None
        with pytest.raises(Absent):
            store.get(key)
        with pytest.raises(Absent):
            list(store.read(key, [ByteRange(0, 1)]))
        with pytest.raises(ValueError):
            store.create(key, b"x")
        with pytest.raises(ValueError):
            store.put(key, b"x")
        store.delete(key)
    with pytest.raises(ValueError):
        store.put("uploads/folder/new", b"x")
    assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["secret"]
    assert (tmp_path / "outside/secret").read_bytes() == b"secret"
    assert (root / "uploads/file").is_symlink()


def test_links_are_followed_where_that_was_asked_for(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/film").write_bytes(b"film")
    (root / "uploads").mkdir(parents=True)
    (root / "uploads/anna").symlink_to(tmp_path / "disk")
    (root / "uploads/again").symlink_to(root / "uploads")
    (root / "uploads/broken").symlink_to(tmp_path / "none")
    store = DirectoryStore(root, follow_links=True)
    assert keys_in(store) == ["uploads/anna/film"]
    assert store.get("uploads/anna/film") == b"film"


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    DirectoryStore(root).put("work/a", b"x")
    assert (tmp_path / "disk/work/a").read_bytes() == b"x"


def test_what_is_no_plain_file_is_no_object(store: DirectoryStore, root: Path) -> None:
    (root / "uploads").mkdir()
    os.mkfifo(root / "uploads/pipe")
    assert keys_in(store) == []
    assert store.head("uploads/pipe") is None
    with pytest.raises(Absent):
        store.get("uploads/pipe")
    with pytest.raises(ValueError):
        store.create("uploads/pipe", b"")


def test_an_object_is_no_folder_and_a_folder_no_object(store: DirectoryStore) -> None:
    store.put("work/a/b", b"x")
    for write in (store.create, store.put):
        with pytest.raises(ValueError, match="work/a cannot be an object"):
            write("work/a", b"")
        with pytest.raises(ValueError, match="work/a/b/c cannot be an object"):
            write("work/a/b/c", b"")
        with pytest.raises(ValueError, match="cannot be an object"):
            write(f"work/{'x' * 256}", b"")
    assert store.head(f"work/{'x' * 256}") is None
    assert keys_in(store) == ["work/a/b"]


def test_an_empty_folder_makes_way(store: DirectoryStore, root: Path) -> None:
    (root / "work/a").mkdir(parents=True)
    assert store.head("work/a") is None
    assert store.create("work/a", b"one")
    (root / "work/b").mkdir()
    assert store.put("work/b", b"two")
    assert keys_in(store) == ["work/a", "work/b"]


def test_folders_go_with_their_last_object_but_buckets_stay(
    store: DirectoryStore, root: Path
) -> None:
    store.put("work/a/b/c", b"")
    store.put("work/a/d", b"")
    store.delete("work/a/b/c")
    assert not (root / "work/a/b").exists()
    store.delete("work/a/d")
    assert list((root / "work").iterdir()) == []


def test_names_that_are_no_text_are_left_out(store: DirectoryStore, root: Path) -> None:
    (root / "uploads").mkdir()
    Path(os.fsdecode(bytes(root / "uploads") + b"/\xff.mp4")).write_bytes(b"x")
    (root / "uploads/ok.mp4").write_bytes(b"x")
    assert keys_in(store) == ["uploads/ok.mp4"]
    with pytest.raises(ValueError):
        store.head("uploads/\udcff.mp4")


def test_paths_too_long_for_a_key_are_left_out(store: DirectoryStore, root: Path) -> None:
    deep = root / "uploads" / "/".join("x" * 200 for _ in range(6))
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"x")
    assert keys_in(store) == []


def test_a_file_changed_in_place_has_another_etag(store: DirectoryStore, root: Path) -> None:
    store.put("uploads/a", b"0123456789")
    info = store.head("uploads/a")
    assert info is not None
    reading = store.read("uploads/a", [ByteRange(0, 5), ByteRange(5, 10)], etag=info.etag)
    assert next(reading) == b"01234"
    with (root / "uploads/a").open("r+b") as stream:
        stream.write(b"9876543210")
    with pytest.raises(Absent):
        next(reading)


def test_an_etag_is_not_used_again_though_its_inode_is(store: DirectoryStore) -> None:
    etags = []
    for _ in range(200):
        store.put("work/a", b"same")
        info = store.head("work/a")
        assert info is not None
        etags.append(info.etag)
    assert len(set(etags)) == len(etags)


def test_no_temporary_file_outlives_a_call(
    store: DirectoryStore, root: Path, tmp_path: Path
) -> None:
    store.create("work/a", b"x")
    store.create("work/a", b"y")
    store.put("work/a", b"z", match="no")
    with pytest.raises(ValueError):
        store.put("work/a/b", b"z")
    with pytest.raises(IsADirectoryError):
        store.put("work/b", tmp_path)
    assert leftovers(root) == []


WRITER = """
import os, signal, sys
from pathlib import Path
from functions.adapters.directory import DirectoryStore

store = DirectoryStore(Path(sys.argv[1]), durable=False)
link = os.link
def stop(*_args, **_options):
    print("linking", flush=True)
    signal.pause()
os.link = stop
store.create("work/a", b"half of it")
"""


def test_what_a_killed_writer_left_is_removed_and_a_living_ones_is_not(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE, text=True
    ) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "linking\n"
            store = DirectoryStore(root, durable=False)
            assert keys_in(store) == []
            assert len(leftovers(root)) == 1
            writer.send_signal(signal.SIGKILL)
            writer.wait()
            assert store.create("work/a", b"mine")
            store.remove_stale()
            assert leftovers(root) == []
        finally:
            writer.kill()


def test_a_file_system_that_refuses_makes_the_store_unavailable(
    store: DirectoryStore, root: Path
) -> None:
    root.rename(root.with_name("gone"))
    for call in (
        lambda: store.head("work/a"),
        lambda: store.get("work/a"),
        lambda: store.put("work/a", b""),
        lambda: list(store.list("")),
        lambda: store.delete("work/a"),
    ):
        with pytest.raises(Unavailable):
            call()


def test_a_folder_that_may_only_be_read_can_be_read() -> None:
    store = DirectoryStore(Path("/sys/kernel"))
    assert store.head("fscaps") is not None
    with pytest.raises(Unavailable):
        store.put("work/a", b"")
