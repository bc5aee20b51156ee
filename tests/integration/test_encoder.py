"""Real sources through the real handler and the real ffmpeg, chunk by chunk, then held against
the source frame by frame and beep by beep."""

from __future__ import annotations

import stat
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec
import psutil
import pytest

from eventing.contract import Event, TaskCompleted, TaskFailed
from eventing.errors import Unavailable
from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.jobs import layout, record
from functions.jobs.plan import AudioTask, Plan, VideoTask
from functions.jobs.receipt import Failure, Receipt
from functions.media.cutting.timeline import source_frames
from functions.media.streams.join import join
from functions.media.streams.segment import Track
from tests import planned
from tests.clips import cut_clip, ffmpeg, frame_sums, make_clip
from tests.fakes import MemoryState
from tests.planned import JOB
from tests.real_media import media_file

WIDTH, HEIGHT = 64, 36
"""Pictures are compared as small as this, by their brightness."""
RATE = 48000


@dataclass
class World:
    store: DirectoryStore
    state: MemoryState
    scratch: Path
    encoder: Encoder

    def handle(self, task: str) -> Event:
        """The one event; nothing but it stays behind."""
        try:
            (event,) = self.encoder.task_ready(planned.ready(task))
            return event
        finally:
            assert not self.scratch.exists() or list(self.scratch.iterdir()) == []
            assert started_in(self.scratch) == []

    def encode(self, plan: Plan) -> dict[str, Track]:
        """Do every task, last first, and join what they left."""
        tracks: dict[str, list[Track]] = {}
        for task in reversed(plan.tasks):
            event = self.handle(task.id)
            assert isinstance(event, TaskCompleted), event
            receipt = record.load(self.store.get(layout.receipt(JOB, 1, task.id)), Receipt)
            for track in receipt.tracks:
                tracks.setdefault(track.rendition, []).append(track)
        frames = plan.timeline.frames if plan.timeline else None
        video = {each.name for each in plan.video}
        return {
            name: join(parts, frames=frames if name in video else None)
            for name, parts in tracks.items()
        }

    def file(self, track: Track, path: Path) -> Path:
        """Init and segments as one file."""
        keys = [track.init.key, *(segment.stored.key for segment in track.segments)]
        path.write_bytes(b"".join(self.store.get(key) for key in keys))
        return path


def started_in(folder: Path) -> list[psutil.Process]:
    """Living processes whose HOME is within the folder."""
    found = []
    for each in psutil.process_iter():
        try:
            home = each.environ().get("HOME", "")
            if home.startswith(str(folder)) and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def world(tmp_path: Path) -> World:
    store = DirectoryStore(tmp_path / "store", durable=False)
    state = MemoryState()
    folder = tmp_path / "scratch"
    encoder = Encoder(
        store=store,
        state=state,
        process=process.run,
        clock=time.time,
        settings=Settings(store="", state="", worker="worker-1", scratch=folder),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: False,
        scratch=scratch.folder,
    )
    return World(store, state, folder, encoder)


def pictures(file: Path, *options: str) -> list[bytes]:
    """The brightness of every presented picture, made small."""
    raw = ffmpeg(
        *(*options, "-i", f"file:{file}", "-map", "0:v:0", "-fps_mode", "passthrough"),
        *("-vf", f"scale={WIDTH}:{HEIGHT}:flags=area:out_range=tv,format=yuv420p,extractplanes=y"),
        *("-f", "rawvideo", "-"),
    )
    size = WIDTH * HEIGHT
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def shown_at(file: Path) -> list[int]:
    """Ticks of every presented picture."""
    return [ticks for ticks, _ in frame_sums("-copyts", "-i", f"file:{file}", "-map", "0:v:0")]


def difference(one: bytes, two: bytes) -> int:
    return sum((a - b) * (a - b) for a, b in zip(one, two, strict=True))


