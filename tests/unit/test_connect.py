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
    ("given", "said"),
    [
        ({"AWS_ENDPOINT_URL": "minio:9000"}, "http://… or https://…"),
        ({"AWS_ENDPOINT_URL": "http://"}, "no host"),
        ({"AWS_ENDPOINT_URL": "https://minio", "AWS_CA_BUNDLE": "/nowhere"}, "AWS_CA_BUNDLE"),
        ({"KINORA_S3_PATH_STYLE": "yes"}, "KINORA_S3_PATH_STYLE must be 0 or 1"),
        ({"KINORA_S3_TIMEOUT_S": "0"}, "KINORA_S3_TIMEOUT_S"),
        ({"KINORA_S3_ATTEMPTS": "0"}, "KINORA_S3_ATTEMPTS"),
    ],
)
def test_an_account_that_cannot_be_used_is_refused_by_the_name_of_the_variable(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    for name, value in {**keys, **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=said):
        object_store("s3://kinora")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", "no address"),
        ("ftp://host/bucket", "no adapter"),
        ("file://host/path", "no adapter"),
        ("file:///path?durable=maybe", "'durable' is 0 or 1"),
        ("file:///path?duarble=0", "unknown option 'duarble'"),
        ("s3://kinora/folder", "s3://<prefix of the buckets>"),
        ("s3:kinora", "s3://<prefix of the buckets>"),
        ("s3://kinora", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_an_address_that_nobody_knows_is_refused(
    location: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match=said):
        object_store(location)


def test_a_state_address_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        state_store("memcached://host")
