"""Sound of a transport stream that changes its format in mid-stream, through its mezzanine."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from eventing.contract import TaskCompleted
from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.jobs import layout
from functions.media.encoding import argv as words
from tests import planned
from tests.clips import ffmpeg
from tests.fakes import MemoryState
from tests.integration.test_mixing import encoded

RATE = 48000
PART_S = 3


@dataclass(frozen=True)
class Part:
    """Three seconds: a tone of 1 kHz in all its channels."""

    channels: int
    rate: int = RATE
    codec: str = "aac"


STEREO = Part(2)
SURROUND = Part(6)
SLOW = Part(2, rate=44100)


def film(path: Path, *tracks: tuple[Part, ...]) -> Path:
    """A transport stream whose tracks of sound, German and English, have these parts, one after the
    other."""
    path.write_bytes(b"")
    for place, parts in enumerate(zip(*tracks, strict=True)):
        file = path.with_suffix(f".{place}.ts")
        tones = (
            f"aevalsrc={'|'.join(['0.3*sin(2*PI*1000*t)'] * part.channels)}:s={part.rate}"
            f":d={PART_S}:c={'5.1' if part.channels == 6 else 'stereo'}"
            for part in parts
        )
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=s=64x36:r=25:d={PART_S}"),
            *(word for tone in tones for word in ("-f", "lavfi", "-i", tone)),
            *(word for number in range(len(parts) + 1) for word in ("-map", str(number))),
            *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-pix_fmt", "yuv420p"),
            *(word for number, part in enumerate(parts)
              for word in (f"-c:a:{number}", part.codec)),
            *("-metadata:s:a:0", "language=ger", "-metadata:s:a:1", "language=eng"),
            *("-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", str(PART_S * place)),
            str(file),
        )  # fmt: skip
        path.write_bytes(path.read_bytes() + file.read_bytes())
    return path


def prepared(source: Path, folder: Path) -> Path:
    """What the encoder makes of it, under the name that is read."""
    store = DirectoryStore(folder / "store", durable=False)
    encoder = Encoder(
        store=store,
        state=MemoryState(),
        process=process.run,
        clock=time.time,
        settings=Settings(store="", state="", worker="worker-1", scratch=folder / "scratch"),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: False,
        scratch=scratch.folder,
    )
    plan = planned.preparation(store, source, format="mpegts")
    (event,) = encoder.task_ready(planned.ready("m1"))
    assert isinstance(event, TaskCompleted), event
    copy = folder / words.SOURCE
    copy.write_bytes(store.get(layout.mezzanine(plan.source.digest)))
    return copy


def heard(copy: Path, number: int) -> list[tuple[float, float]]:
    """Level and pitch (Hz) in the midst of each part, in the stereo rendition of a track."""
    found = planned.facts(copy, "mov", 1)
    rendition = replace(planned.audio_renditions(found)[number], layout="stereo", mixed=False)
    left = encoded(copy, rendition)[::2]
    return [
        measured(left[round((at + 0.5) * RATE) : round((at + PART_S - 0.5) * RATE)])
        for at in (0, PART_S)
    ]


def measured(samples: array[float]) -> tuple[float, float]:
    seconds = len(samples) / RATE
    rises = sum(before < 0 <= after for before, after in pairwise(samples))
    return max(samples), rises / seconds


@pytest.mark.parametrize(
    ("parts", "levels"),
    [
        # Of six channels three are heard on each side, two of them 3 dB down.
        ((STEREO, SURROUND), (0.3, 0.3 * (1 + 2**0.5))),
        ((SURROUND, STEREO), (0.3 * (1 + 2**0.5), 0.3)),
        ((SLOW, STEREO), (0.3, 0.3)),
        ((STEREO, SLOW), (0.3, 0.3)),
    ],
)
def test_sound_that_changes_is_heard_as_loud_and_as_high_as_it_should(
    parts: tuple[Part, ...], levels: tuple[float, float], tmp_path: Path
) -> None:
    copy = prepared(film(tmp_path / "film.ts", parts), tmp_path)
    for (level, pitch), due in zip(heard(copy, 0), levels, strict=True):
        assert level == pytest.approx(due, rel=0.05)
        assert pitch == pytest.approx(1000, abs=2)


def test_tracks_beside_one_that_changes_are_copied_and_all_keep_their_languages(
    tmp_path: Path,
) -> None:
    tracks = ((STEREO, STEREO), (STEREO, SURROUND))
    found = planned.facts(prepared(film(tmp_path / "film.ts", *tracks), tmp_path), "mov", 1)
    assert [(each.codec, each.channels, each.language) for each in found.media.audio] == [
        ("aac", 2, "ger"),
        ("alac", 6, "eng"),
    ]


def test_sound_that_says_its_format_for_the_whole_track_is_copied(tmp_path: Path) -> None:
    parts = ((STEREO, STEREO), (Part(2, codec="ac3"), Part(6, codec="ac3")))
    found = planned.facts(prepared(film(tmp_path / "film.ts", *parts), tmp_path), "mov", 1)
    assert [each.codec for each in found.media.audio] == ["aac", "ac3"]


def test_sound_that_quicktime_cannot_name_is_heard(tmp_path: Path) -> None:
    whole, latm = film(tmp_path / "film.ts", (STEREO, STEREO)), tmp_path / "latm.ts"
    ffmpeg("-i", str(whole), "-c:v", "copy", "-c:a", "aac", "-mpegts_flags", "latm", str(latm))
    copy = prepared(latm, tmp_path)
    (track,) = planned.facts(copy, "mov", 1).media.audio
    assert (track.codec, track.channels, track.language) == ("alac", 2, "ger")
    for level, pitch in heard(copy, 0):
        assert level == pytest.approx(0.3, rel=0.1)
        assert pitch == pytest.approx(1000, abs=2)


def without_channels(frames: bytes) -> bytes:
    """AAC whose headers leave it to the frames how many channels there are (`channel_configuration`
    0, 13818-7, 6.2.1), which these do not tell."""
    data, at = bytearray(frames), 0
    while at < len(data):
        data[at + 2] &= 0xFE
        data[at + 3] &= 0x3F
        at += (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return bytes(data)


def test_sound_that_no_muxer_takes_is_heard_where_it_can_be(tmp_path: Path) -> None:
    sides = "|".join(["0.3*sin(2*PI*1000*t)"] * 2)
    tone = ("-f", "lavfi", "-i", f"aevalsrc={sides}:s={RATE}:d={PART_S}")
    parts = [tmp_path / "mono.aac", tmp_path / "stereo.aac"]
    for channels, file in enumerate(parts, start=1):
        ffmpeg(*tone, "-ac", str(channels), str(file))
    sound, source = tmp_path / "sound.aac", tmp_path / "film.ts"
    sound.write_bytes(without_channels(parts[0].read_bytes()) + parts[1].read_bytes())
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=64x36:r=25:d={2 * PART_S}"),
        *("-f", "aac", "-i", str(sound), "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-c:a", "copy", str(source)),
    )
    copy = prepared(source, tmp_path)
    (track,) = planned.facts(copy, "mov", 1).media.audio
    assert (track.codec, track.channels) == ("alac", 2)
    _, (level, pitch) = heard(copy, 0)
    assert level == pytest.approx(0.3, rel=0.1)
    assert pitch == pytest.approx(1000, abs=2)


def test_sound_that_quicktime_cannot_name_may_lie_beside_some_it_does_not_take(
    tmp_path: Path,
) -> None:
    latm = tmp_path / "latm.ts"
    ffmpeg(
        *("-i", str(film(tmp_path / "film.ts", (STEREO, STEREO), (STEREO, STEREO)))),
        *("-map", "0", "-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "libopus"),
        *("-mpegts_flags", "latm", str(latm)),
    )
    found = planned.facts(prepared(latm, tmp_path), "mov", 1)
    assert [each.codec for each in found.media.audio] == ["alac", "opus"]


def test_a_film_without_sound_is_copied(tmp_path: Path) -> None:
    film(tmp_path / "film.ts", (STEREO, SURROUND))
    silent = tmp_path / "silent.ts"
    ffmpeg("-i", str(tmp_path / "film.ts"), "-map", "0:v", "-c", "copy", str(silent))
    found = planned.facts(prepared(silent, tmp_path), "mov", 1)
    assert (len(found.media.video), len(found.media.audio)) == (1, 0)
