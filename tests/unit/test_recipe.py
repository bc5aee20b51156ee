"""What ffmpeg is told, word by word."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from functions.media.cutting.timeline import Timeline
from functions.media.encoding import aac, pictures, remux, sounds
from functions.media.encoding import argv as words
from functions.media.encoding.pictures import Cut
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.encoding.treatment import Colors, Crop, Treatment
from functions.media.source.guard import input_options

NTSC = Timeline(
    timebase=Fraction(1, 30000),
    origin=1001,
    rate=Fraction(30000, 1001),
    frames=500,
    constant=True,
    timescale=90000,
    segment_frames=120,
)
LARGE = VideoRendition(
    name="720p",
    width=1280,
    height=720,
    preset="medium",
    crf=23,
    maxrate_bps=3_000_000,
    bufsize_bits=4_500_000,
)
SMALL = replace(LARGE, name="360p", width=640, height=360, crf=24.5, maxrate_bps=800_000)
SOUND = AudioRendition(
    name="audio-1",
    track=2,
    language="und",
    layout="stereo",
    group="stereo",
    sample_rate=48000,
    bitrate_bps=128_000,
    samples=96_000,
    origin=137_250,
    timebase_num=1,
    timebase_den=90_000,
)
START = [
    *("ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-y"),
    *("-nostats", "-progress", "pipe:1", "-stats_period", "0.5", "-max_error_rate", "0.5"),
]


def encoder(rendition: VideoRendition) -> list[str]:
    return [
        *("-c:v", "libx264", "-preset", "medium", "-crf", f"{rendition.crf:g}"),
        *("-maxrate", str(rendition.maxrate_bps), "-bufsize", "4500000", "-threads", "1"),
        *("-g", "120", "-keyint_min", "120", "-sc_threshold", "0", "-flags:v", "+cgop+bitexact"),
        *("-x264-params", "stitchable=1:fps=30000/1001"),
        *("-fps_mode", "passthrough", "-enc_time_base", "1001:30000"),
        *("-bsf:v", "setts=pts=PTS:dts=DTS:duration=1"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-write_btrt", "0", "-avoid_negative_ts", "disabled"),
        *("-muxdelay", "0", "-muxpreload", "0"),
        *("-video_track_timescale", "90000", "-use_editlist", "0", "-fragment_index", "3"),
        *("-movflags", "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer", "-f", "mp4"),
    ]


def video(
    timeline: Timeline, cut: Cut, *renditions: VideoRendition, seek_us: int | None = None
) -> list[str]:
    return list(
        pictures.argv(
            "ffmpeg",
            source=words.Source(format="mov", seek_us=seek_us),
            track=0,
            timeline=timeline,
            cut=cut,
            renditions=renditions,
            tuning=words.Tuning(),
        )
    )


def graph_of(argv: list[str]) -> str:
    return argv[argv.index("-filter_complex") + 1]


def test_a_chunk_is_one_decode_and_one_file_a_rendition() -> None:
    cut = Cut(start=240, trim_start=241_000, trim_stop=481_000)
    scaled = "flags=bicubic:h={}:out_color_matrix=bt709:out_range=tv:w={}"
    colors = "color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    named = f"chroma_location=left:{colors}:field_mode=prog:range=tv"
    assert video(NTSC, cut, LARGE, SMALL, seek_us=7_500_000) == [
        *START,
        *("-copyts", "-seek_timestamp", "1", "-noaccurate_seek", "-ss", "7500000us"),
        *input_options("mov"),
        *("-probesize", "32", "-analyzeduration", "0"),
        *("-noautorotate", "-apply_cropping", "codec", "-reinit_filter", "0"),
        *("-threads", "1", "-i", "file:source", "-filter_complex_threads", "1"),
        "-filter_complex",
        "[0:0]trim=end_pts=481000:start_pts=241000[s0];[s0]settb=expr=1001/30000[s1];"
        "[s1]setpts=expr=N+240[s2];[s2]sidedata=mode=delete[s3];"
        f"[s3]setparams={colors}:range=tv[s4];[s4]split=2[s5][s6];"
        f"[s5]scale={scaled.format(720, 1280)}[s7];[s7]setsar=sar=1[s8];"
        f"[s8]format=pix_fmts=yuv420p[s9];[s9]setparams={named}[s10];"
        f"[s6]scale={scaled.format(360, 640)}[s11];[s11]setsar=sar=1[s12];"
        f"[s12]format=pix_fmts=yuv420p[s13];[s13]setparams={named}[s14]",
        *("-map", "[s10]", *encoder(LARGE), "file:0.mp4"),
        *("-map", "[s14]", *encoder(SMALL), "file:1.mp4"),
    ]


def test_the_first_chunk_is_read_from_the_start() -> None:
    argv = video(NTSC, Cut(start=0, trim_start=0, trim_stop=99), LARGE)
    assert "-ss" not in argv
    assert argv[argv.index("-fragment_index") + 1] == "1"


def test_a_single_rendition_is_not_split() -> None:
    assert "split" not in graph_of(video(NTSC, Cut(start=0, trim_start=0, trim_stop=9), LARGE))


def test_a_resampled_source_goes_through_the_grid_before_the_cut() -> None:
    resampled = replace(NTSC, constant=False)
    graph = graph_of(video(resampled, Cut(start=120, trim_start=120, trim_stop=240), LARGE))
    assert graph.startswith(
        "[0:0]setpts=expr=PTS-(1001)[s0];[s0]tpad=stop=100:stop_mode=clone[s1];"
        "[s1]fps=eof_action=pass:fps=30000/1001:round=near[s2];"
        "[s2]trim=end_pts=240:start_pts=120[s3];"
    )


VARIABLE = replace(
    NTSC,
    constant=False,
    variable=True,
    timescale=90000,
    marks=((0, 0), (60, 363_000), (110, 720_000), (150, 1_000_000)),
    frames=150,
)


def test_a_variable_chunk_is_cut_by_ticks_and_starts_segments_where_the_plan_does() -> None:
    cut = Cut(start=60, trim_start=363_000, trim_stop=1_000_000)
    argv = video(VARIABLE, cut, LARGE)
    assert graph_of(argv).startswith(
        "[0:0]settb=expr=1/90000[s0];[s0]setpts=expr=PTS-(3003)[s1];"
        "[s1]trim=end_pts=1000000:start_pts=363000[s2];[s2]setpts=expr=PTS[s3];"
    )
    assert argv[argv.index("-enc_time_base") + 1] == "1:90000"
    assert argv[argv.index("-force_key_frames") + 1] == "expr:eq(n,0)+eq(n,50)"
    # The last of its 90 frames lasts until the chunk ends.
    assert argv[argv.index("-bsf:v") + 1] == (
        "setts=pts=PTS:dts=PTS:duration='if(eq(N,89),1000000,NEXT_PTS)-PTS'"
    )
    assert argv[argv.index("-bf") + 1] == "0"
    assert int(argv[argv.index("-g") + 1]) > 60


def test_what_stands_still_is_sampled_at_the_seconds_that_the_plan_names() -> None:
    cut = Cut(start=60, trim_start=363_000, trim_stop=720_000, repeats=((5, 5), (7, 8)))
    graph = graph_of(video(VARIABLE, cut, LARGE))
    assert "fps=eof_action=pass:fps=1/1:round=down" in graph
    assert "trim=end_pts=9" in graph
    assert "between(pts,5,5)+between(pts,7,8)" in graph.replace("\\", "")
    assert "interleave=nb_inputs=2" in graph


def test_pictures_without_times_are_counted_before_anything_else() -> None:
    raw = replace(NTSC, timebase=Fraction(1, 25), origin=0, counted=True)
    graph = graph_of(video(raw, Cut(start=50, trim_start=50, trim_stop=100), LARGE))
    assert graph.startswith("[0:0]settb=expr=1/25[s0];[s0]setpts=expr=N[s1];")


def test_only_a_tail_repeats_the_last_frame() -> None:
    resampled = replace(NTSC, constant=False)
    graph = graph_of(video(resampled, Cut(start=0, trim_start=0, trim_stop=500, tail=3), LARGE))
    assert "[s2]tpad=stop=3:stop_mode=clone[s3];[s3]trim=" in graph


def treated(timeline: Timeline = NTSC, **words: object) -> list[str]:
    """The filters of the first rendition, one by one."""
    drawn = pictures.filters(
        0,
        timeline,
        Cut(start=0, trim_start=0, trim_stop=9),
        [LARGE],
        Treatment(width=1440, height=1080, **words),  # type: ignore[arg-type]
    )
    return [re.sub(r"\[.*?\]", "", part) for part in drawn.text.split(";")]


def test_colours_are_named_before_scaling_and_after() -> None:
    sd = Colors(range="pc", matrix="bt470bg", primaries="bt470bg", transfer="smpte170m")
    found = treated(source=sd, output=replace(sd, range="tv"))
    named = "color_primaries=bt470bg:color_trc=smpte170m:colorspace=bt470bg"
    assert f"setparams={named}:range=pc" in found
    assert found[-1] == f"setparams=chroma_location=left:{named}:field_mode=prog:range=tv"
    assert any("out_color_matrix=bt470bg:out_range=tv" in each for each in found)


def test_fields_become_frames_before_anything_is_cut_cropped_or_turned() -> None:
    found = treated(deinterlace="bff", crop=Crop(left=8, top=2, width=1424, height=1076), turn=90)
    assert found[:4] == [
        "scale=flags=bicubic:h=1080:w=1440",
        "bwdif=deint=all:mode=send_frame:parity=bff",
        "settb=expr=1/30000",
        "trim=end_pts=9:start_pts=0",
    ]
    assert found[8:10] == ["crop=h=1076:w=1424:x=8:y=2", "transpose=dir=cclock"]


def test_a_resampled_film_is_deinterlaced_at_its_own_rate() -> None:
    found = treated(replace(NTSC, constant=False), deinterlace="tff")
    names = [each.partition("=")[0] for each in found]
    assert names[:6] == ["scale", "bwdif", "settb", "setpts", "tpad", "fps"]


@pytest.mark.parametrize(
    ("turn", "mirror", "words"),
    [
        (0, False, []),
        (0, True, ["hflip"]),
        (90, False, ["transpose=dir=cclock"]),
        (90, True, ["transpose=dir=cclock_flip"]),
        (180, False, ["hflip", "vflip"]),
        (180, True, ["vflip"]),
        (270, False, ["transpose=dir=clock"]),
        (270, True, ["transpose=dir=clock_flip"]),
    ],
)
def test_a_picture_is_turned_by_one_filter_or_two(
    turn: int, mirror: bool, words: list[str]
) -> None:
    found = treated(turn=turn, mirror=mirror)
    assert [each for each in found if each.startswith(("transpose", "hflip", "vflip"))] == words


def test_light_is_reckoned_with_at_the_largest_size_and_once() -> None:
    hlg = Colors(matrix="bt2020nc", primaries="bt2020", transfer="arib-std-b67")
    found = treated(source=hlg, tone="hlg", peak_nits=1015, largest_width=1280, largest_height=720)
    at = found.index("tonemap=desat=0:param=0.3:peak=5.0000:tonemap=mobius")
    assert found[at - 4 : at] == [
        "scale=flags=bicubic:h=720:w=1280",
        "zscale=npl=203:t=linear",
        "format=pix_fmts=gbrpf32le",
        "zscale=p=bt709",
    ]
    assert found[at + 1 : at + 3] == [
        "zscale=m=bt709:p=bt709:r=tv:t=bt709",
        "format=pix_fmts=yuv420p",
    ]


def test_other_primaries_go_by_way_of_light_and_another_matrix_alone_does_not() -> None:
    wide = Colors(matrix="bt709", primaries="smpte432", transfer="bt709")
    assert any(each.startswith("zscale") for each in treated(source=wide))
    rgb = Colors(range="pc", matrix="gbr")
    assert not any(each.startswith("zscale") for each in treated(source=rgb))


def test_a_sound_track_is_mixed_then_cut_and_padded_to_the_sample() -> None:
    argv = sounds.argv(
        "ffmpeg",
        source=words.Source(format="mpegts"),
        renditions=[SOUND],
        tuning=words.Tuning(decoder_threads=2),
    )
    assert list(argv) == [
        *START[:-1],
        "0.9",
        *("-copyts", *input_options("mpegts"), "-threads", "2", "-i", "file:source"),
        *("-filter_threads", "1", "-filter_complex_threads", "1", "-map", "0:2"),
        *("-filter:a", "aresample=osr=48000:ochl=stereo:osf=flt", "-c:a", "pcm_f32le"),
        *("-enc_time_base", "1/48000", "-f", "null", "-", "-dec", "0:0", "-filter_complex"),
        "[dec:0]asetpts=expr=PTS-(73200)[s0];"
        "[s0]aresample=async=960:first_pts=0:min_comp=0.002:min_hard_comp=0.015:"
        "ochl=stereo:osf=fltp:osr=48000[s1];"
        "[s1]apad=whole_len=96000[s2];[s2]atrim=end_sample=96000[s3]",
        *("-map", "[s3]", "-c:a", "aac", "-b:a", "128000", "-flags:a", "+bitexact"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-write_btrt", "0", "-avoid_negative_ts", "disabled"),
        *("-muxdelay", "0", "-muxpreload", "0", "-frag_duration", "3978666"),
        *("-movflags", "+cmaf+delay_moov+skip_trailer", "-f", "mp4", "file:0.mp4"),
    ]


def test_late_sound_follows_silence_and_what_was_mixed_is_limited() -> None:
    argv = sounds.argv(
        "ffmpeg",
        source=words.Source(format="mov"),
        renditions=[
            replace(SOUND, layout="mono", mixed=True, late=48_000, origin=0),
            replace(SOUND, layout="5.1", group="surround", changing=True),
        ],
        tuning=words.Tuning(),
    )
    text = argv[argv.index("-filter_complex") + 1]
    assert "anullsrc=channel_layout=mono:sample_rate=48000" in text
    assert "asetpts=expr=PTS-(48000)" in text
    assert text.count("alimiter=latency=1:level=0:limit=0.95") == 1
    assert text.count("alimiter=latency=1:level=0:limit=1[") == 1
    assert "concat=a=1:n=2:v=0" in text
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "-dec"] == ["0:0", "1:0"]
    assert "aresample=osr=48000:ochl=mono:osf=flt:rematrix_volume=0.70710678" in argv
    assert argv[-1] == "file:1.mp4"


def test_a_mezzanine_copies_pictures_and_sound_only() -> None:
    argv = remux.argv("ffmpeg", source=words.Source(format="avi"), muxer="mov", unpack=True)
    assert list(argv) == [
        *START,
        *("-fflags", "+genpts", *input_options("avi"), "-i", "file:source"),
        *("-map", "0:V?", "-map", "0:a?", "-c", "copy"),
        *("-bsf:v", remux.UNPACKED),
        *("-map_metadata:g", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"),
        *("-max_muxing_queue_size", "9999", "-f", "mov", "file:0.mp4"),
    ]


@pytest.mark.parametrize(("sample_rate", "frames"), [(48000, 187), (44100, 172), (8000, 31)])
def test_sound_segments_are_whole_frames_and_at_most_four_seconds(
    sample_rate: int, frames: int
) -> None:
    rendition = replace(SOUND, sample_rate=sample_rate)
    assert aac.segment_frames(rendition) == frames
    assert frames * aac.FRAME_SAMPLES <= 4 * sample_rate < (frames + 1) * aac.FRAME_SAMPLES


@pytest.mark.parametrize(("samples", "frames"), [(1, 2), (1024, 2), (1025, 3), (96_000, 95)])
def test_sound_is_priming_and_the_samples_in_whole_frames(samples: int, frames: int) -> None:
    assert aac.frames(replace(SOUND, samples=samples)) == frames


def test_a_demuxer_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="hls"):
        remux.argv("ffmpeg", source=words.Source(format="hls"), muxer="mov", unpack=False)
