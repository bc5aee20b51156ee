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


Audio = Sequence[tuple[AudioRendition, Track]]


def target_duration_s(durations_s: Iterable[Fraction]) -> int:
    """The smallest TARGETDURATION for segments as long as these (section 4.4.3.1)."""
    return max(1, max(map(_nearest, durations_s), default=1))


def name_of(stored: Stored) -> str:
    """The object's URI in its rendition's folder."""
    return stored.key.rsplit("/", 1)[-1]


def segments_of(track: Track) -> list[tuple[str, Fraction]]:
    """URI and duration in seconds of each segment, as `grown` takes them."""
    # Most last equally long.
    ticks = {segment.duration_ticks for segment in track.segments}
    seconds = {each: Fraction(each, track.timescale) for each in ticks}
    return [
        (name_of(segment.stored), seconds[segment.duration_ticks]) for segment in track.segments
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
    tags: dict[Fraction, str] = {}
    for uri, duration_s in segments:
        tag = tags.get(duration_s)
        if tag is None:
            if duration_s <= 0 or _nearest(duration_s) > target:
                raise ValueError(
                    f"{uri} takes {duration_s} s where the target duration is {target} s"
                )
            tag = tags[duration_s] = f"#EXTINF:{_decimal(duration_s)},"
        lines += (tag, uri)
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

    Every video is a variant once for each group of sounds: those that everybody can play first.
    With `declared`, bit rates are what the renditions allow instead of what the segments have:
    for streams that are not complete. `rate`: frames a second, None without video; where frames
    have times of their own the segments may say more. Without video the first sound of a group is
    the variant, and several are a group to choose from.
    """
    if not video and not audio:
        raise ValueError("nothing to play")
    lines = [*_HEAD, "#EXT-X-INDEPENDENT-SEGMENTS", ""]
    grouped = bool(audio) and (bool(video) or len(audio) > 1)
    groups = groups_of(audio) if grouped else {"": [*audio]}
    for name, members in groups.items():
        if grouped:
            lines += [*_group(name, members, audio), ""]

    def rates(rendition: VideoRendition | AudioRendition, track: Track) -> tuple[int, int]:
        if declared:
            return bitrate.declared_bps(rendition, window_s=target_duration_s), 0
        return (
            bitrate.peak_bps(track, target_duration_s=target_duration_s),
            bitrate.average_bps(track),
        )

    for name, members in groups.items():
        sounds = [rates(rendition, track) for rendition, track in members]
        sound_peak = max((peak for peak, _ in sounds), default=0)
        sound_average = max((average for _, average in sounds), default=0)
        sound_codecs = [track.codecs for _, track in members]
        for rendition, track in video:
            peak, average = rates(rendition, track)
            lines += _variant(
                track,
                peak=peak + sound_peak,
                average=average + sound_average,
                codecs=[track.codecs, *sound_codecs],
                picture=(
                    f"RESOLUTION={rendition.width}x{rendition.height}",
                    *((f"FRAME-RATE={_thousandths(_fastest(rate, track))}",) if rate else ()),
                    "VIDEO-RANGE=SDR",
                ),
                group=name,
            )
        if not video:
            lines += _variant(
                members[0][1],
                peak=sound_peak,
                average=sound_average,
                codecs=sound_codecs,
                picture=(),
                group=name,
            )
    return _text(lines)


def groups_of(audio: Audio) -> dict[str, list[tuple[AudioRendition, Track]]]:
    """The sounds of each group, in the order given: one of each source track.

    A track that has none of a group is there with the one that it has, so that whoever chooses a
    language finds it in every group (section 4.4.6.1.1: groups have the same set of members).
    """
    groups: dict[str, list[tuple[AudioRendition, Track]]] = {}
    for wanted in dict.fromkeys(rendition.group for rendition, _ in audio):
        chosen: dict[int, tuple[AudioRendition, Track]] = {}
        for rendition, track in audio:
            if rendition.track not in chosen or rendition.group == wanted:
                chosen[rendition.track] = rendition, track
        groups[f"audio-{wanted}"] = list(chosen.values())
    return groups


def _variant(
    track: Track,
    *,
    peak: int,
    average: int,
    codecs: Sequence[str],
    picture: Sequence[str],
    group: str,
) -> list[str]:
    attributes = [f"BANDWIDTH={peak}"]
    if average:
        attributes.append(f"AVERAGE-BANDWIDTH={average}")
    attributes += [f'CODECS="{",".join(dict.fromkeys(codecs))}"', *picture]
    if group:
        attributes.append(f'AUDIO="{group}"')
    return [f"#EXT-X-STREAM-INF:{','.join(attributes)}", f"{track.rendition}/{PLAYLIST}"]


def _group(name: str, members: Audio, audio: Audio) -> Iterable[str]:
    """A group of alternative sounds (section 4.4.6.1): names differ, the first is the default. A
    source track has one name in all groups."""
    numbers = {track: n for n, track in enumerate(dict.fromkeys(a.track for a, _ in audio), 1)}
    languages: set[str] = set()
    for place, (rendition, _) in enumerate(members):
        language = tag_of(rendition.language)
        known = f" ({language})" if language != "und" else ""
        attributes = [
            "TYPE=AUDIO",
            f'GROUP-ID="{name}"',
            f'NAME="Audio {numbers[rendition.track]}{known}"',
            *((f'LANGUAGE="{language}"',) if known else ()),
            f"DEFAULT={'NO' if place else 'YES'}",
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


def _fastest(rate: Fraction, track: Track) -> Fraction:
    """The rate, or that of the segment with most pictures a second, where they have times of
    their own (section 4.4.6.2: the maximum)."""
    shapes = {(each.frames, each.duration_ticks) for each in track.segments}
    return max([rate, *(Fraction(n * track.timescale, ticks) for n, ticks in shapes)])


def _thousandths(rate: Fraction) -> str:
    scaled = round(rate * 1000)
    return f"{scaled // 1000}.{scaled % 1000:03}"


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
