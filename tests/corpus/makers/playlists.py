"""Files that tell a player to open another file or address, and files of two kinds at once.

The other file is `Bases.secret`, the address that of whoever listens at `Bases.port`.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from functools import partial

from tests.corpus.atoms import box, full, replaced, u32
from tests.corpus.bases import SOUND, Bases, lavfi
from tests.corpus.case import Case, Completed, End, refused
from tests.corpus.makers.structures import DAMAGED

FILM = Completed(frames=50, sounds=1)
PLAYLIST = refused("source_is_playlist")
NOT_MEDIA = refused("source_not_media", "source_is_playlist")
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def text(id: str, words: str, end: End = PLAYLIST, *, before: bytes = b"") -> Case:
    """`{file}` and `{url}` in the words are what must not be opened."""

    def make(bases: Bases) -> bytes:
        filled = words.replace("{file}", str(bases.secret)).replace(
            "{url}", f"http://127.0.0.1:{bases.port}/latest/meta-data/x.ts"
        )
        return before + filled.encode()

    return Case(f"playlist: {id}", make, end)


def hls(uri: str) -> str:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{uri}\n#EXT-X-ENDLIST\n"


def hidden_behind_film(bases: Bases) -> bytes:
    """A playlist in the padding that the file begins with."""
    padding = box("free", hls(f"file://{bases.secret}").encode())
    data = padding + bases.mp4
    for track in range(2):
        data = replaced(
            data, "moov", ("trak", track), "mdia", "minf", "stbl", "stco",
            by=lambda old: full("stco", old[12:16], u32(*(
                place + len(padding)
                for place in struct.unpack(f">{(len(old) - 16) // 4}I", old[16:])))),
        )  # fmt: skip
    return data


def elsewhere(kind: str, entry: Callable[[Bases], bytes]) -> Callable[[Bases], bytes]:
    """A film whose data reference names another file (ISO/IEC 14496-12, 8.7.2)."""

    def make(bases: Bases) -> bytes:
        return replaced(
            bases.mp4, "moov", "trak", "mdia", "minf", "dinf", "dref",
            by=full("dref", u32(1), full(kind, entry(bases))),
        )  # fmt: skip

    return make


def alias(bases: Bases) -> bytes:
    """A QuickTime alias record with the path in its fields."""
    name = str(bases.secret).encode()
    return (b"\0" * 4 + (150 + len(name) + 4).to_bytes(2, "big") + b"\0\2\0\0" + b"\x04root"
            + bytes(23) + b"\0" * 4 + b"H+" + b"\0\0" + bytes(4) + b"\x09secret.ts" + bytes(54)
            + bytes(36) + b"\0\x12" + len(name).to_bytes(2, "big") + name
            + b"\xff\xff\0\0")  # fmt: skip


def reference_movie(bases: Bases) -> bytes:
    """QuickTime: a movie that is somewhere else."""
    url = f"http://127.0.0.1:{bases.port}/x.mov\0".encode()
    data = full("rdrf", b"url ", u32(len(url)), url)
    return box("ftyp", b"qt  \0\0\0\0qt  ") + box("moov", box("rmra", box("rmda", data)))


def zipped(bases: Bases) -> bytes:
    """A ZIP archive behind the film: both open it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo("a.txt"), "hello")
    return bases.mp4 + archive.getvalue()


def archive_of(bases: Bases) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(zipfile.ZipInfo("film.mp4"), bases.mp4)
    return archive.getvalue()


def picture(bases: Bases, kind: str) -> bytes:
    return bases.made(f"p.{kind}", *lavfi("testsrc2=s=64x64:d=0.04"), "-frames:v", "1", "-f",
                      "image2", *(("-c:v", "mjpeg", "-pix_fmt", "yuvj420p") if kind == "jpg"
                                  else ("-c:v", kind)))  # fmt: skip


def mp3(bases: Bases) -> bytes:
    return bases.made("s.mp3", *lavfi(SOUND), "-c:a", "libmp3lame")


