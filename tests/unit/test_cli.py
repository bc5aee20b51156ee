"""The commands' manners: exit codes, sentences, and JSON that is the only thing on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from functions.adapters.connect import object_store
from functions.jobs import layout
from knative.cli.commands.transcode import roomy
from knative.cli.complaint import Complaint
from knative.cli.main import app
from knative.cli.site import is_job
from knative.local.home import Home
from knative.local.stores import Stores
from tests.unit import cli_samples as samples


def kinora(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    store = samples.site(tmp_path / "site")
    samples.accept(store)
    samples.accept(store, samples.OTHER, accepted_s=samples.ACCEPTED_S + 60)
    samples.finish(store, samples.verdict(samples.OTHER, state="rejected", reason="It is empty."))
    return tmp_path / "site"


MISTAKES: list[tuple[str, list[str], str]] = [
    ("a command that is not there", ["transmogrify"], "No such command"),
    ("an option that is not there", ["jobs", "--nonsense"], "No such option"),
    ("no input", ["transcode", "-o", "OUT"], "INPUT"),
    ("no place for the result", ["transcode", "SITE"], "--out"),
    ("an input that is not there", ["transcode", "gone.mp4", "-o", "OUT"], "There is no file"),
    ("a folder as input", ["transcode", "SITE", "-o", "OUT"], "is not a file"),
    ("a result where a file lies", ["transcode", "FILE", "-o", "FILE"], "is not a folder"),
    ("a result below a file", ["transcode", "FILE", "-o", "BELOW"], "is not a folder"),
    ("a result in a full folder", ["transcode", "FILE", "-o", "SITE"], "is not empty"),
    (
        "overwriting what is no result",
        ["transcode", "FILE", "-o", "SITE", "--overwrite"],
        "does not look like an earlier result",
    ),
    ("no chunk", ["transcode", "FILE", "-o", "OUT", "--chunk-segments", "0"], "--chunk-segments"),
    (
        "a language that is none",
        ["transcode", "FILE", "-o", "OUT", "--audio-language", "any one"],
        "`any one` is not the tag of a language",
    ),
    ("a rate that is none", ["submit", "FILE", "--frame-rate", "wild"], "--frame-rate"),
    ("no encoder", ["transcode", "FILE", "-o", "OUT", "--encoders", "0"], "--encoders"),
    ("an unknown profile", ["transcode", "FILE", "-o", "OUT", "-p", "nope"], "Use one of: "),
    ("a tenant that is none", ["submit", "FILE", "-t", "../x", "--dir", "SITE"], "tenant's name"),
    ("a hidden name", ["submit", "FILE", "--name", ".x", "--dir", "SITE"], "would not be taken"),
    ("a path as a name", ["submit", "FILE", "--name", "a/b", "--dir", "SITE"], "not be taken"),
    ("no such folder", ["jobs", "--dir", "gone"], "There is no folder"),
    ("a folder of something else", ["jobs", "--dir", "PLAIN"], "not the folder of a runtime"),
    ("a state that is none", ["jobs", "-s", "tired", "--dir", "SITE"], "is not a state"),
    ("a job that is none", ["show", "zz", "--dir", "SITE"], "is not a job's id"),
    ("a job that is not there", ["show", "ff", "--dir", "SITE"], "There is no job"),
    ("a prefix of two jobs", ["show", "0123", "--dir", "SITE"], "more than one"),
    ("watching nothing", ["watch", "ff", "--dir", "SITE"], "There is no job"),
    ("cancelling nothing", ["cancel", "ff", "--dir", "SITE"], "There is no job"),
    ("events where nothing ran", ["events", "01234567", "--dir", "SITE"], "has ever run"),
    ("an unknown function", ["invoke", "nope", "-e", "FILE"], "There is no function"),
    ("an event that is not there", ["invoke", "ingest", "-e", "gone.json"], "cannot be read"),
    ("an event that is no JSON", ["invoke", "ingest", "-e", "FILE"], "is not JSON"),
    ("a profile file that is not there", ["profiles", "--validate", "gone.toml"], "cannot be read"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES]
)
def test_a_mistake_gets_exit_code_two_and_a_sentence(
    arguments: list[str], said: str, site: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "file.mp4").write_bytes(b"not read")
    places = {
        "SITE": site,
        "OUT": tmp_path / "out",
        "FILE": tmp_path / "file.mp4",
        "BELOW": tmp_path / "file.mp4" / "out",
        "PLAIN": tmp_path / "plain",
        "gone": tmp_path / "gone",
    }
    before = {path for path in tmp_path.rglob("*") if "/.kinora/" not in str(path)}
    result = kinora(*(str(places.get(word, word)) for word in arguments))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    left = {path for path in tmp_path.rglob("*") if ".kinora" not in str(path)}
    assert left <= before


def test_a_mistake_is_an_object_for_programs(tmp_path: Path) -> None:
    result = kinora("transcode", tmp_path / "gone.mp4", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 2
    assert answer(result)["code"] == "usage"
    assert "There is no file" in answer(result)["reason"]


def test_jobs_come_newest_first_and_by_state(site: Path) -> None:
    listed = answer(kinora("jobs", "--dir", site, "--json"))
    assert [(job["job"], job["state"]) for job in listed] == [
        (samples.OTHER, "rejected"),
        (samples.JOB, "accepted"),
    ]
    assert listed[0]["code"] == "source_empty"
    assert listed[0]["reason"] == "It is empty."
    assert listed[0]["elapsed_s"] == 0.0
    accepted = answer(kinora("jobs", "--dir", site, "--state", "accepted", "--json"))
    assert [job["job"] for job in accepted] == [samples.JOB]
    assert answer(kinora("jobs", "--dir", site, "--limit", "1", "--json")) == listed[:1]
    assert answer(kinora("jobs", "--dir", site, "--state", "failed", "--json")) == []


def test_a_job_is_shown_by_the_first_digits_of_its_id(site: Path) -> None:
    shown = answer(kinora("show", samples.JOB[:6], "--dir", site, "--json"))
    assert shown["job"] == samples.JOB
    assert shown["source"] == "uploads/local/film.mp4"
    assert shown["accepted"] == "2027-01-15T08:00:00.000Z"
    assert shown["plan"] is None
    assert shown["outputs"] is None


def test_watching_ends_with_the_verdicts_exit_code(site: Path) -> None:
    result = kinora("watch", samples.OTHER, "--dir", site, "--json")
    assert result.exit_code == 3
    assert answer(result)["state"] == "rejected"


def test_a_cancelled_job_is_cancelled_once(site: Path) -> None:
    cancelled = answer(kinora("cancel", samples.JOB[:8], "--dir", site, "--json"))
    assert cancelled == {
        "job": samples.JOB,
        "state": "cancelled",
        "code": "cancelled",
        "told": False,
    }
    assert kinora("cancel", samples.JOB, "--dir", site).exit_code == 0
    assert answer(kinora("show", samples.JOB, "--dir", site, "--json"))["state"] == "cancelled"


def test_a_reason_is_text_whatever_was_typed(site: Path) -> None:
    assert kinora("cancel", samples.JOB, "--reason", "no\udcff", "--dir", site).exit_code == 0
    shown = answer(kinora("show", samples.JOB, "--dir", site, "--json"))
    assert shown["reason"] == "no\N{REPLACEMENT CHARACTER}"


def test_a_damaged_log_of_events_is_a_sentence(site: Path) -> None:
    (site / "runtime").mkdir()
    (site / "runtime/broker.sqlite").write_bytes(b"something else" * 1000)
    result = kinora("events", samples.JOB, "--dir", site, "--json")
    assert result.exit_code == 4
    assert answer(result)["code"] == "environment"
    assert "cannot be read" in answer(result)["reason"]


def test_what_the_system_refuses_is_a_sentence() -> None:
    result = kinora("up", "--dir", "/sys/kernel", "--json")
    assert result.exit_code in (2, 4)
    assert "/sys/kernel" in answer(result)["reason"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_the_characters_ends_no_command(site: Path, encoding: str) -> None:
    refused = samples.verdict(state="rejected", reason="It is no film ✓.")
    samples.finish(object_store(str(site)), refused)
    for options in ([], ["--json"]):
        ended = subprocess.run(
            [sys.executable, "-m", "knative.cli.main", "jobs", "--dir", str(site), *options],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
    assert "It is no film ✓." in [job["reason"] for job in json.loads(ended.stdout)]


@pytest.mark.parametrize("text", ["", "../../x", "0" * 31, "0" * 33, "g" * 32, "0" * 32 + "\n"])
def test_what_a_sender_calls_a_job_need_not_be_one(text: str) -> None:
    assert not is_job(text)


def test_a_job_that_ended_otherwise_cannot_be_cancelled(site: Path) -> None:
    result = kinora("cancel", samples.OTHER, "--dir", site, "--json")
    assert result.exit_code == 4
    assert answer(result)["state"] == "rejected"
    assert "has ended already" in result.stderr


def test_a_submitted_file_lies_whole_with_its_options_beside_it(tmp_path: Path) -> None:
    source = tmp_path / "a film.mp4"
    source.write_bytes(b"x" * 1000)
    site = tmp_path / "site"
    arguments = ["submit", str(source), "--tenant", "acme", "--dir", str(site)]
    result = kinora(*arguments, "--profile", "fast", "--json")
    assert result.exit_code == 0
    assert answer(result)["key"] == "uploads/acme/a film.mp4"
    assert not answer(result)["running"]
    folder = site / layout.UPLOADS / "acme"
    assert sorted(path.name for path in folder.iterdir()) == ["a film.mp4", "a film.mp4.json"]
    assert (folder / "a film.mp4").read_bytes() == source.read_bytes()
    assert json.loads((folder / "a film.mp4.json").read_text()) == {"profile": "fast"}
    again = kinora(*arguments)
    assert again.exit_code == 2
    assert "already" in again.stderr


def test_a_runtime_on_buckets_without_an_account_is_told_what_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    home = Home(tmp_path)
    home.own.mkdir()
    home.settle(Stores(objects="s3://kinora"))
    for command in (("jobs",), ("up", "--store", "s3")):
        result = kinora(*command, "--dir", tmp_path)
        assert result.exit_code == 2
        assert "AWS_ACCESS_KEY_ID" in result.stderr and "Traceback" not in result.stderr


def test_a_job_that_has_not_begun_is_waited_for_and_not_called_unknown(tmp_path: Path) -> None:
    source = tmp_path / "film.mp4"
    source.write_bytes(b"x" * 1000)
    site = tmp_path / "site"
    job = kinora("submit", source, "--dir", site).stdout.strip()
    shown = kinora("show", job[:12], "--dir", site)
    assert shown.exit_code == 2
    assert "has not begun" in shown.stderr
    lying = site / layout.UPLOADS / "local" / "film.mp4"
    with_it_gone = threading.Timer(0.5, lying.unlink)
    with_it_gone.start()
    watched = kinora("watch", job[:12], "--dir", site)
    assert watched.exit_code == 2
    assert "No runtime works on" in watched.stderr
    assert "removed before the job began" in " ".join(watched.stderr.split())


def test_a_profile_of_ones_own_is_checked_by_field(tmp_path: Path) -> None:
    wrong = tmp_path / "mine.toml"
    wrong.write_text('name = "mine"\n[video]\n[[video.ladder]]\nheight = 10\n')
    result = kinora("profiles", "--validate", wrong, "--json")
    assert result.exit_code == 3
    assert answer(result)["code"] == "profile_invalid"
    assert "video.ladder" in answer(result)["reason"]


def test_a_profile_that_is_no_text_is_named(tmp_path: Path) -> None:
    (wrong := tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    result = kinora("profiles", "--validate", wrong, "--json")
    assert result.exit_code == 3
    assert "mine.toml is no text" in answer(result)["reason"]


def test_profiles_are_listed_by_name() -> None:
    names = [profile["name"] for profile in answer(kinora("profiles", "--json"))]
    assert "default" in names
    assert names == sorted(names)


@pytest.mark.parametrize("command", [(), ("transcode",), ("up",), ("invoke",), ("events",)])
def test_help_says_something(command: tuple[str, ...]) -> None:
    result = kinora(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


def test_a_full_disk_ends_a_transcode_instead_of_holding_it_up(tmp_path: Path) -> None:
    with pytest.raises(Complaint, match="is full") as raised:
        roomy(tmp_path, (10**9, 10**9 - 4096, 4096))
    assert (raised.value.exit_code, raised.value.code) == (4, "environment")


def test_room_and_a_file_system_that_does_not_know_are_no_complaint(tmp_path: Path) -> None:
    roomy(tmp_path, (10**9, 0, 10**9))
    roomy(tmp_path, (0, 0, 0))


def test_help_imports_nothing_that_only_some_commands_need() -> None:
    script = (
        "import sys, knative.cli.main;"
        "heavy = {'rich', 'msgspec', 'aiohttp', 'sqlite3', 'asyncio', 'http.server', 'yaml'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    assert found.stdout.strip() == "[]"
