"""The watcher over a real folder: what is taken, when, and how often."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from eventing.cloudevent import CloudEvent
from eventing.contract import ObjectCreated
from eventing.envelope import unwrap
from functions.adapters.directory import DirectoryStore
from functions.jobs import layout
from knative.local.uploads import Uploads, Writers, writers


@dataclass
class Dropbox:
    """A folder, its watcher, and what the watcher told."""

    root: Path
    settle_s: float = 0.0
    told: list[ObjectCreated] = field(default_factory=list)
    refuse: bool = False

    def __post_init__(self) -> None:
        self.store = DirectoryStore(self.root, durable=False)
        self.restart()

    def restart(self) -> None:
        self.uploads = Uploads(self.root, self.store, self._publish, settle_s=self.settle_s)

    async def _publish(self, event: CloudEvent) -> None:
        if self.refuse:
            raise RuntimeError("not now")
        assert event.extensions["producer"] == "source"
        payload = unwrap(event)
        assert isinstance(payload, ObjectCreated)
        assert event.subject == payload.key
        self.told.append(payload)

    def path(self, key: str) -> Path:
        path = self.root / "uploads" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def drop(self, key: str, data: bytes = b"film") -> Path:
        path = self.path(key)
        path.write_bytes(data)
        return path

    def look(self) -> list[str]:
        """The keys told of by one more look."""
        before = len(self.told)
        asyncio.run(self.uploads.look())
        return [created.key for created in self.told[before:]]


@pytest.fixture
def dropbox(tmp_path: Path) -> Dropbox:
    return Dropbox(tmp_path)


def test_a_file_is_told_of_once_with_what_the_store_knows_of_it(dropbox: Dropbox) -> None:
    dropbox.drop("acme/deep/film.mp4")
    assert dropbox.look() == ["acme/deep/film.mp4"]
    assert dropbox.look() == []
    info = dropbox.store.head("uploads/acme/deep/film.mp4")
    assert info is not None
    assert dropbox.told == [
        ObjectCreated(bucket="uploads", key="acme/deep/film.mp4", etag=info.etag, size_bytes=4)
    ]


def test_a_file_is_not_taken_while_anybody_has_it_open_for_writing(dropbox: Dropbox) -> None:
    path = dropbox.path("acme/film.mp4")
    with path.open("wb") as stream:
        stream.write(b"half")
        stream.flush()
        assert writers(path) is Writers.SOME
        assert dropbox.look() == []
    assert writers(path) is Writers.NONE
    assert dropbox.look() == ["acme/film.mp4"]


def test_a_file_is_not_taken_while_another_process_writes(dropbox: Dropbox) -> None:
    path = dropbox.path("acme/film.mp4")
    script = "import sys; f = open(sys.argv[1], 'ab'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"open\n"
        assert dropbox.look() == []
        process.stdin.close()
        assert process.wait(60) == 0
    assert dropbox.look() == ["acme/film.mp4"]


def test_a_file_that_still_changes_is_not_taken(tmp_path: Path) -> None:
    dropbox = Dropbox(tmp_path, settle_s=3600.0)
    path = dropbox.drop("acme/film.mp4")
    assert dropbox.look() == []
    # Its times say that it has stood still for hours; the kernel's own say that it has not.
    os.utime(path, (1, 1))
    assert dropbox.look() == []


def test_what_came_long_before_anybody_looked_is_taken_at_the_first_look(tmp_path: Path) -> None:
    film = Dropbox(tmp_path).drop("acme/film.mp4")
    settle_s = 0.05
    while film.stat().st_ctime + settle_s > film.parent.stat().st_ctime:
        # The folder's time moves on with the file system's clock.
        (film.parent / ".clock").write_bytes(b"")
        (film.parent / ".clock").unlink()
    assert Dropbox(tmp_path, settle_s=settle_s).look() == ["acme/film.mp4"]


@pytest.mark.parametrize(
    "key",
    [
        "acme/film.mp4.part",
        "acme/film.mp4.crdownload",
        "acme/film.tmp",
        "acme/.film.mp4",
        "acme/.hidden/film.mp4",
        "acme/film.mp4.json",
        "acme/notes.json",
        "acme/film.mp4~",
    ],
)
def test_hidden_unfinished_and_sidecar_files_are_no_sources(dropbox: Dropbox, key: str) -> None:
    dropbox.drop(key)
    dropbox.drop("acme/film.mp4")
    assert dropbox.look() == ["acme/film.mp4"]


def test_links_and_pipes_are_no_sources(dropbox: Dropbox) -> None:
    film = dropbox.drop("acme/film.mp4")
    dropbox.path("acme/link.mp4").symlink_to(film)
    dropbox.path("acme/folder").symlink_to(film.parent)
    os.mkfifo(dropbox.path("acme/pipe.mp4"))
    assert dropbox.look() == ["acme/film.mp4"]


def test_a_file_without_a_tenant_is_told_of_so_that_somebody_says_what_is_wrong(
    dropbox: Dropbox,
) -> None:
    dropbox.drop("film.mp4")
    assert dropbox.look() == ["film.mp4"]


def test_a_new_version_is_told_of_again(dropbox: Dropbox) -> None:
    dropbox.drop("acme/film.mp4", b"first")
    assert dropbox.look() == ["acme/film.mp4"]
    dropbox.drop("acme/film.mp4", b"second")
    assert dropbox.look() == ["acme/film.mp4"]
    assert len({created.job for created in dropbox.told}) == 2


def test_a_renamed_download_is_taken_under_its_last_name(dropbox: Dropbox) -> None:
    part = dropbox.drop("acme/film.mp4.part")
    assert dropbox.look() == []
    part.rename(dropbox.path("acme/film.mp4"))
    assert dropbox.look() == ["acme/film.mp4"]


def test_after_a_restart_only_what_has_no_job_is_told_of(dropbox: Dropbox) -> None:
    dropbox.drop("acme/done.mp4")
    dropbox.drop("acme/told.mp4")
    dropbox.look()
    job = next(created.job for created in dropbox.told if created.key == "acme/done.mp4")
    dropbox.store.create(layout.manifest(job), b"{}")
    dropbox.drop("acme/new.mp4")
    dropbox.restart()
    assert sorted(dropbox.look()) == ["acme/new.mp4", "acme/told.mp4"]


def test_what_the_broker_does_not_take_is_told_again(dropbox: Dropbox) -> None:
    dropbox.drop("acme/film.mp4")
    dropbox.refuse = True
    assert dropbox.look() == []
    dropbox.refuse = False
    assert dropbox.look() == ["acme/film.mp4"]


def test_older_files_come_first(dropbox: Dropbox) -> None:
    for age, name in enumerate(["c", "a", "b"]):
        os.utime(dropbox.drop(f"acme/{name}.mp4"), ns=(age, age))
    assert dropbox.look() == ["acme/c.mp4", "acme/a.mp4", "acme/b.mp4"]


def test_names_that_no_object_can_have_are_passed_over(dropbox: Dropbox) -> None:
    folder = os.fsencode(dropbox.path("acme/x").parent)
    with open(folder + b"/f\xfflm.mp4", "wb") as stream:  # noqa: PTH123
        stream.write(b"film")
    dropbox.drop("acme/film.mp4")
    assert dropbox.look() == ["acme/film.mp4"]
    assert dropbox.look() == []


def test_a_folder_that_goes_away_is_no_trouble(dropbox: Dropbox) -> None:
    dropbox.drop("acme/film.mp4")
    dropbox.look()
    shutil.rmtree(dropbox.root / "uploads")
    assert dropbox.look() == []
    dropbox.drop("acme/other.mp4")
    assert dropbox.look() == ["acme/other.mp4"]


def test_a_name_that_no_object_can_have_is_told_of_once_in_the_log(
    dropbox: Dropbox, caplog: pytest.LogCaptureFixture
) -> None:
    dropbox.drop("local/film\udcff.mp4")
    dropbox.drop("local/other.mp4")
    assert dropbox.look() == ["local/other.mp4"]
    assert dropbox.look() == []
    (message,) = caplog.messages
    assert message.startswith(r"'local/film\udcff.mp4' is left alone, rename it")
