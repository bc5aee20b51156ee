from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.media.source import container
from functions.media.source.byterange import ByteRange
from functions.media.source.container import Boxes, Damaged, Truncated


def box(kind: bytes, payload: bytes = b"", *, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(payload)) + payload
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


FTYP = box(b"ftyp", b"isom\0\0\0\0")
MOOV = box(b"moov", box(b"mvhd", bytes(100)))


class File:
    """Bytes that count how often and how much of them is read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads = 0
        self.bytes = 0

    def __call__(self, offset: int, size: int) -> bytes:
        found = self.data[offset : offset + size]
        self.reads += 1
        self.bytes += len(found)
        return found


def walk(data: bytes) -> Boxes:
    return container.walk(File(data), len(data))


def test_the_head_is_everything_but_the_media_payload() -> None:
    data = FTYP + box(b"mdat", bytes(1000)) + MOOV
    boxes = walk(data)
    end = len(FTYP) + 8
    assert boxes.head == (ByteRange(0, end), ByteRange(end + 1000, len(data)))
    assert boxes.media == (ByteRange(end, end + 1000),)
    assert not boxes.missing_bytes
    assert not boxes.fragmented
    assert not boxes.encrypted


def test_the_payload_is_not_read() -> None:
    data = FTYP + MOOV + box(b"mdat", bytes(100_000))
    file = File(data)
    container.walk(file, len(data))
    assert file.bytes < 1000


def test_padding_is_not_part_of_the_head_however_large_it_is() -> None:
    data = FTYP + box(b"free", bytes(5000)) + box(b"mdat", bytes(100)) + MOOV
    padded = len(FTYP) + 8
    head = walk(data).head
    assert head[0] == ByteRange(0, padded)
    assert head[1].start == padded + 5000


def test_boxes_that_every_task_would_have_to_fetch_are_bounded() -> None:
    size = container.MAX_HEAD_BYTES + 1
    start = FTYP + MOOV + struct.pack(">I4s", size, b"meta")
    with pytest.raises(Damaged, match="absurdly large"):
        container.walk(File(start), len(start) - 8 + size)


def test_sizes_of_sixty_four_bits_and_to_the_end_are_understood() -> None:
    data = FTYP + MOOV + box(b"mdat", bytes(50), large=True)
    assert walk(data).media == (ByteRange(len(data) - 50, len(data)),)
    data = FTYP + MOOV + struct.pack(">I4s", 0, b"mdat") + bytes(50)
    assert walk(data).media == (ByteRange(len(data) - 50, len(data)),)


def test_a_media_box_that_is_cut_off_tells_how_much_is_missing() -> None:
    data = FTYP + MOOV + box(b"mdat", bytes(100))
    boxes = walk(data[:-30])
    assert boxes.missing_bytes == 30
    assert boxes.media[0].stop == len(data) - 30


@pytest.mark.parametrize(
    "data",
    [FTYP + box(b"mdat", bytes(10)), FTYP + box(b"mdat", bytes(10))[:-5], FTYP + MOOV[:-5]],
    ids=["no movie box", "cut in the media", "cut in the movie box"],
)
def test_without_a_whole_movie_box_it_is_truncated(data: bytes) -> None:
    with pytest.raises(Truncated):
        walk(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\0\4ftyp", b"\0\0\0\1ftyp\0\0\0\0\0\0\0\4", FTYP, FTYP + box(b"free") * 1001],
    ids=["empty", "size below its header", "large size below its header", "no movie", "too many"],
)
def test_what_contradicts_itself_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        walk(data)


def test_garbage_behind_what_matters_is_left_alone() -> None:
    data = FTYP + MOOV + box(b"mdat", bytes(10))
    assert walk(data + bytes(64)) == walk(data)
    assert walk(data + b"\0\0\xff\xffuuid....") == walk(data)


def test_fragments_are_noticed() -> None:
    assert walk(FTYP + MOOV + box(b"moof") + box(b"mdat", b"x")).fragmented
    assert walk(FTYP + box(b"moov", box(b"mvex", box(b"trex")))).fragmented


@pytest.mark.parametrize("entry", [b"encv", b"enca", b"drms"])
def test_protected_sample_entries_are_noticed(entry: bytes) -> None:
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + box(entry, bytes(70)))
    nested = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd))))
    assert walk(FTYP + box(b"moov", nested)).encrypted
    assert walk(FTYP + box(b"moov", box(b"pssh", bytes(20)))).encrypted


def test_a_word_in_the_payload_is_no_box() -> None:
    plain = box(b"stsd", struct.pack(">II", 0, 1) + box(b"avc1", b"....encv....pssh"))
    nested = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", plain))))
    assert not walk(FTYP + box(b"moov", nested)).encrypted


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"moov", b"mdat", b"moof", b"free", b"trak"]), max_size=6),
       st.binary(max_size=200), st.integers(0, 2**64 - 1), st.integers(0, 400))  # fmt: skip
def test_any_bytes_end_in_ranges_inside_the_file_or_a_refusal(
    kinds: list[bytes], payload: bytes, size: int, cut: int
) -> None:
    data = b"".join(struct.pack(">I4sQ", 1, kind, size) for kind in kinds)
    data = (FTYP + b"".join(box(kind, payload) for kind in kinds) + data)[: cut or None]
    file = File(data)
    try:
        boxes = container.walk(file, len(data))
    except (Damaged, Truncated):
        return
    finally:
        assert file.reads <= container.MAX_BOXES + 1
    for each in (*boxes.head, *boxes.media):
        assert each.stop <= len(data)


def test_boxes_nested_without_end_are_given_up() -> None:
    with pytest.raises(Damaged, match="boxes"):
        walk(FTYP + box(b"moov", box(b"free") * (container.MAX_NESTED_BOXES + 1)))
