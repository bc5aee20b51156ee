"""A small real set of CMAF tracks, made by ffmpeg and laid out as encoders leave them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from functions.adapters import binaries
from functions.jobs import layout
from functions.media.encoding.rendition import PLAYLIST, AudioRendition, VideoRendition
from functions.media.streams import dash, hls
from functions.media.streams.segment import Segment, Stored, Track
from tests import mp4

JOB = "0" * 32
RATE = Fraction(30000, 1001)
SEGMENT_FRAMES = 60
FRAMES = 250
"""Four segments and a short one."""
SOUND_S = Fraction(FRAMES) / RATE


def ffmpeg(*options: object) -> None:
    subprocess.run(
        [binaries.ffmpeg(), "-nostdin", "-v", "error", "-y", *map(str, options)],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def source(path: Path) -> Path:
    """A moving picture and a rising tone: 250 frames, no two moments alike."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=320x180:rate={RATE}",
        "-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*(80+20*t)*t):sample_rate=48000",
        "-frames:v", FRAMES, "-t", f"{float(SOUND_S):.6f}", "-c:v", "libx264", "-preset",
        "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def shown(ranges: Sequence[tuple[int, int]]) -> str:
    """A filter that shows these ranges of frames, one after the other, at the rate of the first."""
    parts = [
        f"[s{n}]trim=start_frame={start}:end_frame={stop},setpts=N[t{n}]"
        for n, (start, stop) in enumerate(ranges)
    ]
    pads = ["".join(f"[{kind}{n}]" for n in range(len(ranges))) for kind in "st"]
    return ";".join([f"split={len(ranges)}{pads[0]}", *parts, f"{pads[1]}concat=n={len(ranges)}"])


def video(
    source: Path,
    out: Path,
    *,
    name: str,
    width: int,
    height: int,
    ranges: Sequence[tuple[int, int]] = ((0, FRAMES),),
) -> tuple[VideoRendition, Track]:
    made = out / f"{name}.mp4"
    graph = (
        f"settb=1/1000,{shown(ranges)},settb=1001/30000,setpts=N,scale={width}:{height},setsar=1"
    )
    ffmpeg(
        "-i", source, "-map", "0:v:0", "-vf", graph, "-r", RATE, "-c:v", "libx264",
        "-preset", "veryfast", "-crf", "23", "-g", SEGMENT_FRAMES,
        "-keyint_min", SEGMENT_FRAMES, "-sc_threshold", "0", "-flags", "+cgop", "-bf", "2",
        "-video_track_timescale", RATE.numerator, "-use_editlist", "0", "-map_metadata", "-1",
        "-fflags", "+bitexact", "-write_btrt", "0", "-movflags",
        "+cmaf+frag_keyframe+delay_moov+frag_discont+skip_trailer", "-f", "mp4", made,
    )  # fmt: skip
    rendition = VideoRendition(
        name=name, width=width, height=height, preset="veryfast", crf=23,
        maxrate_bps=1_000_000, bufsize_bits=1_500_000,
    )  # fmt: skip
    return rendition, _cut(made, out, name)


def audio(
    source: Path,
    out: Path,
    *,
    name: str,
    language: str = "und",
    change: str = "anull",
    surround: bool = False,
) -> tuple[AudioRendition, Track]:
    """`name` has the number of the source's track: `audio-2`, `audio-2-surround`."""
    made = out / f"{name}.mp4"
    ffmpeg(
        "-i", source, "-map", "0:a:0", "-af", change,
        "-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", 6 if surround else 2,
        "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags",
        "+cmaf+delay_moov+skip_trailer", "-frag_duration", "2000000", "-f", "mp4", made,
    )  # fmt: skip
    rendition = AudioRendition(
        name=name, track=int(name.split("-")[1]), language=language,
        layout="5.1" if surround else "stereo", group="surround" if surround else "stereo",
        sample_rate=48000, bitrate_bps=96_000,
        samples=int(SOUND_S * 48000), origin=0, timebase_num=1, timebase_den=48000,
    )  # fmt: skip
    return rendition, _cut(made, out, name)


def present(
    out: Path,
    video: Sequence[tuple[VideoRendition, Track]],
    audio: Sequence[tuple[AudioRendition, Track]],
) -> None:
    """Write the playlists and the manifest of what lies in the folder."""
    everything = [track for _, track in (*video, *audio)]
    target_duration_s = hls.target_duration_s(
        duration_s for track in everything for _, duration_s in hls.segments_of(track)
    )
    for track in everything:
        text = hls.opening(target_duration_s=target_duration_s, init_uri=hls.name_of(track.init))
        for segment in hls.segments_of(track):
            text = hls.grown(text, [segment], ended=False)
        (out / track.rendition / PLAYLIST).write_text(hls.grown(text, [], ended=True))
    rate = RATE if video else None
    (out / layout.MASTER).write_text(
        hls.master(video, audio, rate=rate, target_duration_s=target_duration_s)
    )
    (out / layout.MANIFEST).write_text(
        dash.manifest(video, audio, rate=rate, duration_s=FRAMES / RATE if video else SOUND_S)
    )


def _cut(made: Path, out: Path, name: str) -> Track:
    """Cut the file into its init segment and one file a fragment, named by content."""
    data = made.read_bytes()
    made.unlink()
    (out / name).mkdir()
    starts = [box.start for box in mp4.find(data, "moof")]
    init, pieces = data[: starts[0]], _between(data, [*starts, len(data)])
    segments = []
    for number, piece in enumerate(pieces):
        (fragment,) = mp4.fragments(init, piece)
        segments.append(
            Segment(
                number=number,
                stored=_store(out, layout.media_segment(JOB, name, number, _sha(piece)), piece),
                start_ticks=fragment.start,
                duration_ticks=fragment.duration,
                frames=len(fragment.samples),
            )
        )
    return Track(
        rendition=name,
        codecs=mp4.codecs(init),
        timescale=mp4.timescale(init),
        init=_store(out, layout.init_segment(JOB, name, _sha(init)), init),
        segments=tuple(segments),
    )


def _between(data: bytes, edges: Sequence[int]) -> list[bytes]:
    return [data[start:stop] for start, stop in pairwise(edges)]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _store(out: Path, key: str, data: bytes) -> Stored:
    path = out / key.removeprefix(f"{layout.MEDIA}/{JOB}/")
    path.write_bytes(data)
    return Stored(key=key, size_bytes=len(data), sha256=_sha(data))
