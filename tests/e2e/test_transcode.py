"""`kinora transcode`: a file in, streams out, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest

from tests.clips import ffmpeg
from tests.e2e.command import Desk, interrupt, processes, until
from tests.e2e.judges import Planned, judge


def test_a_file_becomes_streams_that_the_judges_pass(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / "a film.mp4")
    ran = desk.run(
        "transcode", "a film.mp4", "-o", "out", "-p", "tiny", "--chunk-segments", "1",
        "--keep-events", "--progressive", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    out = tmp_path / "out"
    desk.assert_nothing_left(tmp_path, but={"a film.mp4", "out"})
    assert ran.json["state"] == "completed"
    assert ran.json["master"] == str(out / "master.m3u8")
    report = ran.json["report"]
    assert report == json.loads((out / "report.json").read_text())
    assert report["timeline"]["frames"] == 250
    assert len([task for task in report["tasks"] if task["kind"] == "video"]) == 3
    assert {path.name for path in out.iterdir()} == {
        "master.m3u8", "manifest.mpd", "report.json", "events.json", "144p", "96p", "audio-1",
        Path(ran.json["progressive"]).name,
    }  # fmt: skip
    (file,) = report["files"]
    assert Path(ran.json["progressive"]).stat().st_size == file["size_bytes"]
    assert (file["video"], file["audio"]) == ("144p", "audio-1")
    assert judge(out, tmp_path / "a film.mp4", Planned.read(out)) == []
    assert "job.completed" in (out / "events.json").read_text()


def test_one_trace_leads_through_every_function_and_the_assembly_links_its_tasks(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    ran = desk.run(
        "transcode", clip, "-o", "out", "-p", "tiny", "--chunk-segments", "1",
        cwd=tmp_path, KINORA_TRACE_FILE=str(tmp_path / "spans"),
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    told = [json.loads(line) for line in (tmp_path / "spans").read_text().splitlines()]
    # A minute may begin meanwhile, and its tick is a trace of its own.
    spans = [span for span in told if span["function"] != "sweeper"]
    assert len({span["trace"] for span in spans}) == 1
    through = {"ingest", "chunker", "encoder", "assembler", "notifier"}
    assert {span["function"] for span in spans} == through
    assert {"fetch", "encode", "put", "publish"} <= {span["name"] for span in spans}
    known = {span["span"] for span in spans}
    assert [span["name"] for span in spans if span["parent"] not in known] == [
        "process dev.kinora.object.created.v1"
    ]
    (linked,) = (span["links"] for span in spans if span["links"])
    assert len(linked) == 4  # three chunks and a sound


def test_people_get_a_table_and_an_earlier_result_is_replaced_only_when_asked(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text("of an earlier one")
    refused = desk.run("transcode", clip, "-o", "out", cwd=tmp_path)
    assert refused.code == 2
    assert "--overwrite" in refused.sentence
    ran = desk.run(
        "transcode", clip, "-o", "out", "-p", "tiny", "--overwrite", "--audio-language", "sme",
        cwd=tmp_path,
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    note = "note: no sound track in sme"
    for said in ("250 frames at 25 fps", "144p", "96p", "audio-1", "out/master.m3u8", note):
        assert said in ran.out
    desk.assert_nothing_left(tmp_path, but={"out"})


def test_a_source_on_another_file_system_is_not_copied(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    elsewhere = memory / f"kinora-test-{os.getpid()}.mp4"
    try:
        shutil.copy(clip, elsewhere)
        ran = desk.run("transcode", elsewhere, "-o", "out", "-p", "tiny", cwd=tmp_path)
    finally:
        elsewhere.unlink()
    assert (ran.code, ran.err) == (0, "")
    desk.assert_nothing_left(tmp_path, but={"out"})


def test_a_function_that_cannot_start_is_named_instead_of_waited_for(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    ran = desk.run("transcode", clip, "-o", "out", cwd=tmp_path, KINORA_MAX_SOURCE_BYTES="many")
    assert ran.code == 4
    assert "The function ingest cannot be started" in ran.sentence
    assert "'many'" in ran.sentence
    desk.assert_nothing_left(tmp_path, but=set())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["while it starts", "while it encodes"])
def test_an_interrupted_transcode_leaves_nothing(
    number: signal.Signals, moment: str, desk: Desk, tmp_path: Path
) -> None:
    source = tmp_path / "source.mp4"
    make_long(source)
    with desk.started("transcode", source, "-o", "out", cwd=tmp_path) as process:
        if moment == "while it starts":
            until("the folder is there", lambda: any(tmp_path.glob(".out.*/lock")))
        else:
            until("an encoder works", lambda: any(map(_is_ffmpeg, processes(tmp_path))))
        interrupt(process, number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "kinora: interrupted\n")
    desk.assert_nothing_left(tmp_path, but={"source.mp4"})


def make_long(path: Path) -> None:
    """A minute that takes longer to encode than anybody waits here."""
    once = path.with_suffix(".ts")
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=2",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(once),
    )  # fmt: skip
    ffmpeg("-stream_loop", "29", "-i", str(once), "-c", "copy", str(path))
    once.unlink()


def _is_ffmpeg(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ffmpeg")
    except psutil.Error:
        return False
