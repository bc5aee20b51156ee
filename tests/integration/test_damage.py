"""Recordings that lost packets on their way, or their end: made as far as they decode, whichever
way they are cut into chunks, or refused with how much of them is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clips import X264, count_frames, ffmpeg
from tests.corpus.site import Ended, Site

PACKET_BYTES = 188
RATE = 25


def brought(folder: Path, data: bytes, **options: int) -> Ended:
    ended = Site(folder / f"site-{len(options)}").bring(data, key="acme/film.ts", options=options)
    assert ended.complaints == ()
    assert ended.verdict is not None
    return ended


@pytest.fixture
def packets(tmp_path: Path) -> list[bytes]:
    file = tmp_path / "film.ts"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=320x180:r={RATE}:d=5,noise=alls=10:allf=t"),
        *("-f", "lavfi", "-i", "sine=d=5", *X264, "-bf", "2", "-g", "25", "-c:a", "mp2", str(file)),
    )
    data = file.read_bytes()
    return [data[at : at + PACKET_BYTES] for at in range(0, len(data), PACKET_BYTES)]


@pytest.mark.parametrize("left", [0, PACKET_BYTES - 1])
def test_a_recording_that_lost_every_fortieth_packet_is_made(
    left: int, packets: list[bytes], tmp_path: Path
) -> None:
    """Of the sound more than half of what a parser finds does not decode."""
    data = b"".join(packet[:left] if at % 40 == 39 else packet for at, packet in enumerate(packets))
    file = tmp_path / "damaged.ts"
    file.write_bytes(data)
    assert 5 * RATE - 8 < count_frames("-i", str(file), "-map", "0:v") < 5 * RATE
    frames = set()
    for ended in (brought(tmp_path, data), brought(tmp_path, data, chunk_segments=1)):
        assert ended.verdict is not None
        assert ended.verdict.state == "completed", ended.verdict
        assert any("resampled" in note for note in ended.report["notes"])
        assert any(each["layout"] for each in ended.report["renditions"])
        frames |= {
            count_frames("-i", str(rung)) for rung in sorted(ended.media.glob("*p/playlist.m3u8"))
        }
    (made,) = frames
    assert made == pytest.approx(5 * RATE, abs=4)


def test_sound_of_which_next_to_nothing_is_left_is_refused_with_how_much(
    packets: list[bytes], tmp_path: Path
) -> None:
    ended = brought(tmp_path, b"".join(each for at, each in enumerate(packets) if at % 10 != 9))
    assert ended.verdict is not None
    assert ended.verdict.code == "decode_failed"
    assert "% of its packets are damaged" in ended.verdict.reason


@pytest.mark.parametrize("b_frames", ["0", "2"])
@pytest.mark.parametrize("share", [0.5, 0.58])
def test_fragments_that_were_cut_off_are_made_as_far_as_they_go_and_that_is_told(
    share: float, b_frames: str, tmp_path: Path
) -> None:
    file = tmp_path / "film.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=128x72:r={RATE}:d=3,noise=alls=40:allf=t"),
        *("-f", "lavfi", "-i", "sine=d=3", *X264, "-bf", b_frames, "-g", "10", "-c:a", "aac"),
        *("-movflags", "+frag_keyframe+empty_moov", str(file)),
    )
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    decoded = count_frames("-i", str(file), "-map", "0:v")
    assert decoded % 10  # within a group, and so within a fragment
    ended = brought(tmp_path, file.read_bytes())
    assert ended.verdict is not None
    assert ended.verdict.state == "completed", ended.verdict
    assert any("what came after" in note for note in ended.report["notes"])
    (made,) = {
        count_frames("-i", str(rung)) for rung in sorted(ended.media.glob("*p/playlist.m3u8"))
    }
    # One more where a time before the last picture is nobody's: the picture before stands still.
    assert decoded <= made <= decoded + 1
