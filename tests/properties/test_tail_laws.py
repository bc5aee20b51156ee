"""The last units of a stream without a promised end: wherever it is cut, that shows."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from functions.media.source import sniff, tail
from functions.media.source.sniff import Container

PACK: Final = b"\0\0\1\xba\x44" + bytes(8) + b"\xf8"
CLUSTER: Final = bytes.fromhex("1f43b675ff")


def block(body: bytes) -> bytes:
    return b"\xa3" + (len(body) | 1 << 14).to_bytes(2, "big") + body


def chunk(body: bytes) -> bytes:
    return b"01wb" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def packet(body: bytes) -> bytes:
    return b"\0\0\1\xe0" + struct.pack(">H", len(body)) + body


# What may stand before the units, and one unit.
KINDS: Final[Mapping[Container, tuple[bytes, Callable[[bytes], bytes]]]] = {
    sniff.MATROSKA: (CLUSTER, block),
    sniff.AVI: (b"", chunk),
    sniff.MPEGPS: (PACK, packet),
}
BODIES: Final = st.lists(
    # None ends with a zero, and all are of even length, so that none is padded.
    st.binary(min_size=1, max_size=99).map(lambda body: body + b"\xee" * (2 - len(body) % 2)),
    min_size=4,
    max_size=9,
)  # fmt: skip
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.format)


@of_each_kind
@given(bodies=BODIES, before=st.binary(max_size=50), zeros=st.integers(0, 9), data=st.data())
def test_a_stream_is_cut_where_its_last_unit_is(
    kind: Container, bodies: list[bytes], before: bytes, zeros: int, data: st.DataObject
) -> None:
    head, unit = KINDS[kind]
    units = [unit(body) for body in bodies]
    whole = before + head + b"".join(units)
    assert not tail.cut(kind, whole + bytes(zeros))
    missing = data.draw(st.integers(1, len(units[-1]) - 1))
    # Nothing but zeros may as well be no part of it.
    assume(units[-1][:-missing].strip(b"\0"))
    assert tail.cut(kind, whole[:-missing])


@of_each_kind
@given(
    data=st.lists(
        st.sampled_from([CLUSTER, PACK, b"00dc", b"LIST", b"rec ", b"\xe7\x80", b"\0\0\1"])
        | st.binary(max_size=9)
    ).map(b"".join)
)
def test_any_bytes_have_an_answer(kind: Container, data: bytes) -> None:
    assert tail.cut(kind, data) in {True, False}
