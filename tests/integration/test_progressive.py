"""The one MP4 of a job, made by the real handler and ffmpeg of segments that they encoded."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from eventing.contract import TaskCompleted, TaskFailed
from eventing.errors import Unavailable
from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.jobs import layout, progressive, record
from functions.jobs.plan import PROGRESSIVE_TASK, Plan
from functions.jobs.receipt import Receipt
from functions.media.streams import faststart
from functions.media.streams.segment import Stored
from tests import planned
from tests.clips import ffmpeg, frame_sums
from tests.fakes import MemoryState
from tests.planned import JOB

RUNGS = (
    planned.rendition("180p", 320, 180, preset="ultrafast"),
    planned.rendition("90p", 160, 90, preset="ultrafast"),
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures that differ, with B-frames, and a tone."""
    file = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2"),
        *("-f", "lavfi", "-i", "sine=r=48000:d=2", "-c:v", "libx264", "-preset", "veryfast"),
        *("-pix_fmt", "yuv420p", "-bf", "2", "-g", "30", "-c:a", "aac", str(file)),
    )
    return file


class Desk:
    """A store with a job of which everything is done but the file."""

    def __init__(self, folder: Path, clip: Path, *, pictures: bool = True, sound: bool = True):
        self.store = DirectoryStore(folder / "store", durable=False)
        self.encoder = Encoder(
            store=self.store,
            state=MemoryState(),
            process=process.run,
            clock=lambda: 0.0,
            settings=Settings(store="", state="", worker="w", scratch=folder / "scratch"),
            ffmpeg=binaries.ffmpeg,
            fingerprint=binaries.fingerprint,
            gpu=lambda: False,
            scratch=scratch.folder,
        )
        rungs = RUNGS if pictures else ()
        self.before = planned.plan(self.store, clip, renditions=rungs, sound=sound)
        for task in self.before.tasks:
            (event,) = self.encoder.task_ready(planned.ready(task.id))
            assert isinstance(event, TaskCompleted), event
        self.plan: Plan = progressive.settle(self.store, self.before)

    def make(self) -> TaskCompleted | TaskFailed:
        (event,) = self.encoder.task_ready(planned.ready(PROGRESSIVE_TASK, generation=2))
        assert isinstance(event, TaskCompleted | TaskFailed)
        return event

    def file(self) -> Stored:
        assert isinstance(self.make(), TaskCompleted)
        key = layout.receipt(JOB, 2, PROGRESSIVE_TASK)
        receipt = record.load(self.store.get(key), Receipt)
        assert receipt.file is not None and receipt.tracks == ()
        return receipt.file


def copied(desk: Desk, to: Path) -> Path:
    to.write_bytes(desk.store.get(desk.file().key))
    return to


