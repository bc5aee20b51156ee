"""The static DASH manifest (ISO/IEC 23009-1) over the same files as the HLS playlists.

Segment names carry hashes, so no template can spell them: each Representation has a SegmentList
with one SegmentURL a segment, timed by its SegmentTimeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.streams import bitrate
from functions.media.streams.hls import name_of
from functions.media.streams.language import tag_of
from functions.media.streams.segment import Track

_NAMESPACE: Final = "urn:mpeg:dash:schema:mpd:2011"
_PROFILE: Final = "urn:mpeg:dash:profile:isoff-main:2011"
"""The profile that allows SegmentList."""
_ROLE: Final = "urn:mpeg:dash:role:2011"
_CHANNELS: Final = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
_CONFIGURATIONS: Final = {"mono": "1", "stereo": "2", "5.1": "6"}
"""ISO/IEC 23091-3, table 2."""


def manifest(
    video: Sequence[tuple[VideoRendition, Track]],
    audio: Sequence[tuple[AudioRendition, Track]],
    *,
    rate: Fraction | None,
    duration_s: Fraction,
) -> str:
    """The MPD. `rate`: frames a second, None without video. `duration_s`: of the presentation.

    There is no presentationTimeOffset: media time 0 is presentation time 0, for pictures by their
    `tfdt` and for sound by the edit list in its init segment, which takes the encoder's priming
    off. To say it here again would take it off twice.
    """
    if not video and not audio:
        raise ValueError("nothing to play")
    buffer_s = max(
        Fraction(segment.duration_ticks, track.timescale)
        for _, track in (*video, *audio)
        for segment in track.segments
    )
    # Rounded up first, so that the rates hold for the buffer that is declared.
    buffer_s = Fraction(ceil(buffer_s * 1000), 1000)
    root = Element(
        "MPD",
        {
            "xmlns": _NAMESPACE,
            "profiles": _PROFILE,
            "type": "static",
            "mediaPresentationDuration": _period(duration_s),
            "minBufferTime": _period(buffer_s),
        },
    )
    period = SubElement(root, "Period", {"id": "0", "start": "PT0S"})
    if video:
        pictures = _adaptation_set(period, "0", "video", {"startWithSAP": "1"})
        for picture, track in video:
            attributes = {
                "width": str(picture.width),
                "height": str(picture.height),
                "sar": "1:1",
                **({"frameRate": _ratio(rate)} if rate else {}),
            }
            node = _representation(pictures, track, attributes, buffer_s=buffer_s)
            _segment_list(node, track)
    for number, (sound, track) in enumerate(audio, start=1):
        attributes = {"lang": tag_of(sound.language), "startWithSAP": "1"}
        sounds = _adaptation_set(period, str(number), "audio", attributes)
        # The first track is what is heard, in whichever layout.
        role = "main" if sound.track == audio[0][0].track else "alternate"
        SubElement(sounds, "Role", {"schemeIdUri": _ROLE, "value": role})
        attributes = {"audioSamplingRate": str(sound.sample_rate)}
        node = _representation(sounds, track, attributes, buffer_s=buffer_s)
        SubElement(
            node,
            "AudioChannelConfiguration",
            {"schemeIdUri": _CHANNELS, "value": _CONFIGURATIONS[sound.layout]},
        )
        _segment_list(node, track)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False).join(
        ('<?xml version="1.0" encoding="UTF-8"?>\n', "\n")
    )


def _adaptation_set(period: Element, number: str, kind: str, attributes: dict[str, str]) -> Element:
    return SubElement(
        period,
        "AdaptationSet",
        {
            "id": number,
            "contentType": kind,
            "mimeType": f"{kind}/mp4",
            "segmentAlignment": "true",
            **attributes,
        },
    )


def _representation(
    parent: Element, track: Track, attributes: dict[str, str], *, buffer_s: Fraction
) -> Element:
    return SubElement(
        parent,
        "Representation",
        {
            "id": track.rendition,
            "codecs": track.codecs,
            "bandwidth": str(bitrate.steady_bps(track, buffer_s=buffer_s)),
            **attributes,
        },
    )


def _segment_list(representation: Element, track: Track) -> None:
    SubElement(representation, "BaseURL").text = f"{track.rendition}/"
    segments = SubElement(representation, "SegmentList", {"timescale": str(track.timescale)})
    SubElement(segments, "Initialization", {"sourceURL": name_of(track.init)})
    timeline = SubElement(segments, "SegmentTimeline")
    for number, segment in enumerate(track.segments):
        # Never @r: dash.js (up to 5.2 at least) takes one SegmentURL for all repeats of an S.
        start = {"t": str(segment.start_ticks)} if number == 0 else {}
        SubElement(timeline, "S", start | {"d": str(segment.duration_ticks)})
    for segment in track.segments:
        SubElement(segments, "SegmentURL", {"media": name_of(segment.stored)})


def _ratio(rate: Fraction) -> str:
    """`25` or `30000/1001`."""
    return str(rate)


def _period(seconds: Fraction) -> str:
    """xs:duration in seconds, rounded up to a microsecond."""
    whole, rest = divmod(ceil(seconds * 10**6), 10**6)
    decimals = f"{rest:06}".rstrip("0")
    return f"PT{whole}{'.' if decimals else ''}{decimals}S"
