"""Flash and beep: films in which a white picture and a beep come at the same instants, and what
finds both again in the streams that were made of them.

A beep is silence, then a tone that begins at full strength with the first sample of the flash.
ffmpeg alone decodes and measures: brightness by `signalstats`, the tone by `silencedetect`, which
tells to the sample where it begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from tests.clips import ffmpeg

FIRST_S: Final = Fraction(2, 5)
"""When the first flash comes; then every `every_s`."""
TONE_S: Final = Fraction(1, 10)
_VIDEO: Final = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "0")
_AAC: Final = ("-c:a", "aac")


@dataclass(frozen=True, kw_only=True)
class Film:
    """A film to be made. Its name's ending is its container."""

    name: str = "film.mp4"
    seconds: int = 4
    rate: int = 25
    every_s: int = 1
    shift_s: Fraction = Fraction(0)
    """How much later than its flash each beep is."""
    sound_start_s: Fraction = Fraction(0)
    """When the track of sound begins, before or after the first picture."""
    sound_stop_s: Fraction | None = None
    """None: with the pictures."""
    clock: Fraction = Fraction(1)
    """Samples that the sound has for each that its timestamps leave room for."""
    sample_rate: int = 48000
    layout: str = "stereo"
    pictures: tuple[str, ...] = ()
    """Filters behind the flashes, and options of the encoder as a whole: see `video`."""
    video: tuple[str, ...] = _VIDEO
    audio: tuple[str, ...] = _AAC
    muxer: tuple[str, ...] = ()

    @property
    def places_s(self) -> list[Fraction]:
        """When a flash has its beep: where the track of sound is."""
        stop_s = self.seconds if self.sound_stop_s is None else self.sound_stop_s
        every = range((self.seconds - 1) // self.every_s + 1)
        instants = [FIRST_S + number * self.every_s for number in every]
        return [at for at in instants if self.sound_start_s <= at + self.shift_s < stop_s]

    def make(self, folder: Path) -> Path:
        path = folder / self.name
        first, every = f"{float(FIRST_S)}", self.every_s
        # Half a frame before: what is rounded is rounded away from the edge.
        lit = f"gte(mod(t-{first}+0.5/{self.rate},{every}),0)*lt(mod(t-{first}+0.5/{self.rate}"
        lit += f"+{every},{every}),1/{self.rate})"
        film = (
            f"color=black:s=128x72:r={self.rate}:d={self.seconds},"
            f"drawbox=c=white:t=fill:enable='{lit}'"
        )
        start = float(self.sound_start_s)
        stop = float(self.sound_stop_s if self.sound_stop_s is not None else self.seconds)
        since = f"(t/{float(self.clock):.9f}+{start:.9f}-{first}-{float(self.shift_s):.9f}+{every})"
        tone = f"0.7*sin(2*PI*1000*t)*lt(mod({since},{every}),{float(TONE_S)})"
        tone += f"*gte({since},{every})" if start >= 0 else ""
        sound = f"aevalsrc=exprs='{tone}':s={self.sample_rate}:d={(stop - start) * self.clock:.6f}"
        if self.layout != "mono":
            sound += f",aformat=channel_layouts=mono,aresample=ochl={self.layout}:rematrix_maxval=1"
        if self.clock != 1:
            sound += f",asetpts=PTS/{float(self.clock):.9f}"
        ffmpeg(
            *("-f", "lavfi", "-i", film),
            *("-itsoffset", f"{start}", "-f", "lavfi", "-i", sound),
            *("-map", "0:v", "-map", "1:a"),
            *(("-vf", ",".join(self.pictures)) if self.pictures else ()),
            *(*self.video, *self.audio, *self.muxer, f"file:{path}"),
        )
        return path


def flashes(file: Path, track: str = "0:v:0") -> list[Fraction]:
    """When each flash begins, in seconds."""
    said = ffmpeg(
        *("-copyts", "-i", str(file), "-map", track, "-fps_mode", "passthrough", "-vf"),
        "signalstats,metadata=print:key=lavfi.signalstats.YAVG:value=128:function=greater:file=-",
        *("-f", "null", "-"),
    ).decode()
    found = [
        (int(frame), Fraction(time_s))
        for frame, time_s in re.findall(r"^frame:(\d+) .*pts_time:(-?[\d.]+)", said, re.MULTILINE)
    ]
    lit = {frame for frame, _ in found}
    return [time_s for frame, time_s in found if frame - 1 not in lit]


def beeps(file: Path, track: str = "0:a:0") -> list[Fraction]:
    """When each tone begins, in seconds."""
    said = ffmpeg(
        *("-copyts", "-i", str(file), "-map", track, "-af"),
        "silencedetect=n=0.06:d=0.25,ametadata=print:key=lavfi.silence_end:file=-",
        *("-f", "null", "-"),
    ).decode()
    return [Fraction(time_s) for time_s in re.findall(r"silence_end=(-?[\d.]+)", said)]


def apart(pictures: Path, sound: Path, *, beeps_due: int) -> list[Fraction]:
    """By how much each beep comes later than the flash next to it, in seconds.

    Raises ValueError where there are not as many beeps as are due, or not a flash for each.
    """
    seen, heard = flashes(pictures), beeps(sound)
    nearest = [min(seen, key=lambda flash: abs(beep - flash)) for beep in heard] if seen else []
    if len(heard) != beeps_due or len({*nearest}) != beeps_due:
        raise ValueError(f"{beeps_due} beeps are due: {len(seen)} flashes, {len(heard)} beeps")
    return [beep - flash for flash, beep in zip(nearest, heard, strict=True)]


def worst(media: Path, film: Film, *, sound: str = "audio-1") -> Fraction:
    """The largest distance in the streams of a job, on any of its rungs, with its sign."""
    found = [
        each
        for rung in sorted(media.glob("*p/playlist.m3u8"))
        for each in apart(rung, media / sound / "playlist.m3u8", beeps_due=len(film.places_s))
    ]
    return max(found, key=abs)
