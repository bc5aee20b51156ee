"""A source becomes a plan: how it is cut into tasks, what is left out, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import msgspec
import pytest

from eventing.errors import Rejected
from functions.jobs.plan import AudioTask, MezzanineTask, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.encoding import aac
from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.planning.drawing import Setting
from functions.planning.survey import Survey
from tests.surveys import FILM, PROFILE, SETTING, film, packets, plan, sound, survey


def refused(found: Survey, setting: Setting = SETTING) -> str:
    with pytest.raises(Rejected) as caught:
        plan(found, setting=setting)
    return caught.value.code


def test_a_film_is_cut_into_chunks_with_all_renditions_and_each_sound_track_is_one_task() -> None:
    made = plan(FILM)
    assert made.kind == "encode"
    assert [each.name for each in made.video] == ["720p", "360p"]
    video = sorted(
        (task for task in made.tasks if isinstance(task, VideoTask)), key=lambda task: task.id
    )
    assert [task.id for task in video] == [
        "v0000-a", "v0000-b", *(f"v{n:04d}" for n in range(1, len(video) - 1))
    ]  # fmt: skip
    assert [task.start for task in video[2:]] == [task.stop for task in video[1:-1]]
    assert (video[0].start, video[-1].stop) == (0, 1030)
    assert all(task.renditions == ("720p", "360p") for task in video[2:])
    assert all(task.first_packet < task.stop_packet for task in video)
    assert [task.id for task in made.tasks if isinstance(task, AudioTask)] == ["a1"]


def test_what_plays_first_is_made_first_the_lowest_rung_of_a_short_chunk_and_then_sound() -> None:
    low, _, rest = plan(FILM).tasks[:3]
    assert [task.id for task in plan(FILM).tasks[:3]] == ["v0000-a", "a1", "v0000-b"]
    assert isinstance(low, VideoTask)
    assert isinstance(rest, VideoTask)
    assert (low.renditions, rest.renditions) == (("360p",), ("720p",))
    assert (low.start, low.stop) == (rest.start, rest.stop) == (0, 100)
    assert low.cost_ms < rest.cost_ms / 2


def test_a_short_film_is_not_decoded_twice_for_its_lowest_rung() -> None:
    brief = survey((film(),), (), {0: packets(500)})
    tasks = [task for task in plan(brief).tasks if isinstance(task, VideoTask)]
    assert tasks[0].renditions == ("720p", "360p")
    assert len({task.start for task in tasks}) == len(tasks)


def test_a_film_of_one_segment_is_shared_out_by_renditions() -> None:
    brief = survey((film(),), (), {0: packets(90)})
    low, high = plan(brief).tasks
    assert isinstance(low, VideoTask)
    assert isinstance(high, VideoTask)
    assert (low.renditions, high.renditions) == (("360p",), ("720p",))
    (alone,) = plan(brief, setting=replace(SETTING, workers=1)).tasks
    assert isinstance(alone, VideoTask)
    assert alone.cost_ms < low.cost_ms + high.cost_ms


def test_sound_is_as_long_as_the_picture() -> None:
    (audio,) = plan(FILM).audio
    assert audio.samples == 1030 * 48_000 // 25
    assert (audio.channels, audio.sample_rate, audio.bitrate_bps) == (2, 48_000, 128_000)
    assert (audio.language, audio.track, audio.origin) == ("deu", 1, 0)


def test_sound_is_cut_no_longer_than_the_picture() -> None:
    made = plan(FILM, profile=msgspec.structs.replace(PROFILE, segment_s=2))
    assert made.timeline is not None and made.timeline.segment_frames == 50
    (audio,) = made.audio
    assert aac.segment_frames(audio) == 2 * 48_000 // 1024


def test_sound_starts_with_the_picture() -> None:
    late = survey((film(),), (sound(),), {0: packets(100, first=50), 1: packets(90, delta=1024)})
    (audio,) = plan(late).audio
    assert audio.origin == 2 * 44_100


def test_one_channel_stays_one_with_its_share_of_the_bits() -> None:
    mono = survey((film(),), (sound(channels=1),), {0: packets(50), 1: packets(90, delta=1024)})
    (audio,) = plan(mono, profile=PROFILE).audio
    assert (audio.channels, audio.bitrate_bps) == (1, 64_000)


def test_sound_alone_has_no_timeline() -> None:
    made = plan(
        survey((), (sound(), sound(2)), {1: packets(10, delta=1024), 2: packets(12, delta=1024)})
    )
    assert made.timeline is None
    assert made.video == ()
    assert made.video_track == -1
    assert [task.id for task in made.tasks] == ["a1"]
    assert {each.samples for each in made.audio} == {round(Fraction(12 * 1024 * 48_000, 44_100))}


def test_a_forced_length_holds_for_every_chunk() -> None:
    made = plan(FILM, options=Options(chunk_segments=2))
    chunks = [task.stop - task.start for task in made.tasks if isinstance(task, VideoTask)]
    assert sorted(chunks) == [30, 200, 200, 200, 200, 200]


def test_without_an_index_tasks_read_the_whole_source() -> None:
    made = plan(
        survey((film(),), (), {0: packets(500)}, index=""), options=Options(chunk_segments=1)
    )
    video = [task for task in made.tasks if isinstance(task, VideoTask)]
    assert all((task.first_packet, task.stop_packet) == (0, 0) for task in video)
    assert video[1].trim_start == 100


def test_what_has_no_index_is_remuxed_first() -> None:
    made = plan(survey((film(),), (sound(),), {}, prepared=False, index=""))
    assert made.kind == "prepare"
    (task,) = made.tasks
    assert isinstance(task, MezzanineTask)
    assert (task.id, made.timeline, made.video, made.audio) == ("m1", None, (), ())


def test_a_segment_that_is_too_much_for_a_task_is_shared_out_by_renditions() -> None:
    heavy = Profile(
        name="heavy",
        video=VideoProfile(
            preset="veryslow",
            ladder=tuple(
                Rung(height=height, maxrate_kbps=9000, bufsize_kbps=9000)
                for height in (2160, 1080, 720)
            ),
        ),
    )
    uhd = survey((film(width=3840, height=2160),), (), {0: packets(200)})
    tasks = [task for task in plan(uhd, profile=heavy).tasks if isinstance(task, VideoTask)]
    assert {task.id for task in tasks} == {"v0000-a", "v0000-b", "v0001-a", "v0001-b"}
    assert [task.renditions for task in tasks[:2]] == [("2160p",), ("1080p", "720p")]


def test_what_is_left_out_is_noted() -> None:
    made = plan(
        survey(
            (film(codec="vvc"), film(3), film(4)),
            (sound(1, codec="truehd"), sound(2)),
            {0: packets(50), 1: packets(50), 2: packets(90, delta=1024), 3: packets(50),
             4: packets(50)},
        )
    )  # fmt: skip
    assert made.video_track == 3
    assert [audio.track for audio in made.audio] == [2]
    assert len(made.notes) == 3


def test_resampling_is_noted() -> None:
    table = Table(Packets.of([Packet(n * n, n, n, 1, n == 0) for n in range(50)]), True, True)
    made = plan(survey((film(),), (), {0: table}))
    assert made.timeline is not None
    assert not made.timeline.constant
    assert "variable frame rate" in made.notes[0]


def test_a_source_that_is_only_too_fast_is_not_said_to_be_variable() -> None:
    made = plan(survey((film(timebase=Fraction(1, 120)),), (), {0: packets(600)}))
    assert made.notes[0] == (
        "120 frames a second: 600 source frames resampled to 300 at 60 a second"
    )


def test_frames_that_are_not_shown_are_noted_with_what_they_lack() -> None:
    # Three before the first keyframe, and one behind it that an edit list may have cut away.
    found = [Packet(n, n, n, 1, n == 3, n > 2 and n != 5) for n in range(50)]
    made = plan(survey((film(),), (), {0: Table(Packets.of(found), True, True)}))
    assert any("3 of 50 frames come before the first keyframe" in note for note in made.notes)
    assert any("1 of 50 frames are not shown" in note for note in made.notes)


NOTHING_SHOWN = Table(Packets.of([Packet(0, 0, 0, 1, True, False)]), True, True)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (survey((), (), {}), "no_streams"),
        (survey((film(),), (), {}), "no_streams"),
        (survey((film(),), (), {0: NOTHING_SHOWN}), "no_streams"),
        (survey((film(codec="vvc"),), (), {0: packets(5)}), "codec_unsupported"),
        (survey((film(codec=""),), (), {0: packets(5)}), "codec_unsupported"),
        (survey((), (sound(codec="truehd"),), {1: packets(5)}), "codec_unsupported"),
        (survey((film(width=9000, height=9000),), (), {0: packets(5)}), "picture_too_large"),
        (survey((film(width=20_000, height=2),), (), {0: packets(5)}), "picture_too_large"),
        (
            survey((film(),), tuple(sound(n) for n in range(1, 40)), {0: packets(5)}),
            "too_many_streams",
        ),
        (
            survey((film(),), (), {0: packets(2, delta=25 * 3600 * 300)}),
            "too_long",
        ),
        (
            survey((film(),), (), {0: Table(packets(5).packets, False, True)}),
            "source_unreadable",
        ),
    ],
)  # fmt: skip
def test_what_cannot_become_a_stream_is_refused_with_its_code(found: Survey, code: str) -> None:
    assert refused(found) == code


def test_a_task_estimated_above_the_limit_is_a_long_one() -> None:
    eight_hours = survey((), (sound(),), {1: packets(8 * 3600 * 44_100 // 1024, delta=1024)})
    (track,) = plan(eight_hours).tasks
    assert (track.length, track.cost_ms > 300_000) == ("long", True)
    assert {task.length for task in plan(FILM).tasks} == {"short"}
    unprepared = survey((film(),), (), {}, prepared=False)
    (copy,) = plan(unprepared).tasks
    assert (copy.length, copy.cost_ms) == ("short", 330)


def test_the_limit_of_long_tasks_can_be_moved() -> None:
    made = plan(FILM, setting=replace(SETTING, long_task_s=5.0))
    assert {task.length for task in made.tasks} == {"short", "long"}
    assert all((task.length == "long") == (task.cost_ms > 5000) for task in made.tasks)


def test_the_limit_of_frames_can_be_moved() -> None:
    few = Setting(encoder=SETTING.encoder, workers=1, bounds=guard.Bounds(frames=1000))
    assert refused(FILM, few) == "too_long"