def check_pictures(plan: Plan, source: Path, made: Path, *, moving: bool = True) -> None:
    """Each output picture shows its source picture, and at joins no neighbour fits better."""
    line = plan.timeline
    assert line is not None
    found = pictures(made)
    assert len(found) == line.frames
    of_source = source_frames(line, shown_at(source))
    numbers = [of_source(frame) for frame in range(line.frames)]
    originals = pictures(source)
    expected = [originals[number] for number in numbers]
    # Within 12 grey levels everywhere (root mean square): an encode is lossy, but not so lossy.
    for frame in range(line.frames):
        assert difference(found[frame], expected[frame]) < 144 * WIDTH * HEIGHT, f"frame {frame}"
    joins = [task.start for task in plan.tasks if isinstance(task, VideoTask) and task.start]
    assert len(joins) == -(-line.frames // line.segment_frames) - 1
    if not moving:
        return
    for start in joins:
        for frame in range(max(1, start - 2), min(line.frames - 1, start + 3)):
            here = difference(found[frame], expected[frame])
            for neighbour in (frame - 1, frame + 1):
                if numbers[neighbour] != numbers[frame]:
                    there = difference(found[frame], expected[neighbour])
                    assert here < there, f"frame {frame} looks like {neighbour}"


RENDITIONS = (planned.rendition("144p", 256, 144), planned.rendition("72p", 128, 72))


@pytest.mark.parametrize(
    "name", ["closed.mp4", "open.mp4", "open-hevc.mp4", "intra.mov", "holes.mp4", "jitter.mp4"]
)
def test_chunks_encoded_alone_join_without_a_seam(name: str, world: World, tmp_path: Path) -> None:
    source = make_clip(name, tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS)
    tracks = world.encode(plan)
    for rendition in RENDITIONS:
        made = world.file(tracks[rendition.name], tmp_path / f"{rendition.name}.mp4")
        check_pictures(plan, source, made)


def test_what_an_edit_list_cuts_away_stays_away(world: World, tmp_path: Path) -> None:
    source = cut_clip(make_clip("closed.mp4", tmp_path), tmp_path, start_s=1.37)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1])
    check_pictures(plan, source, world.file(world.encode(plan)["144p"], tmp_path / "made.mp4"))


def test_a_source_without_an_index_is_decoded_from_its_start(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1], indexed=False)
    check_pictures(plan, source, world.file(world.encode(plan)["144p"], tmp_path / "made.mp4"))


def test_presentation_starts_at_zero_and_every_picture_lasts_one_frame(
    world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1])
    track = world.encode(plan)["144p"]
    made = world.file(track, tmp_path / "made.mp4")
    assert plan.timeline is not None
    times = shown_at(made)
    assert {after - before for before, after in pairwise(times)} == {plan.timeline.frame_ticks}
    assert [segment.start_ticks for segment in track.segments] == [
        number * 30 * plan.timeline.frame_ticks for number in range(4)
    ]


@pytest.mark.media
@pytest.mark.parametrize("name", ["bigbuckbunny-720p25.mp4", "bikes-640x272.mp4"])
def test_real_files_cut_at_every_segment_join_without_a_seam(
    name: str, world: World, tmp_path: Path
) -> None:
    source = media_file(f"real/{name}")
    plan = planned.plan(world.store, source, renditions=RENDITIONS)
    tracks = world.encode(plan)
    for rendition in RENDITIONS:
        made = world.file(tracks[rendition.name], tmp_path / f"{rendition.name}.mp4")
        check_pictures(plan, source, made)


def beeping(path: Path, *, video_late: str = "0", sound_late: str = "0") -> Path:
    """Three seconds with a beep of a tenth of a second each second, from 0.5 s on."""
    ffmpeg(
        *("-itsoffset", video_late, "-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3"),
        *("-itsoffset", sound_late, "-f", "lavfi", "-i"),
        f"aevalsrc='if(between(mod(t,1),0.5,0.6),sin(2*PI*1000*t),0)':s={RATE}:d=3",
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"),
        *("-c:a", "pcm_s16le", str(path)),
    )
    return path


def onsets(file: Path) -> list[int]:
    """Samples at which a beep starts after silence."""
    raw = array(
        "h",
        ffmpeg(
            *("-i", f"file:{file}", "-map", "0:a:0", "-ac", "1", "-ar", str(RATE)),
            *("-f", "s16le", "-"),
        ),
    )
    found: list[int] = []
    quiet = RATE
    for at, value in enumerate(raw):
        if abs(value) > 3000:
            if quiet > RATE // 20:
                found.append(at)
            quiet = 0
        else:
            quiet += 1
    return found


