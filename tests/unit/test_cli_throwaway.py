"""The folder of a transcode: beside its result, and gone afterwards."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from functions.jobs import naming
from knative.cli import throwaway
from knative.cli.complaint import Complaint


def test_the_folder_is_a_hidden_sibling_and_goes_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), throwaway.beside(tmp_path / "out") as directory:
        assert directory.parent == tmp_path
        assert directory.name.startswith(".out.")
        (directory / "work").mkdir()
        raise ZeroDivisionError
    assert not any(tmp_path.iterdir())


def test_folders_of_a_result_to_be_made_are_not_made_before_it(tmp_path: Path) -> None:
    with throwaway.beside(tmp_path / "a" / "b" / "out") as directory:
        assert directory.parent == tmp_path
        (directory / "media").mkdir()
        throwaway.publish(directory / "media", tmp_path / "a" / "b" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "b" / "out").is_dir()


def test_what_a_killed_command_left_is_removed_and_what_a_living_one_has_is_not(
    tmp_path: Path,
) -> None:
    abandoned = tmp_path / ".out.kinora-01234567"
    abandoned.mkdir()
    (abandoned / "lock").touch()
    foreign = tmp_path / ".out.kinora-notours"
    foreign.mkdir()
    with throwaway.beside(tmp_path / "out") as living:
        assert not abandoned.exists()
        with throwaway.beside(tmp_path / "out"):
            assert living.exists()
    assert [*tmp_path.iterdir()] == [foreign]


def test_an_earlier_result_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("old")
    (out / "480p").mkdir()
    throwaway.check_out(out, overwrite=True)
    with throwaway.beside(out) as directory:
        result = directory / "media" / "job"
        result.mkdir(parents=True)
        (result / "report.json").write_text("new")
        throwaway.publish(result, out)
    assert [*tmp_path.iterdir()] == [out]
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert (out / "report.json").read_text() == "new"


def test_an_empty_folder_takes_the_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    throwaway.check_out(out, overwrite=False)
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / "master.m3u8").touch()
    throwaway.publish(tmp_path / "result", out)
    assert [path.name for path in out.iterdir()] == ["master.m3u8"]


def test_a_link_is_no_place_for_a_result(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(Complaint, match="not a folder"):
        throwaway.check_out(tmp_path / "link", overwrite=True)


def test_the_source_is_the_same_file_under_another_name(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(b"film")
    target = tmp_path / "uploads" / "local" / "film.mp4"
    assert throwaway.stage(source, target) == "linked"
    assert target.stat().st_ino == source.stat().st_ino


@pytest.mark.parametrize(
    "name",
    [
        "film.mp4",
        "ein Film ä.mkv",
        ".hidden.mp4",
        "options.json",
        "download.part",
        "a\nb",
        "x" * 250,
        os.fsdecode(b"\xff.mp4"),
    ],
)
def test_every_file_gets_a_name_that_a_source_may_have(name: str) -> None:
    staged = throwaway.name_of(Path("/somewhere") / name)
    assert naming.is_source(staged)
    assert staged.isprintable()
    assert len(naming.sidecar(staged).encode()) <= 255
