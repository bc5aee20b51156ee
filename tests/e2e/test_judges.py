"""The judges pass what is right and find every way in which it can be wrong."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import pytest

from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams.segment import Segment, Stored, Track
from tests import cmaf, mp4
from tests.e2e import picture
from tests.e2e.judges import Planned, judge, source_frames
from tests.real_media import media_file

PLANNED = Planned(frames=cmaf.FRAMES, rate=cmaf.RATE, sounds=(0,))


@dataclass
class Streams:
    """A folder of streams that can be harmed; `present` then tells it as if all were well."""

    out: Path
    source: Path
    video: list[tuple[VideoRendition, Track]] = field(default_factory=list)
    audio: list[tuple[AudioRendition, Track]] = field(default_factory=list)

    def judged(self, planned: Planned = PLANNED) -> list[str]:
        cmaf.present(self.out, self.video, self.audio)
        return judge(self.out, self.source, planned)

    def copied(self, to: Path) -> Streams:
        shutil.copytree(self.out, to, dirs_exist_ok=True)
        return replace(self, out=to, video=list(self.video), audio=list(self.audio))

    def segments(self, kind: str, change: Callable[[list[Segment]], list[Segment]]) -> None:
        tracks: list[tuple[VideoRendition, Track]] | list[tuple[AudioRendition, Track]]
        tracks = self.video if kind == "video" else self.audio
        rendition, track = tracks[0]
        changed = replace(track, segments=tuple(change(list(track.segments))))
        tracks[0] = rendition, changed  # type: ignore[assignment]

    def rewrite(self, stored: Stored, data: bytes) -> Stored:
        """Other content under a name that fits it."""
        digest = hashlib.sha256(data).hexdigest()
        key = stored.key.replace(stored.sha256[:16], digest[:16])
        path = self.out / Path(key).relative_to(f"media/{cmaf.JOB}")
        path.write_bytes(data)
        return Stored(key=key, size_bytes=len(data), sha256=digest)

    def bytes_of(self, stored: Stored) -> bytes:
        return (self.out / Path(stored.key).relative_to(f"media/{cmaf.JOB}")).read_bytes()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Streams:
    folder = tmp_path_factory.mktemp("good")
    out, source = folder / "out", cmaf.source(folder / "source.mp4")
    out.mkdir()
    return Streams(
        out,
        source,
        [
            cmaf.video(source, out, name="180p", width=320, height=180),
            cmaf.video(source, out, name="120p", width=214, height=120),
        ],
        [cmaf.audio(source, out, name="audio-1")],
    )


@pytest.fixture
def streams(good: Streams, tmp_path: Path) -> Streams:
    return good.copied(tmp_path)


def test_what_is_right_passes(good: Streams) -> None:
    assert source_frames(good.source) == cmaf.FRAMES
    assert good.judged() == []


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize(
    ("harm", "change"),
    [
        ("the first dropped", lambda it: it[1:]),
        ("one dropped", lambda it: it[:2] + it[3:]),
        ("the last dropped", lambda it: it[:-1]),
        ("one doubled", lambda it: [*it[:2], it[1], *it[2:]]),
        ("two swapped", lambda it: [it[0], it[2], it[1], *it[3:]]),
        ("one of another in its place", lambda it: [it[0], it[0], *it[2:]]),
    ],
)
def test_segments_that_are_not_in_place_are_found(
    streams: Streams, kind: str, harm: str, change: Callable[[list[Segment]], list[Segment]]
) -> None:
    streams.segments(kind, change)
    assert streams.judged() != []


def retimed(streams: Streams, kind: str, *, ticks: Callable[[int], int]) -> None:
    """Write other decode times into the segments: playlists and boxes agree again."""

    def change(segments: list[Segment]) -> list[Segment]:
        found = []
        for number, segment in enumerate(segments):
            data = bytearray(streams.bytes_of(segment.stored))
            (box,) = mp4.find(bytes(data), "moof", "traf", "tfdt")
            data[box.stop - 8 : box.stop] = ticks(number).to_bytes(8, "big")
            found.append(
                replace(
                    segment,
                    number=number,
                    stored=streams.rewrite(segment.stored, bytes(data)),
                    start_ticks=ticks(number),
                )
            )
        return found

    streams.segments(kind, change)


def test_a_whole_segment_lost_and_closed_up_is_found(streams: Streams) -> None:
    streams.segments("video", lambda it: it[:1] + it[2:])
    retimed(streams, "video", ticks=lambda number: number * 60_060)
    assert any("cut at different times" in text for text in streams.judged())
    del streams.video[1]
    assert any("not equally long" in text for text in streams.judged())
    streams.audio.clear()
    found = streams.judged(replace(PLANNED, sounds=()))
    assert "180p: 60 frames too few" in found
    assert any("is not the source's" in text for text in found)


def test_two_segments_swapped_and_retimed_are_found_by_the_pictures(streams: Streams) -> None:
    streams.segments("video", lambda it: [it[0], it[2], it[1], *it[3:]])
    retimed(streams, "video", ticks=lambda number: number * 60_060)
    found = streams.judged()
    assert found
    assert all(text.startswith("180p: frame") for text in found)


def test_time_that_does_not_start_at_zero_is_found(streams: Streams) -> None:
    retimed(streams, "video", ticks=lambda number: 1001 + number * 60_060)
    assert any("not at 0" in text for text in streams.judged())


def test_a_second_init_segment_is_found(streams: Streams) -> None:
    _, track = streams.video[0]
    streams.rewrite(track.init, streams.bytes_of(track.init) + b"\0\0\0\x08free")
    assert streams.judged() == ["180p: 2 init segments"]


def test_content_under_another_name_is_found(streams: Streams) -> None:
    _, track = streams.video[0]
    path = streams.out / "180p" / Path(track.segments[1].stored.key).name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    found = streams.judged()
    assert any("is not what its name says" in text for text in found), found


def test_a_damaged_segment_is_found(streams: Streams) -> None:
    def change(segments: list[Segment]) -> list[Segment]:
        data = streams.bytes_of(segments[1].stored)
        (box,) = mp4.find(data, "mdat")
        harmed = data[: box.body + 400] + bytes(len(data) - box.body - 400)
        return [
            segments[0],
            replace(segments[1], stored=streams.rewrite(segments[1].stored, harmed)),
            *segments[2:],
        ]

    streams.segments("video", change)
    assert "180p: HLS does not decode without an error" in streams.judged()


def test_manifests_that_name_other_files_are_found(streams: Streams) -> None:
    cmaf.present(streams.out, streams.video, streams.audio)
    path = streams.out / "manifest.mpd"
    path.write_text(path.read_text().replace("00002-", "00003-", 1))
    found = judge(streams.out, streams.source, PLANNED)
    assert any("do not name the same files" in text for text in found)


RANGES: dict[str, Sequence[tuple[int, int]]] = {
    "a frame lost at a join, all behind it early": [(0, 120), (121, 250), (249, 250)],
    "a frame doubled at a join, all behind it late": [(0, 121), (120, 249)],
    "a frame doubled at one join and lost at the next": [(0, 120), (119, 179), (180, 250)],
    "one frame shown in place of the next": [(0, 120), (119, 120), (121, 250)],
    "two frames swapped": [(0, 120), (121, 122), (120, 121), (122, 250)],
    "everything one frame late": [(0, 1), (0, 249)],
    "the last frame frozen": [(0, 249), (248, 249)],
}


@pytest.mark.parametrize("harm", RANGES)
def test_frames_that_are_not_the_sources_are_found(
    good: Streams, tmp_path: Path, harm: str
) -> None:
    ranges = RANGES[harm]
    assert sum(stop - start for start, stop in ranges) == cmaf.FRAMES
    streams = replace(
        good,
        out=tmp_path,
        video=[
            cmaf.video(good.source, tmp_path, name="180p", width=320, height=180, ranges=ranges)
        ],
        audio=[],
    )
    found = streams.judged(replace(PLANNED, sounds=()))
    assert found
    assert all(text.startswith("180p: frame") for text in found)


@pytest.mark.parametrize(
    ("harm", "change"),
    [
        ("a tenth of a second late", "adelay=100:all=1"),
        ("a twentieth of a second late", "adelay=50:all=1"),
        ("a twentieth of a second early", "atrim=start=0.05,asetpts=PTS-STARTPTS"),
        ("too short", "atrim=end=7.5"),
        ("too long", "apad=pad_dur=1"),
        ("another", "aeval=0.3*sin(2*PI*90*t)|0.3*sin(2*PI*90*t):c=stereo"),
        ("silent", "volume=0"),
        ("running away", "atempo=1.02"),
        ("late behind its middle", "aselect='not(between(t,4,4.06))',asetpts=N/SR/TB"),
    ],
)
def test_sound_that_is_not_the_sources_is_found(
    good: Streams, tmp_path: Path, harm: str, change: str
) -> None:
    sound = cmaf.audio(good.source, tmp_path, name="audio-1", change=change)
    streams = replace(good, out=tmp_path, video=[], audio=[sound])
    found = streams.judged(replace(PLANNED, frames=0))
    assert found
    assert all(text.startswith("audio-1: ") for text in found)


def test_sound_within_a_frame_passes(good: Streams, tmp_path: Path) -> None:
    sound = cmaf.audio(good.source, tmp_path, name="audio-1", change="adelay=20:all=1")
    streams = replace(good, out=tmp_path, video=[], audio=[sound])
    assert streams.judged(replace(PLANNED, frames=0)) == []


def encoded(source: Path, to: Path, ranges: Sequence[tuple[int, int]]) -> Path:
    cmaf.ffmpeg(
        "-i", source, "-map", "0:V:0", "-vf", f"{cmaf.shown(ranges)},scale=-2:180",
        "-fps_mode", "passthrough", "-c:v", "libx264", "-preset", "veryfast", "-crf", "30", to,
    )  # fmt: skip
    return to


@pytest.mark.media
@pytest.mark.parametrize(
    "name",
    ["bigbuckbunny-720p25.mp4", "bikes-640x272.mp4", "sample.avi"],
)
def test_real_pictures_pass_and_one_frame_amiss_is_found(name: str, tmp_path: Path) -> None:
    source = media_file(f"real/{name}")
    count = source_frames(source)
    middle = count // 2
    right = encoded(source, tmp_path / "right.mp4", [(0, count)])
    lost = encoded(source, tmp_path / "lost.mp4", [(0, middle), (middle + 1, count)])
    doubled = encoded(source, tmp_path / "doubled.mp4", [(0, middle), (middle - 1, count)])
    found = [
        each.complaints() for each in picture.errors(source, [right, lost, doubled], rate=None)
    ]
    assert found[0] == []
    assert all(found[1:])


def test_a_picture_that_stands_still_fits_everywhere(tmp_path: Path) -> None:
    source = tmp_path / "still.mp4"
    cmaf.ffmpeg("-f", "lavfi", "-i", "smptebars=duration=2", "-c:v", "libx264", source)
    doubled = encoded(source, tmp_path / "doubled.mp4", [(0, 25), (24, 49)])
    (found,) = picture.errors(source, [doubled], rate=None)
    assert found.complaints() == []


def test_a_resampled_picture_is_compared_with_the_resampled_source(
    good: Streams, tmp_path: Path
) -> None:
    slower = tmp_path / "slower.mp4"
    cmaf.ffmpeg(
        "-i", good.source, "-vf", "fps=20", "-c:v", "libx264", "-preset", "veryfast", slower
    )
    (right,) = picture.errors(good.source, [slower], rate=Fraction(20))
    (wrong,) = picture.errors(good.source, [slower], rate=None)
    assert right.complaints() == []
    assert wrong.complaints() != []