def probed(file: Path) -> list[dict[str, Any]]:
    told = subprocess.run(
        [
            *(str(binaries.ffprobe()), "-v", "error", "-of", "json"),
            *("-count_frames", "-show_streams", str(file)),
        ],
        capture_output=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    streams: list[dict[str, Any]] = json.loads(told.stdout)["streams"]
    return streams


def test_the_file_has_every_picture_and_sample_and_its_header_first(
    clip: Path, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, clip)
    stored = desk.file()
    data = desk.store.get(stored.key)
    assert stored.key == layout.progressive(JOB, stored.sha256)
    assert len(data) == stored.size_bytes
    assert data.index(b"moov") < data.index(b"mdat")
    file = tmp_path / "file.mp4"
    file.write_bytes(data)
    pictures, sound = probed(file)
    line = desk.plan.timeline
    assert line is not None
    assert (pictures["codec_type"], sound["codec_type"]) == ("video", "audio")
    assert (pictures["width"], pictures["height"]) == (320, 180)
    assert int(pictures["nb_read_frames"]) == line.frames == 60
    assert pictures["start_pts"] == sound["start_pts"] == 0
    assert Fraction(pictures["duration"]) == pytest.approx(float(line.duration_s), abs=0.001)
    assert Fraction(sound["duration"]) == pytest.approx(float(line.duration_s), abs=0.001)


def test_its_pictures_are_those_of_the_segments_at_their_times(clip: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, clip)
    file = copied(desk, tmp_path / "file.mp4")
    parts = [
        record.load(desk.store.get(layout.receipt(JOB, 1, part.id)), Receipt)
        for part in desk.plan.parts_of("180p")
    ]
    tracks = [track for part in parts for track in part.tracks if track.rendition == "180p"]
    stream = tmp_path / "stream.mp4"
    stream.write_bytes(
        desk.store.get(tracks[0].init.key)
        + b"".join(desk.store.get(each.stored.key) for track in tracks for each in track.segments)
    )
    of = [frame_sums("-copyts", "-i", f"file:{each}", "-map", "0:v:0") for each in (file, stream)]
    assert of[0] == of[1]
    assert len({digest for _, digest in of[0]}) > 50


@pytest.mark.parametrize(("pictures", "sound"), [(True, False), (False, True)])
def test_one_without_sound_or_pictures_has_the_other_alone(
    clip: Path, tmp_path: Path, pictures: bool, sound: bool
) -> None:
    desk = Desk(tmp_path, clip, pictures=pictures, sound=sound)
    (stream,) = probed(copied(desk, tmp_path / "file.mp4"))
    assert stream["codec_type"] == ("video" if pictures else "audio")


def test_made_twice_it_is_the_same_file(clip: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, clip)
    first = desk.file()
    desk.store.delete(layout.receipt(JOB, 2, PROGRESSIVE_TASK))
    assert desk.file() == first


def test_a_receipt_that_cannot_be_seen_is_asked_for_again_later(clip: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, clip)
    desk.store.delete(layout.receipt(JOB, 1, "v0001"))
    with pytest.raises(Unavailable):
        desk.make()


def test_segments_of_which_one_is_damaged_make_no_file(clip: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path, clip)
    key = layout.receipt(JOB, 1, "v0001")
    receipt = record.load(desk.store.get(key), Receipt)
    (segment,) = receipt.tracks[0].segments
    body = desk.store.get(segment.stored.key)
    desk.store.put(segment.stored.key, bytes(len(body)))
    failed = desk.make()
    assert isinstance(failed, TaskFailed)
    assert failed.code in ("output_invalid", "decode_failed")


# The gate.


@pytest.fixture(scope="module")
def data(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    desk = Desk(tmp_path_factory.mktemp("gate"), clip)
    return desk.store.get(desk.file().key)


def test_the_gate_takes_the_file_and_finds_each_thing_that_is_wrong(
    data: bytes,
) -> None:
    tracks = faststart.read(data)
    faststart.check(data, planned=tracks)
    pictures, sound = tracks
    for wrong, said in [
        ((replace(pictures, samples=61), sound), "60 samples in the file instead of 61"),
        ((replace(pictures, duration_s=Fraction(1)), sound), "s in the file instead of 1 s"),
        ((replace(pictures, starts_s=Fraction(1)), sound), "begins at"),
        ((pictures, replace(sound, presented_s=Fraction(1))), "are shown instead of"),
        ((pictures,), "video, audio"),
        ((sound, pictures), "video, audio"),
    ]:
        with pytest.raises(ValueError, match=said):
            faststart.check(data, planned=wrong)


def test_a_header_behind_the_media_is_found(data: bytes) -> None:
    moov, mdat = data.index(b"moov") - 4, data.index(b"mdat") - 4
    between = data.index(b"free") - 4
    behind = data[:moov] + data[mdat:] + data[moov:between]
    with pytest.raises(ValueError, match="plays while it loads"):
        faststart.read(behind)


def test_a_first_picture_that_is_no_key_frame_is_found(data: bytes) -> None:
    tracks = faststart.read(data)
    at = data.index(b"stss") + 12
    harmed = data[:at] + (2).to_bytes(4, "big") + data[at + 4 :]
    with pytest.raises(ValueError, match="sync sample"):
        faststart.check(harmed, planned=tracks)


@pytest.mark.parametrize("kept", [0, 8, 40, 200])
def test_a_cut_off_file_is_no_file(data: bytes, kept: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        faststart.read(data[:kept])
