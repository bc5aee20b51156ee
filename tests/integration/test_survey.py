"""Real and hostile files as the chunker sees them: planned frames, and refusals by their codes."""

from __future__ import annotations

import struct
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from eventing.errors import Rejected
from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.adapters.metered import Metered
from functions.jobs import layout
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.source import guard, index
from functions.planning.drawing import Setting, draw
from functions.planning.surveyor import Surveyor
from tests.clips import count_frames, ffmpeg, make_clip
from tests.real_media import media_file

PROFILE = Profile(
    name="test",
    video=VideoProfile(
        ladder=tuple(
            Rung(height=height, maxrate_kbps=height * 5, bufsize_kbps=height * 10)
            for height in (1080, 720, 480, 360, 240)
        )
    ),
)
SETTING = Setting(encoder=Fingerprint(version="", sha256=""), workers=2, bounds=guard.Bounds())


class Desk:
    """Puts files into a store and plans them."""

    options = Options()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Metered(DirectoryStore(folder / "store", durable=False))
        self.surveyor = Surveyor(
            store=self.store,
            process=process.run,
            ffprobe=binaries.ffprobe,
            ffmpeg=binaries.ffmpeg,
            scratch=partial(scratch.folder, folder / "scratch"),
        )

    def put(self, file: Path) -> SourceObject:
        assert self.store.put("uploads/acme/film", file)
        info = self.store.head("uploads/acme/film")
        assert info is not None
        return SourceObject(
            bucket="uploads",
            key="acme/film",
            version="",
            etag=info.etag,
            size_bytes=info.size_bytes,
        )

    def plan(self, file: Path) -> Plan:
        source = self.put(file)
        try:
            survey = self.surveyor.original(source, lambda: None)
            return draw(self.manifest(source), 1, survey, SETTING)
        finally:
            assert not list((self.folder / "scratch").iterdir())

    def manifest(self, source: SourceObject) -> Manifest:
        return Manifest(
            job="0" * 32,
            tenant="acme",
            source=source,
            options=self.options,
            profile=PROFILE,
            accepted_s=0.0,
        )

    def refusal(self, file: Path) -> str:
        with pytest.raises(Rejected) as refused:
            self.plan(file)
        assert len(refused.value.reason) < 2000
        return refused.value.code


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "frames", "rate"),
    [
        ("bigbuckbunny-720p25.mp4", 132, Fraction(25)),
        ("bikes-640x272.mp4", 250, Fraction(25)),
        pytest.param("long_1080p_lowbitrate.mp4", 10_883, Fraction(30), marks=pytest.mark.slow),
        ("sample_no_bframes.mp4", 30, Fraction(30_000, 1001)),
        ("sample_video_only.mp4", 30, Fraction(30_000, 1001)),
        ("sample_edit_list.mp4", 77, Fraction(30_000, 1001)),
        ("portrait_4k60.mp4", 18, Fraction(60)),
        ("sample_with_increasing_timestamps_360p.mp4", 512, Fraction(23_040_000, 767_849)),
        ("hlg10-color-test.mp4", 9, Fraction(90_000, 3001)),
        ("dv-pal-interlaced.mov", 25, Fraction(25)),
        ("prores-422-proxy.mov", 25, Fraction(25)),
        ("xdcam-ex-1080i60.mov", 25, Fraction(25)),
    ],
)
def test_planned_frames_are_those_that_a_decoder_counts(
    desk: Desk, name: str, frames: int, rate: Fraction
) -> None:
    file = media_file(f"real/{name}")
    plan = desk.plan(file)
    assert plan.timeline is not None
    assert (plan.timeline.frames, plan.timeline.rate) == (frames, rate)
    assert plan.timeline.constant
    assert count_frames("-i", f"file:{file}", "-map", f"0:{plan.video_track}") == frames
    stored = index.decode(desk.store.get(plan.index))
    assert len(stored.track(plan.video_track).packets) >= frames


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("portrait_4k60.mp4", (1080, 1920)),
        ("sample_edit_list.mp4", (1080, 1920)),
        ("sample_rotate_and_reflect.mp4", (720, 1080)),
        ("dv-pal-interlaced.mov", (768, 576)),
        ("bikes-640x272.mp4", (640, 272)),
        ("nasa-2video-2audio-1subtitle.mp4", (320, 180)),
    ],
)
def test_the_largest_rendition_is_as_large_as_the_picture_is_shown(
    desk: Desk, name: str, sizes: tuple[int, int]
) -> None:
    plan = desk.plan(media_file(f"real/{name}"))
    assert (plan.video[0].width, plan.video[0].height) == sizes


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "tracks"),
    [
        ("sample_audio_only.mp4", 1),
        ("multiple_audio.mp4", 2),
    ],
)
def test_sound_alone_is_planned_as_long_as_it_is(desk: Desk, name: str, tracks: int) -> None:
    file = media_file(f"real/{name}")
    plan = desk.plan(file)
    assert plan.timeline is None
    assert len(plan.audio) == tracks
    decoded = ffmpeg("-i", f"file:{file}", "-ac", "1", "-ar", "48000", "-f", "s16le", "-")
    assert abs(plan.audio[0].samples - len(decoded) // 2) <= 2048


@pytest.mark.media
@pytest.mark.parametrize("name", ["sample.avi", "bbb_2500ms.ts", "sample_with_srt.mkv"])
def test_what_has_no_index_is_remuxed_and_then_planned(desk: Desk, name: str) -> None:
    file = media_file(f"real/{name}")
    source = desk.put(file)
    first = draw(desk.manifest(source), 1, desk.surveyor.original(source, lambda: None), SETTING)
    assert first.kind == "prepare"
    mezzanine = desk.folder / "mezzanine.mov"
    ffmpeg(
        *("-fflags", "+genpts", *guard.input_options(first.format), "-i", f"file:{file}"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy", f"file:{mezzanine}"),
    )
    desk.store.create(layout.mezzanine(source.digest), mezzanine)
    survey = desk.surveyor.mezzanine(source, lambda: None)
    second = draw(desk.manifest(source), 2, survey, SETTING)
    assert second.kind == "encode"
    assert second.source.address == layout.mezzanine(source.digest)
    assert second.index == layout.index(source.digest)
    assert second.timeline is not None
    filters = f"fps={second.timeline.rate}"
    counted = count_frames("-i", f"file:{file}", "-map", "0:V:0", filters=filters)
    assert abs(counted - second.timeline.frames) <= 1


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("0-timescale.mp4", "no_streams"),
        ("block_ends_beyond_cluster.mkv", "source_truncated"),
        ("bug504843.ogv", "picture_too_large"),
        ("encrypted-short-cenc.mp4", "source_encrypted"),
        ("hls-read-passwd-bypass.mp4", "no_streams"),
        ("hls-read-passwd.avi", "no_streams"),
        ("sample_vvc.mp4", "codec_unsupported"),
        ("vp9-12336x12336.webm", "picture_too_large"),
    ],
)
def test_hostile_files_are_refused(desk: Desk, name: str, code: str) -> None:
    assert desk.refusal(media_file(f"hostile/{name}")) == code


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "frames", "tracks"),
    [("sample_mdat_too_long.mp4", 30, 1), ("sample_missing_stsd.mp4", 30, 0)],
)
def test_damage_that_does_no_harm_is_taken(desk: Desk, name: str, frames: int, tracks: int) -> None:
    plan = desk.plan(media_file(f"hostile/{name}"))
    assert plan.timeline is not None
    assert plan.timeline.frames == frames
    assert len(plan.audio) == tracks