@pytest.mark.parametrize(
    ("video_late", "sound_late", "starts_s"),
    [
        ("0", "0", (Fraction(1, 2), Fraction(3, 2), Fraction(5, 2))),
        ("0", "0.25", (Fraction(3, 4), Fraction(7, 4), Fraction(11, 4))),
        ("0.4", "0", (Fraction(1, 10), Fraction(11, 10), Fraction(21, 10))),
    ],
)
def test_sound_stays_with_the_picture(
    video_late: str, sound_late: str, starts_s: Sequence[Fraction], world: World, tmp_path: Path
) -> None:
    source = beeping(tmp_path / "source.mov", video_late=video_late, sound_late=sound_late)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[:1], chunk_segments=99)
    track = world.encode(plan)["audio-1"]
    # Priming and exactly the picture's length.
    assert sum(each.duration_ticks for each in track.segments) == 1024 + 3 * RATE
    found = onsets(world.file(track, tmp_path / "sound.mp4"))
    assert len(found) == 3
    for at, start_s in zip(found, starts_s, strict=True):
        assert abs(at - start_s * RATE) <= RATE // 1000, f"{at} for {start_s}"


def test_sound_that_ends_early_is_filled_with_silence(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source.mov"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3", "-f", "lavfi", "-i"),
        *("sine=frequency=440:d=1", "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", str(source)),
    )
    plan = planned.plan(world.store, source, renditions=())
    (task,) = plan.tasks
    assert isinstance(task, AudioTask)
    track = world.encode(plan)["audio-1"]
    assert sum(each.duration_ticks for each in track.segments) == 1024 + 3 * RATE


def test_sound_by_its_ranges_is_that_of_the_whole(world: World, tmp_path: Path) -> None:
    source = tmp_path / "source.mov"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3,noise=alls=40:allf=t", "-f", "lavfi"),
        *("-i", "aevalsrc='0.5*sin(2*PI*(80+90*t)*t)':s=48000:d=3", "-c:v", "libx264", "-preset"),
        *("ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(source)),
    )
    plan = planned.plan(world.store, source, renditions=())
    whole = world.encode(plan)["audio-1"]
    (task,) = plan.tasks
    assert isinstance(task, AudioTask)
    ranges = replace(plan, generation=2, tasks=(msgspec.structs.replace(task, spare_bytes=0),))
    world.store.create(layout.plan(JOB, 2), record.dump(ranges))
    (event,) = world.encoder.task_ready(planned.ready("a1", generation=2))
    assert isinstance(event, TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 2, "a1")), Receipt)
    assert receipt.tracks == (whole,)
    assert receipt.source_bytes_read < source.stat().st_size // 4


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("sample.avi", "avi"),
        ("bbb_2500ms.ts", "mpegts"),
        ("sample_with_srt.mkv", "matroska"),
    ],
)
def test_a_mezzanine_shows_and_sounds_like_its_source(
    name: str, format: str, world: World, tmp_path: Path
) -> None:
    source = media_file(f"real/{name}")
    plan = planned.preparation(world.store, source, format=format)
    assert isinstance(world.handle("m1"), TaskCompleted)
    copy = tmp_path / "mezzanine.mov"
    copy.write_bytes(world.store.get(layout.mezzanine(plan.source.digest)))
    assert pictures(copy) == pictures(source)
    found = planned.facts(copy, "mov", 1)
    assert found.timeline is not None
    assert all(table.complete and table.located for table in found.tables.values())
    assert len(found.media.audio) == 1


def test_a_mezzanine_that_is_there_is_not_made_again(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.preparation(world.store, source, format="mov")
    world.store.create(layout.mezzanine(plan.source.digest), b"there")
    assert isinstance(world.handle("m1"), TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "m1")), Receipt)
    assert (receipt.tracks, receipt.source_bytes_read) == ((), 0)


@pytest.fixture
def slow(world: World, tmp_path: Path) -> Iterator[World]:
    """One chunk that takes many seconds to encode."""
    source = tmp_path / "slow.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=20", "-c:v", "libx264"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", str(source)),
    )
    rendition = planned.rendition("720p", 1280, 720, preset="veryslow")
    planned.plan(world.store, source, renditions=[rendition], chunk_segments=99)
    yield world
    for left in started_in(world.scratch):
        left.kill()


