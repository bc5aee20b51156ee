"""What H.264 says of itself, less what it need not say."""

from __future__ import annotations

from pathlib import Path

HIGH = (100, 110, 122, 244)
"""Profiles whose parameter sets say more of the pictures' format."""


class Bits:
    """Reads a sequence parameter set (ISO/IEC 14496-10, 7.3.2.1.1)."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def number(self, bits: int) -> int:
        self.at += bits
        return int(self.text[self.at - bits : self.at], 2)

    def golomb(self) -> int:
        zeros = self.text.index("1", self.at) - self.at
        self.at += zeros
        return self.number(zeros + 1) - 1


def forget_reordering(clip: Path) -> None:
    """Take the part of the parameter sets of an mp4 away that nobody has to write, and with it how
    far pictures are reordered."""
    data = bytearray(clip.read_bytes())
    at = data.index(b"avcC") + 4
    assert data[at + 5] & 31 == 1
    start = at + 8
    stop = start + int.from_bytes(data[at + 6 : start], "big")
    short = _short(bytes(data[start:stop]))
    data[start:stop] = short.ljust(stop - start, b"\0")
    clip.write_bytes(data)


def _short(unit: bytes) -> bytes:
    """The unit without usability information."""
    plain = unit.replace(b"\0\0\3", b"\0\0")
    bits = Bits(plain[1:])
    profile = bits.number(8)
    bits.number(16)
    bits.golomb()
    if profile in HIGH:
        for _ in range(3):
            bits.golomb()
        assert bits.number(2) == 0
    bits.golomb()
    if bits.golomb() == 0:
        bits.golomb()
    bits.golomb()
    bits.number(1)
    bits.golomb()
    bits.golomb()
    if not bits.number(1):
        bits.number(1)
    bits.number(1)
    if bits.number(1):
        for _ in range(4):
            bits.golomb()
    text = bits.text[: bits.at] + "01"
    text += "0" * (-len(text) % 8)
    out = bytearray(plain[:1])
    for value in int(text, 2).to_bytes(len(text) // 8, "big"):
        if value <= 3 and out.endswith(b"\0\0"):
            out.append(3)
        out.append(value)
    assert len(out) <= len(unit)
    return bytes(out)
