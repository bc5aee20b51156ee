"""Sound and picture stay together from the first second to the last, whatever the source is.

Every film's beeps come 50 ms after their flashes, and have to come out so: what cannot see 50 ms
would find nothing there.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import pytest

from functions.jobs import layout
from tests import sync
from tests.clips import X264, ffmpeg
from tests.corpus.site import Ended, Site
from tests.sync import Film

LATER_S = Fraction(50, 1000)
TOLERANCE_S = Fraction(22, 1000)
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "500k", "-g", "12", "-bf", "2")
MPEG4 = ("-c:v", "mpeg4", "-b:v", "500k")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "16", "-b:v", "200k")
AMR = ("-c:a", "libopencore_amrnb", "-b:a", "12.2k")
UNEVEN = ("select='lt(mod(n,25),12)+gt(random(1),0.5)'",)
"""Every flash and what is beside it stays, of the rest half."""


def codec(name: str) -> tuple[str, ...]:
    return ("-c:a", name, "-strict", "-2")


FILMS = [
    Film(name="aac.mp4"),
    Film(name="aac.mkv"),
    Film(name="aac.flv", sample_rate=44100),
    Film(name="aac-16k.mp4", sample_rate=16000, layout="mono"),
    Film(name="mp3.mp4", audio=codec("libmp3lame")),
    Film(name="mp3.avi", video=MPEG4, audio=codec("libmp3lame")),
    Film(name="h264.avi", video=(*X264, "-bf", "2"), audio=codec("pcm_s16le")),
    Film(name="b-frames.avi", video=(*MPEG4, "-bf", "2"), audio=codec("ac3")),
    Film(
        name="packed.avi",
        video=("-c:v", "libxvid", "-bf", "2"),
        audio=codec("pcm_s16le"),
        pictures=("noise=alls=30:allf=t",),
    ),
    Film(name="mp2.ts", video=MPEG2, audio=codec("mp2")),
    Film(name="opus.mkv", audio=codec("libopus")),
    Film(name="opus.webm", video=VP8, audio=codec("libopus")),
    Film(name="opus.mp4", audio=codec("libopus")),
    Film(name="vorbis.mkv", audio=codec("libvorbis")),
    Film(name="vorbis.ogv", video=("-c:v", "libtheora"), audio=codec("libvorbis")),
    Film(name="flac-96k.mkv", audio=codec("flac"), sample_rate=96000),
    Film(name="flac-192k.mp4", audio=codec("flac"), sample_rate=192000),
    Film(name="ac3.ts", audio=codec("ac3"), layout="5.1(side)"),
    Film(name="eac3.mp4", audio=codec("eac3"), layout="5.1(side)"),
    Film(name="dts.mkv", audio=codec("dca"), layout="5.1(side)"),
    Film(name="pcm.mov", audio=codec("pcm_s24le"), layout="7.1"),
    Film(name="pcm.mxf", video=MPEG2, audio=codec("pcm_s16le")),
    Film(name="alac.mov", audio=codec("alac"), sample_rate=44100),
    Film(name="amr.3gp", audio=AMR, sample_rate=8000, layout="mono"),
    Film(name="late.mp4", sound_start_s=Fraction(5, 4)),
    Film(name="late.ts", sound_start_s=Fraction(1, 4)),
    Film(name="early.mp4", sound_start_s=Fraction(-3, 10)),
    Film(name="minutes-early.mkv", sound_start_s=Fraction(-90)),
    Film(name="shorter.mp4", sound_stop_s=Fraction(2)),
    Film(name="longer.mp4", sound_stop_s=Fraction(5)),
    Film(name="far.ts", muxer=("-output_ts_offset", "90000")),
    Film(name="wraps.ts", muxer=("-output_ts_offset", "95442")),
    Film(name="uneven.mp4", pictures=UNEVEN, muxer=("-fps_mode", "vfr")),
    Film(name="gap.mkv", muxer=("-bsf:a", "noise=drop='between(n,76,99)'")),
    Film(name="gap.mp4", muxer=("-bsf:a", "noise=drop='between(n,76,99)'")),
]


def bring(film: Film, folder: Path, *, profile: str = "default") -> Ended:
    film = replace(film, shift_s=LATER_S)
    data = film.make(folder).read_bytes()
    ended = Site(folder / "world").bring(
        data, key=f"acme/{film.name}", options={"profile": profile}
    )
    assert ended.complaints == ()
    assert ended.verdict is not None
    assert ended.verdict.state == "completed", ended.verdict
    return ended


def distances(film: Film, ended: Ended, track: str = "audio-1") -> list[Fraction]:
    """Of every beep from its flash, on the smallest rung."""
    rung = sorted(ended.media.glob("*p/playlist.m3u8"))[0]
    sound = ended.media / track / "playlist.m3u8"
    due = len(replace(film, shift_s=LATER_S).places_s)
    assert due >= 2
    return sync.apart(rung, sound, beeps_due=due)


@pytest.mark.parametrize("film", FILMS, ids=[film.name for film in FILMS])
def test_every_beep_comes_with_its_flash(film: Film, tmp_path: Path) -> None:
    film = replace(film, seconds=3)
    found = distances(film, bring(film, tmp_path))
    assert all(abs(each - LATER_S) <= TOLERANCE_S for each in found), [*map(float, found)]


@pytest.mark.parametrize("clock", [Fraction(1002, 1000), Fraction(998, 1000)])
def test_a_clock_of_its_own_does_not_lead_sound_away(clock: Fraction, tmp_path: Path) -> None:
    film = Film(
        name="clock.ts", seconds=20, rate=10, every_s=3, clock=clock, audio=codec("mp2")
    )  # 40 ms at the end
    found = distances(film, bring(film, tmp_path))
    assert all(abs(each - LATER_S) <= Fraction(8, 1000) for each in found), [*map(float, found)]


@pytest.mark.slow
def test_ten_minutes_end_as_they_began(tmp_path: Path) -> None:
    film = Film(name="long.mp4", seconds=600, rate=5, every_s=90, sample_rate=22050, layout="mono")
    ended = bring(film, tmp_path, profile="long")
    found = distances(film, ended)
    assert all(abs(each - LATER_S) <= Fraction(5, 1000) for each in found), [*map(float, found)]


def test_timestamps_that_overlap_are_believed(tmp_path: Path) -> None:
    film = Film(name="overlap.mkv", muxer=("-bsf:a", "setts=ts='PTS-if(gt(N,70),2400,0)'"))
    first, *_, last = distances(film, bring(film, tmp_path))
    assert abs(first - LATER_S) <= Fraction(2, 1000)
    assert abs(last) <= TOLERANCE_S


def minutes_late(folder: Path) -> tuple[list[Fraction], int]:
    """How far beeps are off, and the memory of the largest program."""
    late = Film(
        name="late.mp4", seconds=150, rate=5, every_s=5, sound_start_s=Fraction(136),
        audio=codec("ac3"), layout="5.1(side)",
    )  # fmt: skip
    ended = bring(late, folder, profile="long")
    return [*distances(late, ended)], max(each.max_rss_bytes for each in ended.children)


def test_sound_that_starts_minutes_late_needs_no_memory_for_its_silence(tmp_path: Path) -> None:
    # By a process of its own that is small: what starts a program counts towards its memory.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as small:
        found, most_bytes = small.submit(minutes_late, tmp_path).result()
    assert all(abs(each - LATER_S) <= TOLERANCE_S for each in found)
    assert most_bytes < 160 << 20, most_bytes


@pytest.mark.parametrize("layout", ["5.1(side)", "7.1"])
def test_surround_is_in_time_as_stereo_is(layout: str, tmp_path: Path) -> None:
    film = Film(name="film.mkv", seconds=3, audio=codec("flac"), layout=layout)
    ended = bring(film, tmp_path, profile="surround")
    made = [(each["name"], each["layout"]) for each in ended.report["renditions"] if each["layout"]]
    assert made == [("audio-1", "stereo"), ("audio-1-surround", "5.1")]
    for name, _ in made:
        found = distances(film, ended, name)
        assert all(abs(each - LATER_S) <= TOLERANCE_S for each in found), [*map(float, found)]


def test_no_sound_and_nothing_but_silence_are_both_films(tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    pictures = ("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=2")
    ffmpeg(*pictures, "-f", "lavfi", "-i", "anullsrc=d=2", "-c:a", "aac", str(silent))
    ended = Site(tmp_path / "one").bring(silent.read_bytes())
    assert [each["name"] for each in ended.report["renditions"] if each["layout"]] == ["audio-1"]
    mute = tmp_path / "mute.mp4"
    ffmpeg(*pictures, str(mute))
    ended = Site(tmp_path / "two").bring(mute.read_bytes())
    assert not any(each["layout"] for each in ended.report["renditions"])


def test_a_layout_may_change_in_mid_stream(tmp_path: Path) -> None:
    parts = []
    for number, shape in enumerate(("stereo", "5.1(side)", "mono")):
        part = tmp_path / f"{number}.ac3"
        ffmpeg(
            *("-f", "lavfi", "-i", f"sine=f=500:d=2,aformat=channel_layouts={shape}"),
            *("-c:a", "ac3", "-b:a", "192k", str(part)),
        )
        parts.append(part.read_bytes())
    joined = tmp_path / "joined.ac3"
    joined.write_bytes(b"".join(parts))
    film = tmp_path / "film.ts"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=6", "-f", "ac3", "-i", str(joined)),
        *("-c:v", "mpeg2video", "-c:a", "copy", str(film)),
    )
    ended = Site(tmp_path / "world").bring(film.read_bytes(), key="acme/film.ts")
    assert ended.verdict is not None
    assert ended.verdict.state == "completed", ended.verdict
    heard = ffmpeg(
        *("-i", str(ended.media / "audio-1" / "playlist.m3u8"), "-af"),
        "silencedetect=n=0.01:d=0.1,ametadata=print:key=lavfi.silence_start:file=-",
        *("-f", "null", "-"),
    )
    assert b"silence_start" not in heard


def test_all_sound_of_a_small_source_is_read_once(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=2", "-f", "lavfi", "-i", "sine=d=2"),
        *("-map", "0", "-map", "1", "-map", "1", "-map", "1", "-c:v", "libx264"),
        *("-pix_fmt", "yuv420p", "-c:a", "aac", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=ger", str(film)),
    )
    ended = Site(tmp_path / "world").bring(film.read_bytes())
    assert ended.verdict is not None
    assert ended.verdict.state == "completed", ended.verdict
    sounds = [task for task in ended.report["tasks"] if task["kind"] == "audio"]
    assert sum(task["source_bytes_read"] for task in sounds) <= film.stat().st_size
    assert [task["renditions"] for task in sounds] == [["audio-1", "audio-2", "audio-3"]]


LEFT_OUT = "audio stream 1 left out: its language is eng"


@pytest.mark.parametrize(
    ("german", "asked", "kept", "note"),
    [
        ("ger", ["de"], ["audio-1"], LEFT_OUT),
        # QuickTime, which the film is remuxed to, has no number for these.
        ("deu", ["de"], ["audio-1"], LEFT_OUT),
        ("de-AT", ["de"], ["audio-1"], LEFT_OUT),
        ("ger", ["fr"], ["audio-1", "audio-2"], "no sound track in fr: every one is there"),
    ],
)
def test_only_sound_in_the_languages_that_were_asked_for(
    german: str, asked: list[str], kept: list[str], note: str, tmp_path: Path
) -> None:
    film = tmp_path / "film.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1"),
        *("-map", "0", "-map", "1", "-map", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", f"language={german}", str(film)),
    )
    options = {"audio_languages": asked}
    ended = Site(tmp_path / "world").bring(film.read_bytes(), key="acme/film.mkv", options=options)
    assert [each["name"] for each in ended.report["renditions"] if each["layout"]] == kept
    assert ended.report["notes"].count(note) == 1
    assert (ended.media / layout.MASTER).exists()
