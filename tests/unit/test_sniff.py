from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.source import guard, sniff
from functions.media.source.sniff import NotMedia, Playlist
from tests.real_media import media_file

TS = b"".join(b"\x47" + bytes(187) for _ in range(8))
M2TS = b"".join(bytes(4) + b"\x47" + bytes(187) for _ in range(8))


@pytest.mark.parametrize(
    ("head", "format", "indexed"),
    [
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2", "mov", True),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "mov", True),
        (b"\0\0\0\x18ftyp3gp5\0\0\0\0", "mov", True),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", "mov", True),
        (b"\0\0\0\1mdat\0\0\0\0\0\x10\0\0", "mov", True),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "mov", True),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "matroska", False),
        (b"RIFF\0\0\0\0AVI LIST", "avi", False),
        (TS, "mpegts", False),
        (M2TS, "mpegts", False),
        (b"\0\0\1\xba\x44\0\4\0\4\1", "mpeg", False),
        (b"FLV\1\5\0\0\0\x09", "flv", False),
        (b"OggS\0\2", "ogg", False),
        (b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01", "mxf", False),
        (b"\0\0\0\1\x67\x42\0\x0a", "h264", False),
        (b"\0\0\1\x09\x10", "h264", False),
        (b"\0\0\0\1\x40\1\x0c\1", "hevc", False),
        (b"\0\0\1\xb3\x14\0\xf0\x13", "mpegvideo", False),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, format: str, indexed: bool) -> None:
    container = sniff.sniff(head)
    assert (container.format, container.indexed) == (format, indexed)
    assert container.format in guard.DEMUXERS


PACK = b"\0\0\1\xba\x44\0\4\0\4\1\1\x89\xc3\xf8\0\0\1\xe0"
MPEG1_PACK = b"\0\0\1\xba\x21\0\1\0\1\x80\1\1\0\0\1\xc0"


@pytest.mark.parametrize(
    ("head", "format"),
    [
        pytest.param(TS[100:] + TS, "mpegts", id="within a packet"),
        pytest.param(M2TS[77:] + M2TS, "mpegts", id="within a packet with a time code"),
        pytest.param(b"\x12garbage" * 37 + TS, "mpegts", id="garbage"),
        pytest.param(b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + TS, "mpegts", id="a tag"),
        pytest.param(b"\xe3" * 700 + PACK, "mpeg", id="within a pack"),
        pytest.param(b"\xe3" * 700 + MPEG1_PACK, "mpeg", id="within a pack of MPEG-1"),
        pytest.param(bytes(64) + b"\1\x67\x42\0\x0a", "h264", id="zeros"),
    ],
)
def test_what_players_skip_at_the_start_of_a_stream_is_skipped(head: bytes, format: str) -> None:
    assert sniff.sniff(head[: sniff.SNIFF_BYTES]).format == format


@pytest.mark.parametrize(
    "head",
    [
        b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + b"\xff\xfb\x90\0" * 100,
        b"\x12garbage" * 37 + TS[: 6 * 188],
        b"\xe3" * 700 + b"\0\0\1\xba" + bytes(40),
        b"\1\x67\x42\0\x0a",
        b"\0\0\1\xb3\0\0\0\0",
        b"\xef\xbb\xbfFLV\1\5\0\0\0\x09",
    ],
)
def test_what_only_resembles_a_stream_is_refused(head: bytes) -> None:
    with pytest.raises(NotMedia):
        sniff.sniff(head)


@pytest.mark.parametrize(
    "head",
    [
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"\xef\xbb\xbf#EXTM3U\n",
        b"\n\n  #EXTM3U\n",
        b"\xff\xfe" + "#EXTM3U\n".encode("utf-16-le"),
        b"# a comment\n#EXTM3U\n",
        b"ffconcat version 1.0\nfile 'x'\n",
        b"file '/etc/passwd'\n",
        b"file /etc/passwd\n",
        b"<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>",
        b"<smil><body/></smil>",
        b"<?xml version='1.0'?><AssetMap/>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"[playlist]\nFile1=x\n",
        b"http://localhost/x.mp4",
        b"concat:a|b",
        b"rtsp://localhost/",
    ],
)
def test_what_points_to_other_files_is_called_a_playlist(head: bytes) -> None:
    with pytest.raises(Playlist):
        sniff.sniff(head)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"", "an empty file"),
        (bytes(4096), "nothing but zeros"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"GIF89a", "a GIF picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an HEIF or AVIF picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV file"),
        (b"PK\3\4", "a ZIP archive or an office document"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x7fELF", "a program"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"<?xml version='1.0'?><note/>", "an XML document"),
        (b"Dear all,\nplease find enclosed", "a text file"),
        (b"\x8f\x13\x9c\x01\x02", "data of an unknown kind"),
    ],
)
def test_everything_else_is_named_and_refused(head: bytes, found: str) -> None:
    with pytest.raises(NotMedia) as refused:
        sniff.sniff(head)
    assert refused.value.found == found
    assert not isinstance(refused.value, Playlist)


@settings(deadline=None)
@given(st.binary(max_size=sniff.SNIFF_BYTES))
def test_any_bytes_are_a_listed_container_or_refused(head: bytes) -> None:
    try:
        container = sniff.sniff(head)
    except NotMedia as refused:
        assert refused.found
    else:
        assert container in sniff.CONTAINERS
        assert container.format in guard.DEMUXERS


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="\0"), min_size=8))
def test_no_text_is_a_container_that_is_read_by_ranges(text: str) -> None:
    """Text in which a box type stands at the right place is the exception that proves it."""
    head = text.encode()
    if head[4:8] in (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return
    try:
        container = sniff.sniff(head)
    except NotMedia:
        return
    assert not container.indexed


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("real/bikes-640x272.mp4", "mov"),
        ("real/prores-422-proxy.mov", "mov"),
        ("real/sample_with_srt.mkv", "matroska"),
        ("real/sample.avi", "avi"),
        ("real/bbb_2500ms.ts", "mpegts"),
        ("hostile/hls-read-passwd-bypass.mp4", "avi"),
        ("hostile/bug504843.ogv", "ogg"),
        ("hostile/BA_MW_D_IDR_LOST.264", "h264"),
        ("hostile/vp9-12336x12336.webm", "matroska"),
    ],
)
def test_real_files_are_what_they_are_and_not_what_they_are_called(name: str, format: str) -> None:
    with media_file(name).open("rb") as opened:
        assert sniff.sniff(opened.read(sniff.SNIFF_BYTES)).format == format
