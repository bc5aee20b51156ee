"""HLS playlists (RFC 8216 and draft-pantos-hls-rfc8216bis) of CMAF segments.

Media playlists are EVENT playlists: they grow by whole segments, nothing in them ever changes, and
ENDLIST ends them. Playlists lie beside the segments, in the rendition's folder; the multivariant
playlist lies above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from functions.media.encoding.rendition import PLAYLIST, AudioRendition, VideoRendition
from functions.media.streams import bitrate
from functions.media.streams.language import tag_of
from functions.media.streams.segment import Stored, Track

_HEAD: Final = ("#EXTM3U", "#EXT-X-VERSION:7")
_END: Final = "#EXT-X-ENDLIST"
_TARGET: Final = "#EXT-X-TARGETDURATION:"
_MAP: Final = "#EXT-X-MAP:URI="
_NAMED: Final = re.compile(rf'(?:^|URI=")([^"#\n]+/{re.escape(PLAYLIST)})', re.MULTILINE)
_DIGITS: Final = 9
"""Decimals of an EXTINF that has no finite decimal form."""


def target_duration_s(durations_s: Iterable[Fraction]) -> int:
    """The smallest TARGETDURATION for segments as long as these (section 4.4.3.1)."""
    return max(1, max(map(_nearest, durations_s), default=1))


def name_of(stored: Stored) -> str:
    """The object's URI in its rendition's folder."""
    return stored.key.rsplit("/", 1)[-1]


def segments_of(track: Track) -> list[tuple[str, Fraction]]:
    """URI and duration in seconds of each segment, as `grown` takes them."""
    return [
        (name_of(segment.stored), Fraction(segment.duration_ticks, track.timescale))
        for segment in track.segments
    ]


def opening(*, target_duration_s: int, init_uri: str) -> str:
    """A media playlist without segments. The target duration holds for all that will come."""
    lines = (
        *_HEAD,
        f"{_TARGET}{target_duration_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        f'{_MAP}"{init_uri}"',
    )
    return _text(lines)


def init_of(text: str) -> str:
    """The URI of its init segment, "" where it names none."""
    maps = (line for line in text.splitlines() if line.startswith(_MAP))
    return next(maps, "").removeprefix(_MAP).strip('"')


def playlists_of(text: str) -> set[str]:
    """The media playlists that a multivariant playlist names."""
    return set(_NAMED.findall(text))


def length(text: str) -> int:
    """How many segments the playlist has."""
    return sum(line.startswith("#EXTINF:") for line in text.splitlines())


def ended(text: str) -> bool:
    """True if no segment will follow."""
    return _END in text.splitlines()


def grown(text: str, segments: Sequence[tuple[str, Fraction]], *, ended: bool) -> str:
    """The playlist with these segments, URI and seconds each, behind those it has.

    Raises ValueError for a segment that the target duration does not allow, and for one behind
    the end.
    """
    lines = text.splitlines()
    if _END in lines:
        if segments:
            raise ValueError("a playlist that ended does not grow")
        return text
    target = next(int(line[len(_TARGET) :]) for line in lines if line.startswith(_TARGET))
    for uri, duration_s in segments:
        if duration_s <= 0 or _nearest(duration_s) > target:
            raise ValueError(f"{uri} takes {duration_s} s where the target duration is {target} s")
        lines += (f"#EXTINF:{_decimal(duration_s)},", uri)
    if ended:
        lines.append(_END)
    return _text(lines)


def master(
    video: Sequence[tuple[VideoRendition, Track]],
    audio: Sequence[tuple[AudioRendition, Track]],
    *,
    rate: Fraction | None,
    target_duration_s: int,
    declared: bool = False,
) -> str:
    """The multivariant playlist, in the order given: the first video is what players start with.

    With `declared`, bit rates are what the renditions allow instead of what the segments have:
    for streams that are not complete. `rate`: frames a second, None without video. Without video
    the first sound is the variant, and several are a group to choose from.
    """
    if not video and not audio:
        raise ValueError("nothing to play")
    lines = [*_HEAD, "#EXT-X-INDEPENDENT-SEGMENTS", ""]
    grouped = bool(audio) and (bool(video) or len(audio) > 1)
    if grouped:
        lines += [*_group([rendition for rendition, _ in audio]), ""]

    def rates(rendition: VideoRendition | AudioRendition, track: Track) -> tuple[int, int]:
        if declared:
            return bitrate.declared_bps(rendition, window_s=target_duration_s), 0
        return (
            bitrate.peak_bps(track, target_duration_s=target_duration_s),
            bitrate.average_bps(track),
        )

    sounds = [rates(rendition, track) for rendition, track in audio]
    sound_peak = max((peak for peak, _ in sounds), default=0)
    sound_average = max((average for _, average in sounds), default=0)
    sound_codecs = [track.codecs for _, track in audio]
    for rendition, track in video:
        peak, average = rates(rendition, track)
        lines += _variant(
            track,
            peak=peak + sound_peak,
            average=average + sound_average,
            codecs=[track.codecs, *sound_codecs],
            picture=(
                f"RESOLUTION={rendition.width}x{rendition.height}",
                *((f"FRAME-RATE={_thousandths(rate)}",) if rate else ()),
                "VIDEO-RANGE=SDR",
            ),
            grouped=grouped,
        )
    if not video:
        lines += _variant(
            audio[0][1],
            peak=sound_peak,
            average=sound_average,
            codecs=sound_codecs,
            picture=(),
            grouped=grouped,
        )
    return _text(lines)


def _variant(
    track: Track,
    *,
    peak: int,
    average: int,
    codecs: Sequence[str],
    picture: Sequence[str],
    grouped: bool,
) -> list[str]:
    attributes = [f"BANDWIDTH={peak}"]
    if average:
        attributes.append(f"AVERAGE-BANDWIDTH={average}")
    attributes += [f'CODECS="{",".join(dict.fromkeys(codecs))}"', *picture]
    if grouped:
        attributes.append('AUDIO="audio"')
    return [f"#EXT-X-STREAM-INF:{','.join(attributes)}", f"{track.rendition}/{PLAYLIST}"]


def _group(audio: Sequence[AudioRendition]) -> Iterable[str]:
    """The group of alternative sounds (section 4.4.6.1): names differ, the first is the default."""
    languages: set[str] = set()
    for number, rendition in enumerate(audio, start=1):
        language = tag_of(rendition.language)
        known = f" ({language})" if language != "und" else ""
        attributes = [
            "TYPE=AUDIO",
            'GROUP-ID="audio"',
            f'NAME="Audio {number}{known}"',
            *((f'LANGUAGE="{language}"',) if known else ()),
            f"DEFAULT={'YES' if number == 1 else 'NO'}",
            # A player may pick by itself only what it can tell apart.
            f"AUTOSELECT={'NO' if language in languages else 'YES'}",
            f'CHANNELS="{rendition.channels}"',
            f'URI="{rendition.name}/{PLAYLIST}"',
        ]
        languages.add(language)
        yield f"#EXT-X-MEDIA:{','.join(attributes)}"


def _nearest(duration_s: Fraction) -> int:
    return int(duration_s + Fraction(1, 2))


def _decimal(value: Fraction) -> str:
    """Exact where nine decimals suffice, else rounded to them."""
    scaled = round(value * 10**_DIGITS)
    whole, rest = divmod(scaled, 10**_DIGITS)
    decimals = f"{rest:0{_DIGITS}}".rstrip("0")
    return f"{whole}.{decimals or '0'}"


def _thousandths(rate: Fraction) -> str:
    scaled = round(rate * 1000)
    return f"{scaled // 1000}.{scaled % 1000:03}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