CASES = (
    text("HLS of a local file", hls("file://{file}")),
    text("HLS of a path", hls("{file}")),
    text("HLS of a web address", hls("{url}")),
    text("HLS of another tenant's file", hls("../other-tenant/secret.ts")),
    text("HLS of /proc", hls("file:///proc/self/environ")),
    text("HLS of gopher", hls("gopher://127.0.0.1:6379/_FLUSHALL")),
    text("HLS of data", hls("data:video/mp2t;base64,R0AAEA==")),
    text("HLS of a part of a file", hls("subfile,,start,0,end,99,,:{file}")),
    text("HLS of a concatenation", hls("concat:{file}|{file}")),
    text("HLS with a key elsewhere", "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\"\n"
         "#EXTINF:4,\n{file}\n"),
    text("HLS behind a byte order mark", hls("file://{file}"), before=b"\xef\xbb\xbf"),
    text("HLS behind empty lines", "\n \n\n" + hls("file://{file}")),
    text("HLS behind a comment", "# a film\n" + hls("file://{file}"), end=NOT_MEDIA),
    text("HLS behind a tag of MP3", hls("file://{file}"), before=b"ID3\x03\0\0\0\0\0\0",
         end=NOT_MEDIA),
    text("DASH", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
         "<AdaptationSet><Representation><BaseURL>{url}</BaseURL></Representation>"
         "</AdaptationSet></Period></MPD>"),
    text("ffconcat", "ffconcat version 1.0\nfile '{file}'\n"),
    text("a list of files", "file '{file}'\n"),
    text("SDP", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\n"
         "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"),
    text("M3U", "#EXTM3U\n{file}\n"),
    text("M3U without a head", "{url}\n"),
    text("ASX", '<asx version="3.0"><entry><ref href="{url}"/></entry></asx>'),
    text("SMIL", '<smil><body><video src="{url}"/></body></smil>'),
    text("PLS", "[playlist]\nFile1={url}\nNumberOfEntries=1\n"),
    text("XSPF", '<?xml version="1.0"?><playlist version="1"><trackList><track><location>{url}'
         "</location></track></trackList></playlist>"),
    text("a cue sheet", 'FILE "{file}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
         end=NOT_MEDIA),
    text("SVG", '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
         end=NOT_MEDIA),
    text("HTML", '<!doctype html><video src="{url}">', end=NOT_MEDIA),
    text("an XML entity", '<!DOCTYPE x [<!ENTITY e SYSTEM "file://{file}">]><x>&e;</x>',
         end=NOT_MEDIA),
    Case("playlist in UTF-16", lambda bases: hls(f"file://{bases.secret}").encode("utf-16"),
         NOT_MEDIA),
    Case("playlist in the padding of a film", hidden_behind_film, FILM),
    Case("a data reference to a file", elsewhere("alis", alias), DAMAGED),
    Case("a data reference to an address", elsewhere(
        "url ", lambda bases: f"http://127.0.0.1:{bases.port}/x.mp4\0".encode()), DAMAGED),
    Case("a data reference to a file's address", elsewhere(
        "url ", lambda bases: f"file://{bases.secret}\0".encode()), DAMAGED),
    Case("a movie that is elsewhere", reference_movie,
         refused("no_streams", "source_unreadable")),
    Case("film and ZIP archive", zipped, FILM),
    Case("ZIP archive with a film", archive_of, refused("source_not_media")),
    Case("picture and MP3", lambda bases: picture(bases, "jpg") + mp3(bases),
         refused("source_not_media")),
    Case("MP3 behind garbage", lambda bases: bytes(range(1, 200)) * 40 + mp3(bases),
         refused("source_not_media")),
    *(Case(f"a picture ({kind})", partial(picture, kind=kind),
           refused("source_not_media")) for kind in ("png", "jpg", "gif", "tiff", "bmp")),
    Case("an AVIF picture", lambda _: box("ftyp", b"avif\0\0\0\0avifmif1") + bytes(400),
         refused("source_not_media")),
    Case("a PDF", lambda _: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
         refused("source_not_media")),
    Case("a test virus", lambda _: EICAR, refused("source_not_media")),
    Case("a program", lambda _: b"\x7fELF\x02\x01\x01" + bytes(200), refused("source_not_media")),
    Case("a shell script", lambda _: b"#!/bin/sh\ntouch /tmp/pwned\n",
         refused("source_not_media")),
    Case("nothing but zeros", lambda _: bytes(5000), refused("source_not_media")),
    Case("bytes of no meaning", lambda _: bytes(
        (i * i * 31 + i // 7) % 255 + 1 for i in range(5000)), refused("source_not_media")),
    Case("a letter", lambda _: "Liebe Gr\u00fc\u00dfe\n".encode() * 50,
         refused("source_not_media")),
    Case("an archive of ffmpeg's", lambda _: b"FFM2" + bytes(500), refused("source_not_media")),
    Case("a Flash film", lambda _: b"CWS\x09" + bytes(range(250)), refused("source_not_media")),
)  # fmt: skip
