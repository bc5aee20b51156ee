"""Renditions: one rung of the ladder, or one audio track, with everything an encode needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from functions.media.encoding.accelerator import CPU, Accelerator

PLAYLIST: Final = "playlist.m3u8"
"""Name of every media playlist, in its rendition's folder beside the segments."""

Layout = Literal["mono", "stereo", "5.1"]
"""Where loudspeakers stand, in ffmpeg's words."""
Group = Literal["stereo", "surround"]
"""What players choose between: sound that everybody can play, and the same in 5.1."""
CHANNELS: Final[dict[Layout, int]] = {"mono": 1, "stereo": 2, "5.1": 6}


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRendition:
    """One rung. Width and height are even and never above the source's displayed size."""

    name: str
    """Folder of its segments and word in every report: `720p`."""
    width: int
    height: int
    preset: str
    crf: float
    maxrate_bps: int
    bufsize_bits: int
    codec: str = "h264"
    accelerator: Accelerator = CPU
    """What encodes it, all of it: parameter sets differ, and a rendition has one init segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRendition:
    """One audio track of the output, in one layout."""

    name: str
    """Folder of its segments: `audio-1` (numbered from 1 in source order), `audio-1-surround`."""
    track: int
    """Index of the source stream as ffprobe counts all streams."""
    language: str
    """BCP 47 / ISO 639-2 as the source says, `und` where it says nothing."""
    layout: Layout
    group: Group
    sample_rate: int
    bitrate_bps: int
    samples: int
    """Planned samples of output, priming not counted."""
    mixed: bool = False
    """True where channels of the source are mixed into fewer: what gets too loud is limited."""
    changing: bool = False
    """Whether every frame of the source says its layout: it may have more channels later."""
    late: int = 0
    """Samples of silence before the source's sound starts, where those are more than a few."""
    origin: int
    """Output time zero in ticks of the track's own timebase (sound before it is cut,
    a late start is filled with silence)."""
    timebase_num: int
    timebase_den: int
    segment_s: int = 4
    """No segment is longer: the pictures' length, since all playlists of a presentation share one
    target duration (RFC 8216, section 6.2.4)."""
    codec: str = "aac"

    @property
    def channels(self) -> int:
        return CHANNELS[self.layout]


Rendition = VideoRendition | AudioRendition
