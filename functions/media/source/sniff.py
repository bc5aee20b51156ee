"""What a file is, by its first bytes; its name says nothing.

ffmpeg guesses generously: text named `.mp4` becomes a playlist, noise with an MP3 inside becomes
speech. So the container is decided here and then forced with `-f`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

SNIFF_BYTES: Final = 4096
"""How much of the file's start `sniff` wants to see."""


@dataclass(frozen=True, slots=True)
class Container:
    """A supported container."""

    format: str
    """Name of ffmpeg's demuxer, for `-f`."""
    name: str
    """What people call it."""
    indexed: bool
    """True where the header tells where every packet lies, so that chunks are byte ranges."""


class NotMedia(ValueError):
    """Not a supported container; `found` says what it is instead, as far as can be told."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


class Playlist(NotMedia):
    """A file that tells a player to open other files."""


MP4: Final = Container("mov", "MP4", True)
MOV: Final = Container("mov", "QuickTime", True)
MATROSKA: Final = Container("matroska", "Matroska or WebM", False)
AVI: Final = Container("avi", "AVI", False)
MPEGTS: Final = Container("mpegts", "MPEG transport stream", False)
MPEGPS: Final = Container("mpeg", "MPEG program stream", False)
FLV: Final = Container("flv", "Flash Video", False)
OGG: Final = Container("ogg", "Ogg", False)
MXF: Final = Container("mxf", "MXF", False)
H264: Final = Container("h264", "raw H.264", False)
HEVC: Final = Container("hevc", "raw HEVC", False)
MPEGVIDEO: Final = Container("mpegvideo", "raw MPEG-1 or MPEG-2 video", False)

CONTAINERS: Final = (
    *(MP4, MOV, MATROSKA, AVI, MPEGTS, MPEGPS, FLV, OGG, MXF),
    *(H264, HEVC, MPEGVIDEO),
)
RAW: Final = (H264, HEVC, MPEGVIDEO)
"""Pictures without a container: none of them has a time."""
SUPPORTED: Final = ", ".join(dict.fromkeys(container.name for container in CONTAINERS))

_OLD_MOV_BOXES: Final = frozenset((b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"))
_IMAGE_BRANDS: Final = frozenset((b"avif", b"avis", b"heic", b"heix", b"heim", b"mif1", b"msf1"))
_MAGIC: Final = (
    (b"\x1a\x45\xdf\xa3", MATROSKA),
    (b"FLV\x01", FLV),
    (b"OggS", OGG),
    (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02", MXF),
    (b"\x00\x00\x01\xba", MPEGPS),
)
_OTHERS: Final = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"8BPS", "a Photoshop picture"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ID3", "an MP3 file"),
    (b"fLaC", "a FLAC file"),
    (b"wOF", "a font"),
)
_TEXT_WORDS: Final = (
    # The first of these that the text starts with tells; playlists before plain text.
    (re.compile(rb"#EXTM3U|#EXTINF|#EXT-X-", re.I), True, "an HLS playlist"),
    (re.compile(rb"ffconcat version", re.I), True, "a list of files for ffmpeg"),
    (re.compile(rb"file\s+['\"]?\S", re.I), True, "a list of files for ffmpeg"),
    (re.compile(rb"\[playlist\]|\[reference\]", re.I), True, "a playlist"),
    (re.compile(rb"v=0\s*\r?\n"), True, "an SDP session description"),
    (re.compile(rb"rtsptext|smtext|<asx", re.I), True, "a playlist"),
    (re.compile(rb"<!doctype html|<html", re.I), False, "an HTML page"),
    (
        re.compile(rb"(?:https?|ftp|file|rtsp|rtmp|smb|concat|data|crypto|subfile):", re.I),
        True,
        "an address",
    ),
)
_XML_PLAYLIST: Final = re.compile(
    rb"<(?:\w+:)?(?:MPD|smil|playlist|SmoothStreamingMedia|AssetMap|PackingList"
    rb"|CompositionPlaylist|asx)[\s/>]", re.I
)  # fmt: skip
_TS_PACKETS: Final = (188, 192, 204)
_TS_MARKS: Final = 8
"""Sync bytes in a row that no accident puts anywhere but at the start of packets."""
_PS_PACK: Final = re.compile(
    # A pack header of MPEG-2 or MPEG-1 (ISO/IEC 13818-1, 2.5.3.3; 11172-1, 2.4.3.2), then a unit.
    rb"\x00\x00\x01\xba(?:[\x44-\x7f].{8}(?:\xf8|\xf9.|\xfa.{2}|\xfb.{3}|\xfc.{4}|\xfd.{5}"
    rb"|\xfe.{6}|\xff.{7})|[\x21-\x2f].{7})\x00\x00\x01[\xb9-\xff]", re.S
)  # fmt: skip
_ID3_BYTES: Final = 10


def sniff(head: bytes) -> Container:
    """The container of a file that starts with `head` (SNIFF_BYTES of it, or all of it).

    Raises Playlist for what would make a player open something else, NotMedia for the rest.
    """
    if not head:
        raise NotMedia("an empty file")
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if boxed := _boxes(head):
        return boxed
    if _starts_transport_stream(_behind_tag(head)):
        return MPEGTS
    for magic, found in _OTHERS:
        if head.startswith(magic):
            raise NotMedia(found)
    if head[:4] in (b"RIFF", b"RF64"):
        if head[8:12] == b"AVI ":
            return AVI
        raise NotMedia({b"WAVE": "a WAV file", b"WEBP": "a WebP picture"}.get(head[8:12], "RIFF"))
    if _starts_transport_stream(head):
        return MPEGTS
    # Zeros in front of a start code belong to it, however many (H.264, B.1.1).
    if head.startswith(b"\0\0") and (raw := _start_code(b"\0\0" + head.lstrip(b"\0"))):
        return raw
    _refuse_text(head)
    # Recordings that begin in the middle of a packet: demuxers of streams look for the next one.
    if _first_packet(head, 0, _TS_MARKS):
        return MPEGTS
    if _PS_PACK.search(head):
        return MPEGPS
    raise NotMedia("data of an unknown kind" if any(head) else "nothing but zeros")


def _boxes(head: bytes) -> Container | None:
    """ISO base media (ISO/IEC 14496-12, 4.2) and QuickTime: size, then a four-letter type."""
    kind = head[4:8]
    size = int.from_bytes(head[:4], "big")
    if kind in (b"ftyp", b"styp"):
        brand = head[8:12]
        if brand in _IMAGE_BRANDS:
            raise NotMedia("an HEIF or AVIF picture")
        return MOV if brand == b"qt  " else MP4
    if kind in _OLD_MOV_BOXES and (size >= 8 or size in (0, 1)):
        return MOV
    return None


def packets_of(head: bytes) -> tuple[int, int] | None:
    """Where the packets of a transport stream begin and how long each is, by their sync bytes
    (ISO/IEC 13818-1, 2.4.3.2); None where there are none."""
    tag = _behind_tag(head)
    for offset, part in ((0, head), (len(head) - len(tag), tag)):
        if _starts_transport_stream(part):
            return _first_packet(part, offset, 4)
    return _first_packet(head, 0, _TS_MARKS)


def _starts_transport_stream(head: bytes) -> bool:
    """For four packets at least."""
    found = _first_packet(head[: 4 + 8 * max(_TS_PACKETS)], 0, 4)
    return found is not None and found[0] == 0


def _first_packet(head: bytes, offset: int, least: int) -> tuple[int, int] | None:
    for first in range(len(head)):
        for size in _TS_PACKETS:
            # Packets with a time code in front begin with it.
            at = first + (4 if size == 192 else 0)
            marks = head[at : at + _TS_MARKS * size : size]
            if len(marks) >= least and set(marks) == {0x47}:
                return offset + first, size
        if least < _TS_MARKS:
            return None  # only at the start so few are enough
    return None


def _behind_tag(head: bytes) -> bytes:
    """What follows an ID3 tag at the start (ID3v2.4, 3.1), as recorders of radio put in front of
    transport streams; nothing where there is none."""
    if not head.startswith(b"ID3") or len(head) < _ID3_BYTES:
        return b""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return head[_ID3_BYTES + size :]


def _start_code(head: bytes) -> Container | None:
    """Raw video: a start code, then a parameter set or a delimiter as the first unit."""
    code = b"\x00\x00\x01"
    if head.startswith(code) and len(head) > len(code) + 1:
        first, second = head[len(code)], head[len(code) + 1]
        # MPEG-1 and MPEG-2 (ISO/IEC 13818-2, 6.2.2.1): a sequence header with a size.
        if first == 0xB3 and len(head) > 7 and head[4] << 4 | head[5] >> 4:
            return MPEGVIDEO
        # HEVC (H.265 7.3.1.2): VPS, SPS, PPS, AUD; layer 0, temporal id 0.
        if first in (0x40, 0x42, 0x44, 0x46) and second == 0x01:
            return HEVC
        # H.264 7.3.1: forbidden bit 0; SPS, PPS, AUD or SEI.
        if first & 0x80 == 0 and first & 0x1F in (6, 7, 8, 9):
            return H264
    return None


def _refuse_text(head: bytes) -> None:
    """Raise what a text is; return for anything that is none."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if text.startswith(mark):
            text = text[2:].decode(encoding, errors="replace").encode()
    text = text.lstrip()
    for start, is_playlist, found in _TEXT_WORDS:
        if start.match(text):
            raise Playlist(found) if is_playlist else NotMedia(found)
    if text.startswith(b"<"):
        if _XML_PLAYLIST.search(text):
            raise Playlist("an XML manifest")
        if text.startswith(b"<?xml") or b"</" in text:
            raise NotMedia("an XML document")
    if re.search(rb"^#EXTM3U|^ffconcat version|^file\s+['\"/]", text, re.I | re.M) and _is_text(
        text
    ):
        raise Playlist("a playlist")
    if _is_text(text):
        raise NotMedia("a text file")


def _is_text(text: bytes) -> bool:
    return bool(text) and not any(byte < 9 or 13 < byte < 32 for byte in text)
