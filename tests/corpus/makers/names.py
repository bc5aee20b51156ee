"""Names of files, and words in them, that want to be options, patterns, paths or markup."""

from __future__ import annotations

from tests.corpus.bases import Bases
from tests.corpus.case import Case, Completed, End, Ignored, refused

FILM = Completed(frames=50, sounds=1)
BACK = "\u202e"
"""From here on text runs from right to left."""


def named(id: str, key: str, end: End = FILM) -> Case:
    return Case(f"name: {id}", lambda bases: bases.mp4, end, key=key)


def tagged(id: str, value: str, *, name: str = "film.mp4", tag: str = "title") -> Case:
    """The words as metadata, put where ffmpeg puts them."""

    def make(bases: Bases) -> bytes:
        data = bases.mp4 if name.endswith(".mp4") else bases.mkv
        suffix = name[-4:]
        return bases.of(
            name, "-c", "copy", "-metadata", f"{tag}={value}", "-metadata:s:v:0",
            f"{tag}={value}", data=data, suffix=suffix,
        )  # fmt: skip

    return Case(f"tag: {id}", make, FILM)


def long_tag(bases: Bases) -> bytes:
    """A title of a megabyte; a command line cannot be so long."""
    mark = "TITLE" * 20
    made = bases.of("film.mkv", "-c", "copy", "-metadata", f"title={mark}", data=bases.mkv,
                    suffix=".mkv")  # fmt: skip
    head = made.index(mark.encode())
    # Title (0x7BA9) of 100 bytes: a void element of a megabyte takes the place behind the segment.
    return made[:head] + mark.encode() + made[head + len(mark) :] + (
        b"\x12\x54\xc3\x67" + ((1 << 20) + 13 | 1 << 56).to_bytes(8, "big")
        + b"\x73\x73" + ((1 << 20) + 3 | 1 << 56).to_bytes(8, "big")
        + b"\x63\xc0\x80" + b"x" * (1 << 20)
    )  # fmt: skip


def nul_tag(bases: Bases) -> bytes:
    data = bases.of("film.mp4", "-c", "copy", "-metadata", "title=abcdefgh", data=bases.mp4,
                    suffix=".mp4")  # fmt: skip
    return data.replace(b"abcdefgh", b"ab\0\x1b[2J!")


CASES = (
    named("an option", "acme/-i.mp4"),
    named("an option that writes", "acme/-y -f null.mp4"),
    named("a pattern", "acme/%03d.mp4"),
    named("a glob", "acme/*?[a-z].mp4"),
    named("quotes", "acme/it's \"quoted\" `here`.mp4"),
    named("a command", "acme/$(touch pwned);|&.mp4"),
    named("a newline", "acme/first\nsecond.mp4"),
    named("a bell and colours", "acme/\x07\x1b[31mred.mp4"),
    named("from right to left", f"acme/film{BACK}4pm.exe"),
    named("an emoji", "acme/\U0001f3ac \u00e9.mp4"),
    named("255 bytes", f"acme/{'n' * 246}.mp4"),
    named("a protocol", "acme/concat:a|b.mp4"),
    named("an address", "acme/http:/x/film.mp4"),
    named("another ending", "acme/film.txt"),
    named("no ending", "acme/film"),
    named("upper case", "acme/FILM.MOV"),
    named("deep", "acme/" + "/".join("abcdefgh") + "/film.mp4"),
    named("spaces at both ends", "acme/ film .mp4 "),
    named("no tenant", "film.mp4", refused("tenant_unknown")),
    named("a tenant that is none", "ACME!/film.mp4", refused("tenant_unknown")),
    named("hidden", "acme/.film.mp4", Ignored()),
    named("not finished", "acme/film.mp4.part", Ignored()),
    named("a backup", "acme/film.mp4~", Ignored()),
    tagged("markup", "<script>alert(1)</script>"),
    tagged("what steers a terminal", "\x1b[2J\x1b]0;pwned\x07"),
    tagged("what steers a playlist", 'a"\n#EXT-X-KEY:METHOD=NONE\n'),
    tagged("markup in mkv", "<script>alert(1)</script>", name="film.mkv"),
    tagged("a language that is markup", "<b>", name="film.mkv", tag="language"),
    tagged("a handler's name", "<img src=x onerror=alert(1)>", tag="handler_name"),
    Case("tag: NUL", nul_tag, FILM),
    Case("tag: a megabyte", long_tag, FILM),
    Case("options that are none", lambda bases: bases.mp4, refused("options_invalid"),
         options={"profil": "default"}),
    Case("a profile that is a path", lambda bases: bases.mp4, refused("options_invalid"),
         options={"profile": "../../etc/passwd"}),
    Case("a profile that is not there", lambda bases: bases.mp4, refused("profile_unknown"),
         options={"profile": "cinema"}),
)  # fmt: skip
