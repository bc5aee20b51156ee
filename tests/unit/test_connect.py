from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters.connect import object_store, state_store
from functions.adapters.directory import DirectoryStore
from functions.adapters.sqlite import SqliteState


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}", "file://{}?durable=0"])
def test_a_path_and_a_file_url_name_the_same_folder(tmp_path: Path, form: str) -> None:
    store = object_store(form.format(tmp_path / "store"))
    assert isinstance(store, DirectoryStore)
    store.put("work/a", b"x")
    assert (tmp_path / "store/work/a").read_bytes() == b"x"


def test_a_url_may_be_percent_encoded(tmp_path: Path) -> None:
    object_store((tmp_path / "a b#é").as_uri()).put("work/a", b"x")
    assert (tmp_path / "a b#é/work/a").exists()


def test_a_path_need_not_be_text(tmp_path: Path) -> None:
    folder = tmp_path / "film\udcff"
    object_store(folder.as_uri()).put("work/a", b"x")
    assert (folder / "work/a").exists()


@pytest.mark.parametrize("form", ["{}", "file://{}", "sqlite://{}"])
def test_a_path_and_a_url_name_the_same_database(tmp_path: Path, form: str) -> None:
    state = state_store(form.format(tmp_path / "state.sqlite"))
    assert isinstance(state, SqliteState)
    state.close()
    assert (tmp_path / "state.sqlite").exists()


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", "no address"),
        ("ftp://host/bucket", "no adapter"),
        ("file://host/path", "no adapter"),
        ("file:///path?durable=maybe", "'durable' is 0 or 1"),
        ("file:///path?duarble=0", "unknown option 'duarble'"),
    ],
)
def test_an_address_that_nobody_knows_is_refused(location: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        object_store(location)


def test_a_state_address_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        state_store("memcached://host")
