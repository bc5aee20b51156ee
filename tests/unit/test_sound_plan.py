"""Which tracks of sound a plan has, in which layouts, and in how many readings of the source."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from functions.jobs.options import parse
from functions.jobs.plan import AudioTask, Plan
from functions.jobs.profile import AudioProfile, Options
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.media.streams import language
from functions.planning import sounds
from functions.planning.survey import Survey
from tests.surveys import PROFILE, film, packets, plan, sound, survey

SURROUND = msgspec.structs.replace(PROFILE, audio=AudioProfile(surround_kbps=384))
LARGE = sounds.WHOLE_BYTES + 1


def films(*tracks: int, size_bytes: int = 0) -> Survey:
    """A film with tracks of so many channels."""
    audio = tuple(sound(number, channels=each) for number, each in enumerate(tracks, 1))
    tables = {0: packets(500), **{each.index: packets(900, delta=1024) for each in audio}}
    found = survey((film(),), audio, tables)
    if not size_bytes:
        return found
    return replace(found, source=replace(found.source, size_bytes=size_bytes))


def tasks_of(made: Plan) -> list[AudioTask]:
    return [task for task in made.tasks if isinstance(task, AudioTask)]


@pytest.mark.parametrize(
    ("channels", "made"),
    [
        (1, [("audio-1", "mono", "stereo", 64_000, False)]),
        (2, [("audio-1", "stereo", "stereo", 128_000, False)]),
        (4, [("audio-1", "stereo", "stereo", 128_000, True)]),
        (
            6,
            [
                ("audio-1", "stereo", "stereo", 128_000, True),
                ("audio-1-surround", "5.1", "surround", 384_000, False),
            ],
        ),
        (
            8,
            [
                ("audio-1", "stereo", "stereo", 128_000, True),
                ("audio-1-surround", "5.1", "surround", 384_000, True),
            ],
        ),
    ],
)
def test_a_track_is_there_for_everybody_and_in_surround_where_it_can(
    channels: int, made: list[tuple[str, str, str, int, bool]]
) -> None:
    audio = plan(films(channels), profile=SURROUND).audio
    assert made == [
        (each.name, each.layout, each.group, each.bitrate_bps, each.mixed) for each in audio
    ]


@pytest.mark.parametrize(("codec", "changing"), [("ac3", True), ("alac", False)])
def test_a_track_of_which_each_frame_says_its_layout_may_change(codec: str, changing: bool) -> None:
    track = sound(codec=codec, channels=2)
    (made,) = plan(
        survey((film(),), (track,), {0: packets(500), 1: packets(900, delta=1024)})
    ).audio
    assert (made.changing, made.mixed) == (changing, False)


def test_without_a_rate_for_it_there_is_no_surround() -> None:
    assert [each.name for each in plan(films(6)).audio] == ["audio-1"]


def test_a_small_source_is_read_once_for_all_its_sound() -> None:
    (task,) = tasks_of(plan(films(6, 2), profile=SURROUND))
    assert task.renditions == ("audio-1", "audio-1-surround", "audio-2")
    assert task.spare_bytes is None


@pytest.mark.parametrize("picture_bytes", [10_000, 80_000, 400_000])
def test_tracks_of_a_large_source_read_together_no_more_than_there_is(picture_bytes: int) -> None:
    def table(size: int) -> Table:
        rows = (Packet(n * 1024, n * 1024, n, size, True) for n in range(900))
        return Table(Packets.of(rows), complete=True, located=True)

    headers = 100_000
    each = 900 * 50_000
    size_bytes = headers + 900 * picture_bytes + 2 * each
    found = films(6, 2, size_bytes=size_bytes)
    found = replace(found, tables={0: table(picture_bytes), 1: table(50_000), 2: table(50_000)})
    tasks = tasks_of(plan(found, profile=SURROUND))
    assert [task.renditions for task in tasks] == [("audio-1", "audio-1-surround"), ("audio-2",)]
    spare = [task.spare_bytes or 0 for task in tasks]
    assert sum(headers + each + more for more in spare) <= size_bytes
    assert spare[0] == spare[1] <= each


def test_a_source_without_an_index_is_read_once_too() -> None:
    (task,) = tasks_of(plan(replace(films(2, 2, size_bytes=LARGE), index="")))
    assert task.spare_bytes is None


def test_sound_that_starts_late_is_led_by_silence() -> None:
    found = films(2, 2)
    late = packets(900, delta=1024, first=3 * 44_100)
    made = plan(replace(found, tables={**found.tables, 2: late}))
    assert [each.late for each in made.audio] == [0, 3 * 48_000]


@pytest.mark.parametrize(
    ("said", "asked", "fitting"),
    [
        (["eng", "deu", "und"], ["en"], {0}),
        (["eng", "ger", "und"], ["deu"], {1}),
        (["en-GB", "en-US", "fr"], ["en"], {0, 1}),
        (["en-GB", "en-US", "fr"], ["en-us"], {1}),
        (["eng", "fre"], ["en-US"], {0}),
        (["eng", "fre"], ["fra", "en"], {0, 1}),
        (["eng"], ["e"], set()),
        (["fil", "fi"], ["fi"], {1}),
        (["eng"], ["ja"], set()),
        ([], ["ja"], set()),
    ],
)
def test_a_language_fits_by_its_beginning_and_in_every_spelling(
    said: list[str], asked: list[str], fitting: set[int]
) -> None:
    assert language.fitting(said, asked) == fitting


def test_tracks_in_other_languages_are_left_out_and_told_of() -> None:
    found = films(2, 2)
    english = replace(found.media.audio[1], language="eng")
    found = replace(found, media=replace(found.media, audio=(found.media.audio[0], english)))
    made = plan(found, options=Options(audio_languages=("en",)))
    assert [(each.name, each.track) for each in made.audio] == [("audio-1", 2)]
    assert made.notes == ("audio stream 1 left out: its language is deu",)


def test_sound_without_a_picture_is_left_out_and_told_of() -> None:
    found = films(2)
    early = packets(1500, delta=1024, first=-3 * 44_100)
    heard = (replace(found.media.audio[0], start=None),)
    media = replace(found.media, audio=heard)
    made = plan(replace(found, media=media, tables={**found.tables, 1: early}))
    assert made.notes == (
        "audio stream 1: 3.0 s before the first picture are left out",
        "audio stream 1: 11.8 s after the last picture are left out",
    )
    assert plan(found).notes == ()  # 0.9 s


def test_a_film_is_not_silent_for_want_of_a_language() -> None:
    made = plan(films(2, 2), options=Options(audio_languages=("en", "fr")))
    assert len(made.audio) == 2
    assert made.notes == ("no sound track in en, fr: every one is there",)


def test_metadata_spell_languages_with_commas() -> None:
    options = parse({"kinora-audio-languages": "en, de"}, None, sidecar_name="film.json")
    assert options.audio_languages == ("en", "de")
    listed = parse({}, b'{"audio_languages": ["fr"]}', sidecar_name="film.json")
    assert listed.audio_languages == ("fr",)
