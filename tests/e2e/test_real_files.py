"""Real files, as nobody here made them: each is shown whole, upright, in its shape and colours.

What is right is written by hand in `tests/reference`, and its pictures are decoded by another
ffmpeg that is told everything by hand. Each task encodes one segment, so that joins are many.
Writes docs/media.md with WRITE_DOCS=1.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fractions import Fraction

import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser

from tests.e2e import judges, readers, shown, sound
from tests.e2e.command import Desk
from tests.e2e.shown import Shown
from tests.real_media import media_file
from tests.reference import decode, page
from tests.reference.real import REAL
from tests.reference.truth import Truth

pytestmark = [pytest.mark.media, pytest.mark.slow]


@pytest.fixture(scope="module", params=REAL, ids=lambda truth: truth.name)
def real(
    request: pytest.FixtureRequest, desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    truth: Truth = request.param
    (desk.folder / "profiles" / "judged.toml").write_text(shown.JUDGED)
    source = media_file(f"real/{truth.name}")
    folder = tmp_path_factory.mktemp("real")
    cut = ("--chunk-segments", str(truth.chunk_segments))
    ran = desk.run(
        "transcode", source, "-o", folder / "out", "--profile", truth.profile, *cut,
        cwd=folder, within_s=600,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    desk.assert_nothing_left(folder, but={"out"})
    yield Shown.read(truth, source, folder / "out")
    shutil.rmtree(folder)


def test_every_frame_and_sound_that_is_there_is_in_the_streams_without_a_gap(real: Shown) -> None:
    film, timeline = real.truth.picture, real.report["timeline"]
    if film is not None:
        assert (timeline["frames"], Fraction(timeline["rate"])) == (film.frames, film.rate)
        segments = -(-film.frames // timeline["segment_frames"])
        assert judges.joins(real.out) == -(-segments // real.truth.chunk_segments) - 1
    assert judges.judge(real.out, real.source, real.planned, frames_of=False) == []


def test_two_other_generations_of_ffmpeg_and_two_parsers_read_as_much(real: Shown) -> None:
    lists = m3u8.load(str(real.out / "master.m3u8"))
    (period,) = MPEGDASHParser.parse(str(real.out / "manifest.mpd")).periods
    dash = {
        each.id: len(each.segment_lists[0].segment_urls)
        for group in period.adaptation_sets
        for each in group.representations
    }
    renditions = judges.read(real.out)
    assert len(lists.playlists) >= max(1, len(real.rungs))
    for each in renditions:
        count = sum(len(fragment.samples) for fragment in each.fragments())
        found = readers.counted(real.out, each.name, each.playlist.path, pictures=each.is_picture)
        assert set(found.values()) == {count}, (each.name, found)
        read = m3u8.load(str(each.playlist.path))
        assert read.is_endlist
        assert len(read.segments) == dash.pop(each.name) == len(each.playlist.files())
    assert not dash


def test_what_streams_say_of_their_size_and_colours_is_so(real: Shown) -> None:
    if (film := real.truth.picture) is None:
        assert not real.rungs
        return
    found = {path.parent.name: [*shown.untrue(film, said)] for path, said in real.rungs}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_each_frame_is_like_that_of_the_reference(real: Shown) -> None:
    film = real.truth.picture
    if film is None:
        return
    kind = "packet=pts" if film.flat else "frame=best_effort_timestamp"
    times_s = decode.presented_s(real.source, kind=kind)
    held = [0] * film.held + list(range(len(times_s)))
    assert decode.shown(times_s, film.rate) == held
    assert len(held) == film.frames
    assert real.looks.complaints == []


def test_each_way_of_being_wrong_that_a_file_can_show_would_be_found(real: Shown) -> None:
    film = real.truth.picture
    if film is None or film.flat:
        return
    assert page.told(film) - real.looks.shows == frozenset()


def test_sounds_are_those_of_the_source_each_channel_in_its_place(real: Shown) -> None:
    film, tracks = real.truth.picture, real.truth.sounds
    sounds = {each["name"]: each for each in real.report["renditions"] if each["kind"] == "audio"}
    wanted = {f"audio-{n}": min(2, each.channels) for n, each in enumerate(tracks, 1)}
    if real.truth.profile == "judged":
        wanted |= {
            f"audio-{n}-surround": 6 for n, each in enumerate(tracks, 1) if each.channels == 6
        }
    assert {name: each["channels"] for name, each in sounds.items()} == wanted
    end_s = film.duration_s if film else None
    for name, each in sounds.items():
        number = int(name.split("-")[1]) - 1
        track = tracks[number]
        ends_ms = sorted([track.end_ms, int((end_s or 0) * 1000) or track.end_ms])
        # Three frames of AAC: priming, the last one's rest, and one that a decoder holds back.
        assert ends_ms[0] - 64 <= Fraction(each["duration_s"]) * 1000 <= ends_ms[1] + 64
        assert each["language"] == track.language
        for channel in range(each["channels"] if each["channels"] == track.channels else 0):
            found = sound.complaints(
                real.source, real.out / name / "playlist.m3u8", track=number, end_s=end_s,
                frame_s=1 / film.rate if film else Fraction(1), channel=channel,
            )  # fmt: skip
            assert found == [], (name, channel)


def test_what_was_found_of_it_is_in_the_table(real: Shown) -> None:
    film, renditions = real.truth.picture, real.report["renditions"]
    row = page.Row(
        truth=real.truth,
        rungs=tuple(f"{said.width}x{said.height}" for _, said in real.rungs),
        frames=tuple({each["frames"] for each in renditions if each["kind"] == "video"}),
        rate=Fraction(real.report["timeline"]["rate"]) if film else None,
        sounds=tuple(
            (each["channels"], Fraction(each["duration_s"]))
            for each in renditions
            if each["kind"] == "audio"
        ),
        worst=real.looks.worst if film else None,
    )
    if os.environ.get("WRITE_DOCS"):
        page.write(row)
    assert page.alike(row.line(), page.line_of(real.truth.name)), "WRITE_DOCS=1"


def test_the_table_is_of_all_of_them() -> None:
    assert page.PAGE.read_text() == page.page([page.line_of(truth.name) for truth in REAL])