def test_an_ffmpeg_that_is_killed_is_no_failure_and_leaves_nothing(slow: World) -> None:
    raised: list[BaseException] = []

    def work() -> None:
        try:
            slow.handle("v0000")
        except BaseException as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        deadline_s = time.monotonic() + 60
        while not any(slow.scratch.glob("*/work/0.mp4")) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        running = started_in(slow.scratch)
        assert len(running) == 1
        running[0].kill()
    finally:
        worker.join(timeout=60)
    assert [type(error) for error in raised] == [Unavailable]
    assert list(slow.store.list(f"work/jobs/{JOB}/failures/")) == []
    assert list(slow.store.list(f"media/{JOB}/")) == []
    assert list(slow.scratch.iterdir()) == []
    assert slow.state.acquire(f"task:{JOB}/1/v0000", "somebody", ttl_s=1)


def wrapped(world: World, tmp_path: Path, script: str, **settings: float) -> World:
    """The encoder with a program in ffmpeg's place; `$FFMPEG` is the real one."""
    program = tmp_path / "wrapper"
    program.write_text(f"#!/bin/sh\nFFMPEG={binaries.ffmpeg()}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    changed = replace(world.encoder.settings, **settings)  # type: ignore[arg-type]
    encoder = replace(world.encoder, ffmpeg=lambda: program, settings=changed)
    return replace(world, encoder=encoder)


@pytest.mark.parametrize(
    ("script", "settings", "code"),
    [
        ("sleep 1000", {"stall_s": 1}, "resource_limit"),
        ("trap '' TERM; while :; do sleep 1000; done", {"wall_s": 1}, "resource_limit"),
        ("exit 0", {}, "frames_missing"),
        (": > 0.mp4", {}, "frames_missing"),
        ('"$FFMPEG" "$@" && truncate -s 1000 0.mp4', {}, "output_invalid"),
        ('"$FFMPEG" "$@" && truncate -s -1 0.mp4', {}, "output_invalid"),
        ("kill -SEGV $$", {}, "encoder_crashed"),
        ("setsid sleep 1000 & sleep 1000 & kill -ABRT $$", {}, "encoder_crashed"),
        ("echo odd >&2; exit 1", {}, "decode_failed"),
        ("exec cat /dev/zero > 0.mp4", {}, "resource_limit"),
    ],
)
def test_a_program_that_misbehaves_is_ended_and_told_of(
    script: str, settings: dict[str, float], code: str, world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    event = wrapped(world, tmp_path, script, **settings).handle("v0000")
    assert isinstance(event, TaskFailed)
    assert (event.code, event.attempt) == (code, 1)
    failure = record.load(world.store.get(layout.failure(JOB, 1, "v0000", 1)), Failure)
    assert (failure.code, failure.reason) == (code, event.reason)
    assert list(world.store.list(f"media/{JOB}/")) == []


def test_an_ffmpeg_that_stands_still_is_overtaken_by_a_second_attempt(
    world: World, tmp_path: Path
) -> None:
    """The first one notices, ends what stands still, and leaves nothing."""
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    stuck = wrapped(world, tmp_path, 'kill -STOP $$; exec "$FFMPEG" "$@"')
    told: list[Event] = []
    first = threading.Thread(target=lambda: told.append(stuck.handle("v0000")))
    first.start()
    try:
        deadline_s = time.monotonic() + 60
        while not _stopped_in(world.scratch) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        copy = replace(planned.ready("v0000"), copy=1)
        settings = replace(world.encoder.settings, worker="worker-2")
        (event,) = replace(world.encoder, settings=settings).task_ready(copy)
    finally:
        first.join(timeout=60)
        for left in started_in(world.scratch):
            left.kill()
    assert told == [event]
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "v0000")), Receipt)
    assert receipt.worker == "worker-2"
    named = {each.stored.key for track in receipt.tracks for each in track.segments}
    named |= {track.init.key for track in receipt.tracks}
    assert {info.key for info in world.store.list(f"media/{JOB}/")} == named
    assert world.state.acquire(f"task:{JOB}/1/v0000", "somebody", ttl_s=1)


def _stopped_in(folder: Path) -> bool:
    return any(each.status() == psutil.STATUS_STOPPED for each in started_in(folder))


