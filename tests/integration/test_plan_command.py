"""`kinora plan` of real files: what it tells is what a transcode would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from functions.adapters.connect import object_store
from functions.jobs import layout, record
from functions.media.cutting.rates import BUILT_IN, Rates, learn
from knative.cli.main import app
from tests.clips import ffmpeg, make_clip


def kinora_plan(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, words)])


def told(*words: str | Path) -> dict[str, Any]:
    result = kinora_plan(*words, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip("closed.mp4", tmp_path, seconds=2)


def test_a_file_is_planned_and_left_as_it_was(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = clip.read_bytes()
    found = told(clip, "--encoders", "3")
    assert (found["codec"], found["width"], found["timeline"]["frames"]) == ("h264", 128, 60)
    assert found["encoders"][0]["encoders"] == 1
    assert {each["encoders"] for each in found["encoders"]} == {1, 2, 3, 4, 16, 64, 1000}
    assert found["remuxed_first"] is False
    assert clip.read_bytes() == before
    assert list(scratch.iterdir()) == []


def test_more_encoders_never_take_longer(clip: Path) -> None:
    walls = [each["wall_s"] for each in told(clip)["encoders"]]
    assert walls == sorted(walls, reverse=True)


def test_a_file_that_has_to_be_remuxed_is_planned_as_it_will_be_then(tmp_path: Path) -> None:
    source = tmp_path / "clip.ts"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1", "-c:v", "libx264"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mpegts", str(source)),
    )
    found = told(source)
    assert found["remuxed_first"] is True
    assert found["tasks"][0]["id"] == "m1"
    assert found["timeline"]["frames"] == 25
    assert "it is remuxed first" in kinora_plan(source).stdout


def test_pictures_whose_times_only_the_remux_tells_are_not_refused(tmp_path: Path) -> None:
    source = tmp_path / "clip.avi"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1", "-c:v", "mpeg4", "-bf", "2"),
        *("-f", "avi", str(source)),
    )
    found = told(source)
    assert (found["remuxed_first"], found["timeline"]) == (True, None)
    # The remux alone is not what it takes.
    assert found["encoders"] == []
    assert "only then can be told what it becomes" in kinora_plan(source).stdout


def test_of_sound_alone_is_told_how_long_it_is(tmp_path: Path) -> None:
    source = tmp_path / "clip.m4a"
    ffmpeg("-f", "lavfi", "-i", "sine=d=75", "-c:a", "aac", str(source))
    assert "clip.m4a: sound alone (1:15)," in kinora_plan(source).stdout


def test_what_would_be_refused_is_refused_with_its_sentence(tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("just some words, of which there are enough to be read\n" * 20)
    result = kinora_plan(notes, "--json")
    assert result.exit_code == 3
    answer = json.loads(result.stdout)
    assert answer["code"] == "source_not_media"
    assert "not a video or audio file" in answer["reason"]


def test_the_limits_are_those_of_the_environment(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINORA_MAX_PIXELS", "1000")
    answer = json.loads(kinora_plan(clip, "--json").stdout)
    assert answer["code"] == "picture_too_large"
    monkeypatch.setenv("KINORA_MAX_PIXELS", "many")
    result = kinora_plan(clip, "--json")
    assert (result.exit_code, json.loads(result.stdout)["code"]) == (2, "usage")
    assert "KINORA_MAX_PIXELS must be a whole number" in result.output


def test_what_a_runtime_learned_counts(clip: Path, tmp_path: Path) -> None:
    directory = tmp_path / "site"
    (directory / "work").mkdir(parents=True)
    rates = Rates()
    for job in ("a", "b", "c"):
        rates = learn(rates, job, {"encode/medium": 2 * BUILT_IN["encode/medium"]})
    object_store(str(directory)).create(layout.RATES, record.dump(rates))
    found = told(clip, "--dir", directory)
    assert found["rates"]["encode/medium"]["learned_from_jobs"] == 3
    assert told(clip)["rates"]["encode/medium"]["learned_from_jobs"] == 0
    assert found["totals"]["cpu_s"] > told(clip)["totals"]["cpu_s"]


def test_a_profile_that_is_not_there_is_a_mistake(clip: Path) -> None:
    assert kinora_plan(clip, "--profile", "nonsense").exit_code == 2
