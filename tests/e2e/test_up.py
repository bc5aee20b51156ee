"""`kinora up`: what is dropped becomes streams, and a restart goes on where the last run ended."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from knative.cli.site import Site
from tests.e2e.command import Desk, interrupt, processes, until
from tests.e2e.judges import Planned, judge

TINY = {"profile": "tiny"}


def drop(clip: Path, folder: Path, name: str, options: dict[str, Any] = TINY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(options))
    shutil.copy(clip, folder / f".{name}")
    return (folder / f".{name}").rename(folder / name)


def listed(desk: Desk, folder: Path) -> dict[str, dict[str, Any]]:
    """What `kinora jobs` says, by the source's name."""
    ran = desk.run("jobs", "--dir", "site", "--json", cwd=folder)
    return {Path(job["source"]).name: job for job in ran.json}


def told(process: subprocess.Popen[str], what: str, times: int) -> list[dict[str, Any]]:
    """Reads the happenings up to so many of a kind."""
    assert process.stdout is not None
    seen: list[dict[str, Any]] = []
    while sum(each["happened"] == what for each in seen) < times:
        line = process.stdout.readline()
        assert line, "the runtime ended"
        seen.append(json.loads(line))
    return seen


def test_dropped_files_become_streams_and_a_file_being_written_is_left_alone(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    folder = site / "uploads" / "acme"
    for number in range(3):
        drop(clip, folder, f"film-{number}.mp4")
    data = clip.read_bytes()
    with (
        desk.started(
            "up", "--dir", "site", "--listen", "off", "--idle", "2", "--json", cwd=tmp_path
        ) as process,
        (folder / "unfinished.mp4").open("wb") as writing,
    ):
        writing.write(data[: len(data) // 2])
        writing.flush()
        told(process, "completed", 3)
        assert "unfinished.mp4" not in listed(desk, tmp_path)
        writing.write(data[len(data) // 2 :])
        writing.close()
        told(process, "completed", 1)
        # With nothing to do every function process goes.
        until("no function runs", lambda: len(processes(site)) == 1)
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    jobs = listed(desk, tmp_path)
    assert {name: job["state"] for name, job in jobs.items()} == {
        "film-0.mp4": "completed",
        "film-1.mp4": "completed",
        "film-2.mp4": "completed",
        "unfinished.mp4": "completed",
    }
    for name, job in jobs.items():
        out = site / "media" / job["job"]
        assert judge(out, folder / name, Planned.read(out)) == []
        tree = desk.run("events", job["job"][:10], "--dir", "site", "--json", cwd=tmp_path).json
        assert tree["events"][0]["type"] == "dev.kinora.object.created.v1"
    desk.assert_nothing_left(tmp_path, but={"site"})
    assert not any(path.is_file() for path in (site / "runtime" / "scratch").rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_restart_goes_on_where_the_last_run_ended(
    number: signal.Signals, desk: Desk, clip: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    # One rendition a second: there is a middle in which to end it.
    source = drop(clip, site / "uploads" / "acme", "film.mp4", TINY | {"chunk_segments": 1})
    with desk.started("up", "--dir", "site", "--listen", "off", "--json", cwd=tmp_path) as process:
        told(process, "planned", 1)
        interrupt(process, number)
        process.communicate(timeout=60)
    codes = {signal.SIGINT: 130, signal.SIGTERM: 0, signal.SIGKILL: -signal.SIGKILL}
    assert process.returncode == codes[number]
    until("no process is left", lambda: not processes(site), within_s=60)
    waiting = listed(desk, tmp_path)["film.mp4"]
    words = ["up", "--dir", "site", "--listen", "off", "--tick", "1", "--json"]
    patience = {"KINORA_ENCODER_LEASE_S": "5", "KINORA_STALE_S": "3"}
    with desk.started(*words, cwd=tmp_path, **patience) as process:
        if waiting["state"] != "completed":
            told(process, "completed", 1)
        process.terminate()
        process.communicate(timeout=60)
    job = listed(desk, tmp_path)["film.mp4"]
    assert (job["job"], job["state"]) == (waiting["job"], "completed")
    out = site / "media" / job["job"]
    assert judge(out, source, Planned.read(out)) == []
    desk.assert_nothing_left(tmp_path, but={"site"})


def test_submit_watch_show_and_a_second_runtime(desk: Desk, clip: Path, tmp_path: Path) -> None:
    with desk.started("up", "--dir", "site", "--json", cwd=tmp_path) as process:
        told(process, "started", 1)
        second = desk.run("up", "--dir", "site", cwd=tmp_path)
        assert second.code == 2
        assert "Another runtime" in second.sentence
        job = desk.run("submit", clip, "-p", "tiny", "--dir", "site", cwd=tmp_path).out.strip()
        watched = desk.run("watch", job[:12], "--dir", "site", "--json", cwd=tmp_path)
        assert watched.code == 0
        assert watched.json["state"] == "completed"
        assert watched.json["progress"]["frames_done"] == 250
        shown = desk.run("show", job[:8], "--dir", "site", cwd=tmp_path)
        assert f"{job}/master.m3u8" in "".join(shown.out.split())
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_cancelled_job_stops_and_tells(desk: Desk, tmp_path: Path) -> None:
    from tests.e2e.test_transcode import make_long

    make_long(tmp_path / "long.mp4")
    with desk.started("up", "--dir", "site", "--json", cwd=tmp_path) as process:
        told(process, "started", 1)
        submitted = desk.run("submit", "long.mp4", "--dir", "site", "--json", cwd=tmp_path)
        told(process, "planned", 1)
        job = submitted.json["job"]
        cancelled = desk.run("cancel", job[:8], "--dir", "site", "--json", cwd=tmp_path)
        assert cancelled.json == {
            "job": job, "state": "cancelled", "code": "cancelled", "told": True,
        }  # fmt: skip
        told(process, "cancelled", 1)
        marker = tmp_path / "site" / "work" / "open" / job
        until("somebody was told", lambda: not marker.exists())
        watched = desk.run("watch", job[:8], "--dir", "site", "--json", cwd=tmp_path)
        assert watched.code == 4
        assert watched.json["state"] == "cancelled"
        state = Site(tmp_path / "site").state()
        assert state is not None
        until("no slot is held", lambda: not state.slots(job))
        media = tmp_path / "site" / "media" / job
        until("its outputs are removed", lambda: not any(map(Path.is_file, media.rglob("*"))))
        process.terminate()
        process.communicate(timeout=60)
    desk.assert_nothing_left(tmp_path, but={"site", "long.mp4"})
    scratch = tmp_path / "site" / "runtime" / "scratch"
    assert not any(path.is_file() for path in scratch.rglob("*"))


def test_one_function_takes_one_event_and_what_it_published_is_shown(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    drop(clip, tmp_path / "site" / "uploads" / "acme", "film.mp4")
    info = Site(tmp_path / "site").store().head("uploads/acme/film.mp4")
    assert info is not None
    event = {
        "type": "dev.kinora.object.created.v1",
        "data": {"bucket": "uploads", "key": "acme/film.mp4", "etag": info.etag},
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    words = ["--event", "event.json", "--dir", "site", "--json"]
    ran = desk.run("invoke", "ingest", *words, cwd=tmp_path)
    assert ran.code == 0, ran
    assert ran.json["status"] == 204
    (published,) = ran.json["published"]
    assert published["type"] == "dev.kinora.job.accepted.v1"
    assert published["producer"] == "ingest"
    assert published["data"]["tenant"] == "acme"
    again = desk.run("invoke", "ingest", *words, cwd=tmp_path)
    assert [each["id"] for each in again.json["published"]] == [published["id"]]
    desk.assert_nothing_left(tmp_path, but={"site", "event.json"})
