"""What bad input gets: an exit code, one sentence, a stable code, and nothing left behind."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.jobs.refusal import REFUSALS
from tests.clips import ffmpeg
from tests.e2e.command import Desk, Ran
from tests.e2e.judges import Planned, judge
from tests.real_media import media_file

CODES = {refusal.code for refusal in REFUSALS}
SECRET = "only the owner of this file may read it"


def truncated(path: Path, clip: Path) -> None:
    """Header first, so that it is known what is missing."""
    ffmpeg("-i", str(clip), "-c", "copy", "-movflags", "+faststart", str(path))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])


def without_header(path: Path, clip: Path) -> None:
    """A download that broke off before the index at the end."""
    data = clip.read_bytes()
    path.write_bytes(data[: data.rindex(b"moov") - 4])


def playlist(path: Path, clip: Path) -> None:
    """Names another file, which ffmpeg alone would copy into the result."""
    other = path.with_name("secret.ts")
    ffmpeg("-i", str(clip), "-c", "copy", "-metadata", f"title={SECRET}", str(other))
    path.write_text(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n"
        f"#EXTINF:4,\nfile://{other}\n#EXT-X-ENDLIST\n"
    )


def concat_list(path: Path, clip: Path) -> None:
    path.write_text(f"ffconcat version 1.0\nfile '{clip}'\n")


def zero_frames(path: Path, clip: Path) -> None:
    """A film's header without a film."""
    ffmpeg(
        "-i", str(clip), "-map", "0:v", "-frames:v", "0", "-c", "copy",
        "-movflags", "+empty_moov+frag_keyframe", str(path),
    )  # fmt: skip


def absurd_size(path: Path, clip: Path) -> None:
    """The header claims a picture of 40000 by 40000."""
    data = bytearray(clip.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd", data.rindex(b"moov")))
    struct.pack_into(">HH", data, at + 28, 40000, 40000)
    path.write_bytes(data)


BAD: list[tuple[str, str, Callable[[Path, Path], object], int, set[str]]] = [
    ("empty", "film.mp4", lambda path, _: path.touch(), 3, {"source_empty"}),
    ("one byte", "film.mp4", lambda path, _: path.write_bytes(b"\0"), 3, {"source_not_media"}),
    ("text", "notes.txt", lambda path, _: path.write_text("dear diary\n" * 99), 3,
     {"source_not_media"}),
    ("a picture", "photo.mp4", lambda path, _: ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", "-f", "image2", "-c:v",
        "png", str(path)), 3, {"source_not_media"}),
    ("noise", "film.mkv", lambda path, _: path.write_bytes(bytes(range(1, 256)) * 300), 3,
     {"source_not_media"}),
    ("truncated", "film.mp4", truncated, 3, {"source_truncated", "source_unreadable"}),
    ("without its header", "film.mp4", without_header, 3,
     {"source_truncated", "source_unreadable"}),
    ("a playlist in disguise", "film.mp4", playlist, 3, {"source_is_playlist"}),
    ("a list of files", "film.mp4", concat_list, 3, {"source_is_playlist"}),
    ("zero frames", "film.mp4", zero_frames, 3, {"no_streams", "source_unreadable"}),
    ("absurd size", "film.mp4", absurd_size, 3, {"picture_too_large"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "make", "code", "codes"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
def test_bad_input_is_refused_in_a_sentence(
    name: str,
    make: Callable[[Path, Path], object],
    code: int,
    codes: set[str],
    desk: Desk,
    clip: Path,
    tmp_path: Path,
) -> None:
    make(tmp_path / name, clip)
    before = {path.name for path in tmp_path.iterdir()}
    ran = desk.run("transcode", name, "-o", "out", "--json", cwd=tmp_path)
    assert ran.code == code, ran
    assert_refused(ran)
    assert ran.json["code"] in codes
    desk.assert_nothing_left(tmp_path, but=before)


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("encrypted-short-cenc.mp4", {"source_encrypted"}),
        ("sample_vvc.mp4", {"codec_unsupported"}),
        ("vp9-12336x12336.webm", {"picture_too_large"}),
        ("hls-read-passwd.avi", {"no_streams", "source_not_media", "codec_unsupported"}),
        ("hls-read-passwd-bypass.mp4", {"no_streams", "source_not_media", "source_unreadable"}),
        ("0-timescale.mp4", {"no_streams", "source_unreadable"}),
        ("no_timescale.mp4", CODES),
        ("sample_missing_stsd.mp4", CODES),
        ("sample_mdat_too_long.mp4", CODES),
        ("block_ends_beyond_cluster.mkv", CODES),
        ("bug504843.ogv", CODES),
        ("BA_MW_D_IDR_LOST.264", CODES),
    ],
)
def test_hostile_files_end_in_a_refusal_or_in_a_right_result(
    name: str, codes: set[str], desk: Desk, tmp_path: Path
) -> None:
    source = media_file(f"hostile/{name}")
    ran = desk.run("transcode", source, "-o", "out", "-p", "tiny", "--json", cwd=tmp_path)
    if ran.code == 0:
        assert codes == CODES, "this one can only be refused"
        assert judge(tmp_path / "out", source, Planned.read(tmp_path / "out")) == []
        desk.assert_nothing_left(tmp_path, but={"out"})
    else:
        assert ran.code in (3, 4)
        assert_refused(ran)
        assert ran.json["code"] in codes
        desk.assert_nothing_left(tmp_path, but=set())


def test_options_with_an_unknown_field_are_refused_by_its_name(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "site" / "uploads" / "acme"
    folder.mkdir(parents=True)
    (folder / "film.mp4.json").write_text(json.dumps({"profil": "fast"}))
    (folder / "film.mp4").write_bytes(clip.read_bytes())
    with desk.started("up", "--dir", "site", "--listen", "off", "--json", cwd=tmp_path) as process:
        assert process.stdout is not None
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        process.communicate(timeout=60)
    assert told[1]["happened"] == "rejected"
    job = told[1]["job"]
    watched = desk.run("watch", job[:8], "--dir", "site", "--json", cwd=tmp_path)
    assert watched.code == 3
    assert watched.json["code"] == "options_invalid"
    assert "`profil`" in watched.json["reason"]


def assert_refused(ran: Ran) -> None:
    assert ran.sentence == ran.json["reason"]
    assert ran.json["code"] in CODES
    assert ran.json["state"] in ("rejected", "failed")
    assert SECRET not in ran.out
