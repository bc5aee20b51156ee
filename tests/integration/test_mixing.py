"""What is heard of each channel of a source in the layouts that are made of it."""

from __future__ import annotations

import subprocess
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from functions.adapters import binaries
from functions.media.encoding import argv as words
from functions.media.encoding import sounds
from functions.media.encoding.rendition import AudioRendition, Layout
from tests.clips import ffmpeg

RATE = 48000
HALF = 2**-0.5


def rendition(layout: Layout, *, seconds: int, mixed: bool = True) -> AudioRendition:
    return AudioRendition(
        name="audio-1", track=0, language="und", layout=layout, group="stereo", mixed=mixed,
        sample_rate=RATE, bitrate_bps=384_000, samples=seconds * RATE, origin=0, timebase_num=1,
        timebase_den=RATE,
    )  # fmt: skip


def encoded(source: Path, rendition: AudioRendition, *, format: str = "mov") -> array[float]:
    """The samples of all channels in turn, as a decoder gives them."""
    _, *options = sounds.argv(
        "", source=words.Source(format=format), renditions=[rendition], tuning=words.Tuning()
    )
    subprocess.run([binaries.ffmpeg(), *options], cwd=source.parent, check=True)
    heard = array("f")
    heard.frombytes(ffmpeg("-i", str(source.parent / words.output(0)), "-f", "f32le", "-"))
    return heard


def tones(path: Path, layout: str, levels: Sequence[str]) -> Path:
    channels = "|".join(f"{level}*sin(2*PI*100*t)" for level in levels)
    ffmpeg(
        *("-f", "lavfi", "-i", f"aevalsrc=exprs='{channels}':s={RATE}:c={layout}:d={len(levels)}"),
        *("-c:a", "pcm_f32le", "-f", "mov", str(path)),
    )
    return path


@pytest.mark.parametrize(
    ("source", "layout", "wanted"),
    [
        ("5.1", "stereo", [(1, 0), (0, 1), (HALF, HALF), (0, 0), (HALF, 0), (0, HALF)]),
        ("5.1", "mono", [(0.5,), (0.5,), (HALF,), (0,), (HALF / 2,), (HALF / 2,)]),
        ("quad", "stereo", [(1, 0), (0, 1), (HALF, 0), (0, HALF)]),
        ("2.1", "stereo", [(1, 0), (0, 1), (0, 0)]),
        ("stereo", "mono", [(0.5,), (0.5,)]),
        (
            "7.1",
            "5.1",
            [
                *((1, 0, 0, 0, 0, 0), (0, 1, 0, 0, 0, 0), (0, 0, 1, 0, 0, 0), (0, 0, 0, 1, 0, 0)),
                *((0, 0, 0, 0, 1, 0), (0, 0, 0, 0, 0, 1)),
                *((0, 0, 0, 0, HALF, 0), (0, 0, 0, 0, 0, HALF)),
            ],
        ),
    ],
)
def test_each_channel_is_heard_where_and_as_loud_as_it_should(
    source: str, layout: Layout, wanted: list[tuple[float, ...]], tmp_path: Path
) -> None:
    count = len(wanted)
    # One after the other, a second each.
    levels = [f"0.5*gte(t,{number})*lt(t,{number}.9)" for number in range(count)]
    made = rendition(layout, seconds=count)
    heard = encoded(tones(tmp_path / words.SOURCE, source, levels), made)
    for number, levels_due in enumerate(wanted):
        part = heard[(number * RATE + RATE // 5) * made.channels :][: RATE // 2 * made.channels]
        loudest = [2 * max(part[channel :: made.channels]) for channel in range(made.channels)]
        assert loudest == pytest.approx(levels_due, abs=0.04), number


@pytest.mark.parametrize("layout", ["stereo", "mono"])
def test_six_loud_channels_are_not_clipped(layout: Layout, tmp_path: Path) -> None:
    source = tones(tmp_path / words.SOURCE, "5.1", ["0.95"] * 6)
    assert 0.9 < max(map(abs, encoded(source, rendition(layout, seconds=3)))) < 1


def test_what_has_more_channels_later_is_not_clipped_there(tmp_path: Path) -> None:
    parts = []
    for layout, channels in (("stereo", 2), ("5.1(side)", 6)):
        part = tmp_path / f"{channels}.ac3"
        tone = "|".join(["0.9*sin(2*PI*440*t)"] * channels)
        ffmpeg(
            *("-f", "lavfi", "-i", f"aevalsrc=exprs='{tone}':s={RATE}:c={layout}:d=2"),
            *("-c:a", "ac3", "-b:a", "640k", str(part)),
        )
        parts.append(part.read_bytes())
    (joined := tmp_path / "joined.ac3").write_bytes(b"".join(parts))
    source = tmp_path / words.SOURCE
    ffmpeg("-f", "ac3", "-i", str(joined), "-c", "copy", "-f", "matroska", str(source))
    made = replace(rendition("stereo", seconds=4, mixed=False), changing=True, bitrate_bps=256_000)
    heard = encoded(source, made, format="matroska")
    assert 0.8 < max(map(abs, heard[5 * RATE :])) < 1.1


def test_what_is_not_mixed_is_not_touched(tmp_path: Path) -> None:
    """Peaks at full strength stay: the limiter is for sums alone."""
    source = tones(tmp_path / words.SOURCE, "stereo", ["0.999"] * 2)
    made = rendition("stereo", seconds=2, mixed=False)
    assert max(encoded(source, made)) == pytest.approx(0.999, abs=0.02)