def test_a_daemon_that_it_leaves_behind_is_ended(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    script = 'setsid sleep 1000 & (sleep 1000 &) ; exec "$FFMPEG" "$@"'
    assert isinstance(wrapped(world, tmp_path, script).handle("v0000"), TaskCompleted)


@pytest.mark.parametrize("script", ["kill -KILL $$", "kill -TERM $$", "exit 127"])
def test_a_program_that_is_ended_from_outside_is_unavailable(
    script: str, world: World, tmp_path: Path
) -> None:
    source = make_clip("closed.mp4", tmp_path, seconds=1)
    planned.plan(world.store, source, renditions=RENDITIONS[1:])
    with pytest.raises(Unavailable):
        wrapped(world, tmp_path, script).handle("v0000")
    assert list(world.store.list(f"work/jobs/{JOB}/failures/")) == []


def test_a_source_that_does_not_decode_says_so(world: World, tmp_path: Path) -> None:
    source = make_clip("closed.mp4", tmp_path)
    plan = planned.plan(world.store, source, renditions=RENDITIONS[1:])
    # The same headers, the same size, noise for pictures.
    data = bytearray(source.read_bytes())
    at = data.index(b"mdat") + 4
    size = int.from_bytes(data[at - 8 : at - 4], "big") - 8
    data[at : at + size] = bytes((7 * number * number + 3) % 251 for number in range(size))
    world.store.put("uploads/acme/film", bytes(data))
    info = world.store.head("uploads/acme/film")
    assert info is not None
    changed = replace(plan, source=replace(plan.source, etag=info.etag))
    world.store.put(layout.plan(JOB, 1), record.dump(changed))
    event = world.handle("v0001")
    assert isinstance(event, TaskFailed)
    assert event.code in ("decode_failed", "frames_missing")
    assert "source" not in event.reason.lower().replace("file", "")


def with_a_lost_picture(world: World, tmp_path: Path) -> None:
    """A plan for a source of uneven rate; one picture of its first second is noise."""
    source = make_clip("holes.mp4", tmp_path)
    packet = planned.facts(source, "mov", 1).tables[0].packets[5]
    with source.open("r+b") as file:
        file.seek(packet.position)
        file.write(b"\xff" * packet.size)
    planned.plan(world.store, source, renditions=RENDITIONS)


@pytest.mark.parametrize(
    ("script", "lost"),
    [
        ('exec "$FFMPEG" "$@"', 1),
        # Whatever the second way of reading leads to, what the first one made is good.
        ('[ -e ran ] && { echo odd > 0.mp4; exit 1; }; touch ran; exec "$FFMPEG" "$@"', 1),
        ('[ -e ran ] && sleep 1000; touch ran; exec "$FFMPEG" "$@"', 1),
        # The second way loses nothing; it has no list of what it shows.
        ('"$FFMPEG" "$@"; [ -e ran ] && rm shown; touch ran', 0),
    ],
)
def test_a_picture_that_is_lost_stands_still_and_is_counted(
    script: str, lost: int, world: World, tmp_path: Path
) -> None:
    with_a_lost_picture(world, tmp_path)
    assert isinstance(wrapped(world, tmp_path, script, stall_s=2).handle("v0000"), TaskCompleted)
    receipt = record.load(world.store.get(layout.receipt(JOB, 1, "v0000")), Receipt)
    assert receipt.lost == lost
    assert [track.frames for track in receipt.tracks] == [30, 30]


def test_a_chunk_of_uneven_rate_that_lacks_most_pictures_is_refused(
    world: World, tmp_path: Path
) -> None:
    """Whatever the program says; it repeats the first one as often as there should be others."""
    planned.plan(world.store, make_clip("holes.mp4", tmp_path), renditions=RENDITIONS)
    repeated = wrapped(world, tmp_path, '"$FFMPEG" "$@" && sed -i "s/.*/0/" shown')
    event = repeated.handle("v0000")
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("frames_missing", True)
    assert event.reason.startswith("1 of ")


def test_a_chunk_of_uneven_rate_whose_pictures_are_all_there_is_read_once(
    world: World, tmp_path: Path
) -> None:
    plan = planned.plan(world.store, make_clip("holes.mp4", tmp_path), renditions=RENDITIONS)
    once = '[ -e ran ] && exit 1; touch ran; exec "$FFMPEG" "$@"'
    for task in plan.tasks:
        assert isinstance(wrapped(world, tmp_path, once).handle(task.id), TaskCompleted)
        receipt = record.load(world.store.get(layout.receipt(JOB, 1, task.id)), Receipt)
        assert receipt.lost == 0
