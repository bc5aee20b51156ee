"""Playlists of a small real CMAF set, judged by readers that are not ours."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import m3u8
import pytest
from mpegdash.parser import MPEGDASHParser

from functions.adapters import binaries
from functions.jobs import layout
from functions.media.encoding.rendition import PLAYLIST, AudioRendition, VideoRendition
from functions.media.streams import hls
from functions.media.streams.join import join
from functions.media.streams.segment import Track
from tests import cmaf, mp4
from tests.authoring import complaints, growth_complaints

Tracks = tuple[list[tuple[VideoRendition, Track]], list[tuple[AudioRendition, Track]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tracks]:
    out = tmp_path_factory.mktemp("media")
    source = cmaf.source(out / "source.mp4")
    video = [
        cmaf.video(source, out, name="180p", width=320, height=180),
        cmaf.video(source, out, name="120p", width=214, height=120),
    ]
    audio = [
        cmaf.audio(source, out, name="audio-1", language="eng"),
        cmaf.audio(source, out, name="audio-2", language="fre"),
    ]
    for rendition in (*video, *audio):
        assert join([rendition[1]], frames=None) == rendition[1]
    cmaf.present(out, video, audio)
    return out, (video, audio)


def packets(playlist: Path, stream: str) -> list[tuple[int, int]]:
    """Decode time and duration of each packet, as ffmpeg's readers see them."""
    argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "fatal", "-i", str(playlist), "-map", stream]
    argv += ["-c", "copy", "-f", "framemd5", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    rows = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [(int(row[1]), int(row[3])) for row in rows]


def decoded(playlist: Path, stream: str) -> int:
    argv = [str(binaries.ffmpeg()), "-nostdin", "-v", "fatal", "-xerror", "-i", str(playlist)]
    argv += ["-map", stream, "-f", "framemd5", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return sum(not line.startswith("#") for line in done.stdout.splitlines())


def test_the_authoring_rules_are_kept(made: tuple[Path, Tracks]) -> None:
    out, _ = made
    assert complaints(out / layout.MASTER) == []


@pytest.mark.parametrize("manifest", [layout.MASTER, layout.MANIFEST])
@pytest.mark.parametrize("stream", ["0:v:0", "0:v:1"])
def test_ffmpeg_decodes_every_picture(
    made: tuple[Path, Tracks], manifest: str, stream: str
) -> None:
    out, _ = made
    assert decoded(out / manifest, stream) == cmaf.FRAMES


@pytest.mark.parametrize("manifest", [layout.MASTER, layout.MANIFEST])
@pytest.mark.parametrize("stream", ["0:v:0", "0:a:0", "0:a:1"])
def test_ffmpeg_finds_every_packet_without_a_gap(
    made: tuple[Path, Tracks], manifest: str, stream: str
) -> None:
    out, (video, audio) = made
    tracks = [track for _, track in (video if ":v:" in stream else audio)]
    found = packets(out / manifest, stream)
    assert len(found) == tracks[int(stream[-1])].frames
    for (start, duration), (following, _) in itertools.pairwise(found):
        assert start + duration == following


def test_a_growing_playlist_plays_at_every_length(made: tuple[Path, Tracks]) -> None:
    out, (video, _) = made
    _, track = video[0]
    text = hls.opening(target_duration_s=2, init_uri=hls.name_of(track.init))
    for count, segment in enumerate(hls.segments_of(track), start=1):
        text = hls.grown(text, [segment], ended=False)
        early = out / "180p" / f"early-{count}.m3u8"
        # ffmpeg would wait for more of a playlist that has no end.
        early.write_text(hls.grown(text, [], ended=True))
        assert decoded(early, "0:v:0") == sum(each.frames for each in track.segments[:count])


def test_what_plays_before_the_end_keeps_the_rules_as_it_gains_renditions(
    made: tuple[Path, Tracks], tmp_path: Path
) -> None:
    out, (video, audio) = made
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    early, before = tmp_path / layout.EARLY_MASTER, tmp_path / "before.m3u8"
    for rungs, sounds in ((video[1:], audio[:1]), (video, audio[:1]), (video, audio)):
        begun = [track for _, track in (*rungs, *sounds)]
        for track in begun:
            playlist = tmp_path / track.rendition / PLAYLIST
            text = hls.opening(target_duration_s=2, init_uri=hls.name_of(track.init))
            for segment in hls.segments_of(track)[: 1 + len(begun)]:
                before.write_text(text)
                text = hls.grown(text, [segment], ended=False)
                playlist.write_text(text)
                assert growth_complaints(before, playlist) == []
        early.write_text(
            hls.master(rungs, sounds, rate=cmaf.RATE, target_duration_s=2, declared=True)
        )
        assert complaints(early, complete=False) == []
        names = {f"{track.rendition}/{PLAYLIST}" for track in begun}
        assert hls.playlists_of(early.read_text()) == names


def test_m3u8_reads_what_was_meant(made: tuple[Path, Tracks]) -> None:
    out, (video, audio) = made
    master = m3u8.load(str(out / layout.MASTER))
    assert master.is_variant
    assert master.is_independent_segments
    assert [each.stream_info.resolution for each in master.playlists] == [(320, 180), (214, 120)]
    assert [each.stream_info.frame_rate for each in master.playlists] == [29.97, 29.97]
    assert [each.stream_info.codecs for each in master.playlists] == [
        f"{track.codecs},mp4a.40.2" for _, track in video
    ]
    assert [each.language for each in master.media] == ["en", "fr"]
    assert [each.uri for each in master.media] == [f"{r.name}/playlist.m3u8" for r, _ in audio]
    for _, track in (*video, *audio):
        playlist = m3u8.load(str(out / track.rendition / PLAYLIST))
        assert playlist.is_endlist
        assert playlist.playlist_type == "event"
        assert [each.uri for each in playlist.segments] == [
            hls.name_of(each.stored) for each in track.segments
        ]
        seconds = sum(each.duration_ticks for each in track.segments) / track.timescale
        assert sum(each.duration for each in playlist.segments) == pytest.approx(seconds, abs=1e-6)


def test_mpegdash_reads_what_was_meant(made: tuple[Path, Tracks]) -> None:
    out, (video, audio) = made
    mpd = MPEGDASHParser.parse(str(out / layout.MANIFEST))
    (period,) = mpd.periods
    pictures, *sounds = period.adaptation_sets
    assert [each.lang for each in sounds] == ["en", "fr"]
    read = [*pictures.representations, *(each.representations[0] for each in sounds)]
    for representation, (_, track) in zip(read, [*video, *audio], strict=True):
        (segments,) = representation.segment_lists
        assert segments.timescale == track.timescale
        durations = [each.d for each in segments.segment_timelines[0].Ss]
        assert durations == [each.duration_ticks for each in track.segments]
        assert representation.codecs == track.codecs
        assert len(segments.segment_urls) == len(track.segments)
        for url, segment in zip(segments.segment_urls, track.segments, strict=True):
            path = out / representation.base_urls[0].base_url_value / url.media
            assert path.stat().st_size == segment.stored.size_bytes


def test_sound_in_two_layouts_is_read_as_two_groups(
    made: tuple[Path, Tracks], tmp_path: Path
) -> None:
    out, (video, audio) = made
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    source = tmp_path / "source.mp4"
    loud = cmaf.audio(source, tmp_path, name="audio-1-surround", language="eng", surround=True)
    cmaf.present(tmp_path, video, [audio[0], loud, audio[1]])
    assert complaints(tmp_path / layout.MASTER) == []
    master = m3u8.load(str(tmp_path / layout.MASTER))
    assert [(each.group_id, each.name, each.channels, each.default) for each in master.media] == [
        ("audio-stereo", "Audio 1 (en)", "2", "YES"),
        ("audio-stereo", "Audio 2 (fr)", "2", "NO"),
        ("audio-surround", "Audio 1 (en)", "6", "YES"),
        ("audio-surround", "Audio 2 (fr)", "2", "NO"),
    ]
    assert [(each.uri, each.stream_info.audio) for each in master.playlists] == [
        (f"{rung}/{PLAYLIST}", group)
        for group in ("audio-stereo", "audio-surround")
        for rung in ("180p", "120p")
    ]
    rates = [each.stream_info.bandwidth for each in master.playlists]
    assert rates[2] - rates[0] == rates[3] - rates[1]
    _, *sounds = MPEGDASHParser.parse(str(tmp_path / layout.MANIFEST)).periods[0].adaptation_sets
    channels = [each.representations[0].audio_channel_configurations[0].value for each in sounds]
    assert channels == ["2", "6", "2"]
    assert [each.roles[0].value for each in sounds] == ["main", "main", "alternate"]
    for manifest in (layout.MASTER, layout.MANIFEST):
        assert len(packets(tmp_path / manifest, "0:a:1")) == loud[1].frames


def test_the_dash_bandwidth_suffices_from_every_segment_on(made: tuple[Path, Tracks]) -> None:
    out, (video, audio) = made
    mpd = MPEGDASHParser.parse(str(out / layout.MANIFEST))
    buffer_s = Fraction(mpd.min_buffer_time[2:-1])
    read = {
        each.id: each.bandwidth
        for adaptation_set in mpd.periods[0].adaptation_sets
        for each in adaptation_set.representations
    }
    for _, track in (*video, *audio):
        for first in range(len(track.segments)):
            needed_bits, due_s = 0, buffer_s
            for segment in track.segments[first:]:
                needed_bits += 8 * segment.stored.size_bytes
                assert needed_bits <= read[track.rendition] * due_s
                due_s += Fraction(segment.duration_ticks, track.timescale)


def test_shakas_packager_takes_the_segments_in(made: tuple[Path, Tracks], tmp_path: Path) -> None:
    out, (video, audio) = made
    for kind, track in (("video", video[0][1]), ("audio", audio[0][1])):
        whole = tmp_path / f"{kind}.mp4"
        with whole.open("wb") as stream:
            for name in (hls.name_of(track.init), *(uri for uri, _ in hls.segments_of(track))):
                stream.write((out / track.rendition / name).read_bytes())
        subprocess.run(
            [
                binaries.packager(),
                f"in={whole},stream={kind},init_segment={tmp_path}/{kind}-init.mp4,"
                f"segment_template={tmp_path}/{kind}-$Number$.m4s",
                "--segment_duration", "2", "--quiet",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        init = (tmp_path / f"{kind}-init.mp4").read_bytes()
        assert mp4.codecs(init) == track.codecs
        samples = sum(
            len(fragment.samples)
            for path in tmp_path.glob(f"{kind}-*.m4s")
            for fragment in mp4.fragments(init, path.read_bytes())
        )
        assert samples == track.frames


@pytest.mark.parametrize("kind", ["video alone", "sound alone", "two sounds"])
def test_sources_without_picture_or_sound_play(
    made: tuple[Path, Tracks], tmp_path: Path, kind: str
) -> None:
    out, (video, audio) = made
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    tracks: Tracks = {
        "video alone": (video, []),
        "sound alone": ([], audio[:1]),
        "two sounds": ([], audio),
    }[kind]
    cmaf.present(tmp_path, *tracks)
    assert complaints(tmp_path / layout.MASTER) == []
    stream = "0:v:0" if tracks[0] else "0:a:0"
    (expected, *_) = [track.frames for _, track in (*tracks[0], *tracks[1])]
    for manifest in (layout.MASTER, layout.MANIFEST):
        assert len(packets(tmp_path / manifest, stream)) == expected


def test_ffprobe_sees_the_edit_that_takes_the_priming_off(made: tuple[Path, Tracks]) -> None:
    out, (_, audio) = made
    _, track = audio[0]
    assert mp4.edits((out / "audio-1" / hls.name_of(track.init)).read_bytes()) == [(0, 1024)]
    argv = [str(binaries.ffprobe()), "-v", "error", "-of", "json", "-show_entries", "packet=pts"]
    done = subprocess.run([*argv, out / "audio-1" / PLAYLIST], check=True, capture_output=True)
    assert json.loads(done.stdout)["packets"][0]["pts"] == -1024
