"""The rules by number: where each is from, and what it asks for.

In brackets sections of draft-pantos-hls-rfc8216bis; A and the words behind it are a part of
Apple's "HLS Authoring Specification for Apple Devices"; `ours` is what a reader of these folders
may rely on besides. Of both documents everything that they demand (MUST) of what is written here:
VOD and EVENT playlists of fMP4 with H.264 and AAC, without encryption, subtitles, discontinuities
and I-frame playlists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

Finding = tuple[int, str]
Findings = Iterator[Finding]

RULES: Final[dict[int, tuple[str, str]]] = {
    # Every playlist.
    1: ("4.4.1.1", "the first line is EXTM3U"),
    2: ("4.1", "UTF-8 without byte order mark or control characters, every line ended"),
    3: ("4.4.1.2, 8", "one EXT-X-VERSION, as high as what is used needs"),
    4: ("4.1", "tags of media and of multivariant playlists are not mixed"),
    5: ("ours", "URIs are relative: a folder can be moved"),
    # Media playlists.
    10: ("4.4.3.1", "one EXT-X-TARGETDURATION, a whole number"),
    11: ("4.4.3.5", "one EXT-X-PLAYLIST-TYPE, EVENT or VOD"),
    12: ("4.4.3.4", "one EXT-X-ENDLIST, as soon as nothing follows"),
    13: ("4.4.4.1", "an EXTINF before each segment, and only there"),
    14: ("4.4.4.5", "one EXT-X-MAP, before the first segment"),
    15: ("4.4.3.1", "no segment, rounded, is longer than the target duration"),
    16: ("4.4.4.1", "every segment takes time, and there is one"),
    17: ("6.2.1", "everything that is named is there"),
    18: ("4.4.3.2", "at most one EXT-X-MEDIA-SEQUENCE, before the segments; nothing was removed"),
    19: ("3", "no segment is named twice"),
    20: ("6.2.1, 4.4.3.5", "an EVENT playlist only gains lines at its end"),
    # Segments.
    30: ("4.4.4.1", "EXTINF is what the media take, to a millisecond"),
    31: ("3", "a segment goes on where the one before it ended; the first starts at 0"),
    32: ("4.4.2.1; A, video", "a segment starts with a key frame"),
    33: ("3.1.2", "an init segment is ftyp and moov, with mvex and without samples"),
    34: ("3.1.2", "segments are moof and mdat, with tfdt and addresses relative to the fragment"),
    # The multivariant playlist.
    40: ("4.4.2.1; A, media segmentation", "EXT-X-INDEPENDENT-SEGMENTS is there"),
    41: ("4.4.6.2", "a URI behind each EXT-X-STREAM-INF"),
    42: ("ours", "no two variants are the same"),
    43: ("4.4.6.2", "every variant has BANDWIDTH"),
    44: ("A, multivariant playlist", "every variant has AVERAGE-BANDWIDTH, not above BANDWIDTH"),
    45: ("4.4.6.2; A, multivariant playlist", "every variant has CODECS"),
    46: ("A, multivariant playlist", "every variant with pictures has RESOLUTION"),
    47: ("A, multivariant playlist", "every variant with pictures has FRAME-RATE"),
    48: ("A, multivariant playlist", "every variant with pictures has VIDEO-RANGE"),
    # Groups of sounds.
    50: ("4.4.6.1", "EXT-X-MEDIA has TYPE, GROUP-ID and NAME"),
    51: ("4.4.6.1", "a sound has CHANNELS"),
    52: ("4.4.6.1", "what is the default may be selected automatically"),
    53: ("4.4.6.1.1", "the members of a group differ in NAME"),
    54: ("4.4.6.1.1; A, audio", "a group has one default"),
    55: ("4.4.6.1.1", "of a group's members of one language one is selected automatically"),
    56: ("4.4.6.2", "AUDIO names a group that is there"),
    57: ("ours", "a variant uses each group"),
    58: ("4.4.6.1.1", "all groups have the same members"),
    59: ("4.4.6.1", "LANGUAGE is a tag of BCP 47"),
    60: ("A, multivariant playlist", "every picture is there once for each group"),
    # What is measured.
    70: ("4.4.6.2; A, multivariant playlist", "BANDWIDTH is the peak, and less than 10 % above"),
    71: ("A, multivariant playlist", "AVERAGE-BANDWIDTH is within 10 % of the average"),
    72: ("4.4.6.2", "CODECS are those of the streams"),
    73: ("4.4.6.2", "RESOLUTION is that of the pictures, with square samples"),
    74: ("4.4.6.2", "FRAME-RATE is that of the pictures, to three decimals"),
    75: ("4.4.6.2", "VIDEO-RANGE is what the pictures' transfer characteristics say"),
    76: ("4.4.6.1", "CHANNELS is that of the sound"),
    77: ("A, video", "H.264 is at most High profile, level 5.2"),
    78: ("A, video", "pictures are progressive"),
    79: ("A, video", "there are at most 60 pictures a second"),
    80: ("A, video", "all pictures have the same colours"),
    81: ("6.2.4", "variants are cut at the same times"),
    82: ("6.2.4", "media playlists have the same target duration"),
    83: ("6.2.4", "sounds and pictures are equally long, up to a segment"),
}