def test_the_table_is_read_from_the_headers_alone(desk: Desk) -> None:
    file = make_clip("faststart.mp4", desk.folder, seconds=20)
    source = desk.put(file)
    survey = desk.surveyor.original(source, lambda: None)
    assert len(survey.tables[0].packets) == 600
    assert desk.store.bytes_read("uploads/") < file.stat().st_size / 4


def test_a_source_with_fragments_is_remuxed_first(desk: Desk) -> None:
    file = desk.folder / "fragments.mp4"
    clip = make_clip("closed.mp4", desk.folder)
    ffmpeg(
        *("-i", f"file:{clip}", "-c", "copy", "-movflags", "+frag_keyframe+empty_moov"),
        f"file:{file}",
    )
    assert desk.plan(file).kind == "prepare"


def test_a_mezzanine_that_is_no_quicktime_is_read_whole(desk: Desk) -> None:
    clip = make_clip("closed.mp4", desk.folder)
    source = desk.put(clip)
    mezzanine = desk.folder / "mezzanine.mkv"
    ffmpeg("-i", f"file:{clip}", "-c", "copy", f"file:{mezzanine}")
    desk.store.create(layout.mezzanine(source.digest), mezzanine)
    survey = desk.surveyor.mezzanine(source, lambda: None)
    plan = draw(desk.manifest(source), 2, survey, SETTING)
    assert (plan.format, plan.index) == ("matroska", "")
    assert plan.timeline is not None
    assert plan.timeline.frames == 120
    assert all(task.stop_packet == 0 for task in plan.tasks if isinstance(task, VideoTask))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.95])
def test_a_file_that_is_cut_off_is_refused_as_that(desk: Desk, share: float) -> None:
    whole = make_clip("faststart.mp4", desk.folder).read_bytes()
    file = desk.folder / "cut.mp4"
    file.write_bytes(whole[: int(len(whole) * share)])
    assert desk.refusal(file) == "source_truncated"


def test_a_matroska_file_that_is_cut_off_is_refused_as_that(desk: Desk, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mkv", tmp_path / "cut.mkv"
    source = ("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=2")
    ffmpeg(*source, *("-c:v", "libx264", "-preset", "ultrafast", str(whole)))
    cut.write_bytes(whole.read_bytes()[:-1])
    assert desk.refusal(cut) == "source_truncated"


def test_a_recording_that_was_not_finished_is_refused_as_cut_off(desk: Desk) -> None:
    whole = make_clip("closed.mp4", desk.folder).read_bytes()
    file = desk.folder / "cut.mp4"
    file.write_bytes(whole[: len(whole) // 2])
    assert desk.refusal(file) == "source_truncated"


def test_a_source_that_was_replaced_is_gone(desk: Desk) -> None:
    source = desk.put(make_clip("closed.mp4", desk.folder))
    desk.put(make_clip("open.mp4", desk.folder))
    with pytest.raises(Rejected) as refused:
        desk.surveyor.original(source, lambda: None)
    assert refused.value.code == "source_gone"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "source_is_playlist"),
        (b"hello, world, this is text", "source_not_media"),
        (struct.pack(">I4s", 8, b"ftyp") + bytes(64), "source_unreadable"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), "source_unreadable"),
        (b"RIFF\0\0\0\0AVI " + bytes(500), "source_unreadable"),
    ],
)
def test_what_is_no_film_is_refused(desk: Desk, data: bytes, code: str) -> None:
    file = desk.folder / "film.mp4"
    file.write_bytes(data)
    assert desk.refusal(file) == code


def test_two_looks_at_one_source_write_one_index(desk: Desk) -> None:
    source = desk.put(make_clip("closed.mp4", desk.folder))
    first = desk.surveyor.original(source, lambda: None)
    stored = desk.store.get(first.index)
    again = desk.surveyor.original(source, lambda: None)
    assert again.index == first.index == layout.index(source.digest)
    assert desk.store.get(first.index) == stored
