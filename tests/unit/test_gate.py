"""The rules that an encoder's output has to keep, each broken once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from functions.media.cutting.timeline import Timeline
from functions.media.encoding.rendition import AudioRendition
from functions.media.streams import gate
from functions.media.streams.boxes import Edit
from functions.media.streams.fragmented import Fragment, Fragmented, Init

TIMELINE = Timeline(
    timebase=Fraction(1, 12800),
    origin=0,
    rate=Fraction(25),
    frames=450,
    constant=True,
    timescale=90000,
    segment_frames=100,
)
SOUND = AudioRendition(
    name="audio-1",
    track=1,
    language="und",
    layout="stereo",
    group="stereo",
    sample_rate=48000,
    bitrate_bps=128_000,
    samples=200_000,
    origin=0,
    timebase_num=1,
    timebase_den=48000,
)
INIT = Init(start=0, stop=700, codecs="avc1.64001f", timescale=90000, edits=())


def fragment(start: int, samples: int, *, ticks: int = 3600) -> Fragment:
    return Fragment(
        start=0,
        stop=1,
        decode_time=start,
        samples=samples,
        duration=samples * ticks,
        sync=True,
        first_composition_offset=0,
    )


# Output frames [200, 450): segments 2, 3 and the last, which is short.
GOOD = Fragmented(
    init=INIT,
    fragments=(
        fragment(720_000, 100),
        fragment(1_080_000, 100),
        fragment(1_440_000, 50),
    ),
)
SOUND_INIT = Init(
    start=0,
    stop=700,
    codecs="mp4a.40.2",
    timescale=48000,
    edits=(Edit(duration=0, media_time=1024),),
)
# 201,024 samples with priming: 187 frames, then 9,536 samples in 10 frames.
GOOD_SOUND = Fragmented(
    init=SOUND_INIT,
    fragments=(
        fragment(0, 187, ticks=1024),
        replace(fragment(191_488, 10), duration=9_536),
    ),
)

Change = Callable[[Fragmented], Fragmented]


def middle(**changes: int) -> Change:
    def change(good: Fragmented) -> Fragmented:
        one, two, *rest = good.fragments
        return replace(good, fragments=(one, replace(two, **changes), *rest))  # type: ignore[arg-type]

    return change


def test_what_was_planned_passes() -> None:
    gate.check_video(GOOD, TIMELINE, 200, 450)
    gate.check_audio(GOOD_SOUND, SOUND)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda good: replace(good, init=replace(INIT, timescale=1000)), "timescale"),
        (
            lambda good: replace(good, init=replace(INIT, edits=(Edit(duration=0, media_time=2),))),
            "edit list",
        ),
        (middle(sync=False), "sync"),
        (middle(decode_time=1_080_001), "starts at 1080001 instead of 1080000"),
        (middle(duration=360_001), "lasts 360001 instead of 360000"),
        (middle(first_composition_offset=3600), "composition offset"),
        (
            lambda good: replace(
                good, fragments=(fragment(720_000, 150), fragment(1_260_000, 100))
            ),
            "150 frames instead of 100",
        ),
        (
            lambda good: replace(
                good,
                fragments=(
                    *good.fragments[:2],
                    fragment(1_440_000, 25),
                    fragment(1_530_000, 25),
                ),
            ),
            "25 frames instead of 50",
        ),
    ],
)
def test_a_broken_rule_of_video_is_named(change: Change, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        gate.check_video(change(GOOD), TIMELINE, 200, 450)


@pytest.mark.parametrize("found", [0, 249, 251])
def test_another_number_of_frames_is_told_apart(found: int) -> None:
    output = replace(GOOD, fragments=(fragment(720_000, found),) if found else ())
    with pytest.raises(gate.FramesMissing) as raised:
        gate.check_video(output, TIMELINE, 200, 450)
    assert (raised.value.found, raised.value.planned) == (found, 250)


def test_a_chunk_starts_with_a_segment() -> None:
    with pytest.raises(ValueError, match="frame 250 does not start a segment"):
        gate.check_video(GOOD, TIMELINE, 250, 500)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda good: replace(good, init=replace(SOUND_INIT, timescale=44100)), "timescale"),
        (lambda good: replace(good, init=replace(SOUND_INIT, edits=())), "priming"),
        (
            lambda good: replace(
                good, init=replace(SOUND_INIT, edits=(Edit(duration=0, media_time=0),))
            ),
            "priming",
        ),
        (middle(decode_time=191_487), "starts at 191487"),
        (middle(duration=9_535), "lasts 9535 instead of 9536"),
        (middle(sync=False), "sync"),
        (
            lambda good: replace(
                good,
                fragments=(
                    fragment(0, 188, ticks=1024),
                    replace(fragment(192_512, 9), duration=8_512),
                ),
            ),
            "188 frames instead of 187",
        ),
    ],
)
def test_a_broken_rule_of_sound_is_named(change: Change, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        gate.check_audio(change(GOOD_SOUND), SOUND)


def test_sound_has_its_number_of_frames() -> None:
    with pytest.raises(gate.FramesMissing) as raised:
        gate.check_audio(replace(GOOD_SOUND, fragments=GOOD_SOUND.fragments[:1]), SOUND)
    assert (raised.value.found, raised.value.planned) == (187, 197)
