"""Edits files by their structure: MP4 boxes, EBML elements, and bytes wherever they are.

Everything takes whole files as bytes and returns new ones; what they damage they damage on purpose.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests import mp4

Edit = Callable[[bytes], bytes]
Step = str | tuple[str, int]
"""A box's name, with its number among its like where it is not the first."""


def box(kind: str | bytes, *payload: bytes) -> bytes:
    name = kind.encode("latin-1") if isinstance(kind, str) else kind
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full(kind: str | bytes, *payload: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def path(data: bytes, *steps: Step) -> list[mp4.Box]:
    """The boxes from the outermost to the one that is meant."""
    found: list[mp4.Box] = []
    for step in steps:
        name, number = step if isinstance(step, tuple) else (step, 0)
        parent = found[-1] if found else None
        start, stop = (parent.body, parent.stop) if parent else (0, len(data))
        if parent and parent.kind == "stsd":
            start += 8
        if parent and parent.kind in ("avc1", "hvc1", "hev1"):
            start += 78
        found.append([each for each in mp4.boxes(data, start, stop) if each.kind == name][number])
    return found


def replaced(data: bytes, *steps: Step, by: bytes | Edit) -> bytes:
    """Another box in its place, or none, or several; the boxes around it fit."""
    *parents, target = path(data, *steps)
    old = data[target.start : target.stop]
    new = by if isinstance(by, bytes) else by(old)
    made = bytearray(data[: target.start] + new + data[target.stop :])
    for parent in parents:
        size = parent.stop - parent.start + len(new) - len(old)
        struct.pack_into(">I", made, parent.start, size)
    return bytes(made)


def inserted(data: bytes, *steps: Step, box: bytes) -> bytes:
    """A box more, as the first in the one at that path."""
    *_, target = path(data, *steps)
    first = next(mp4.boxes(data, target.body, target.stop)).kind
    return replaced(data, *steps, first, by=lambda old: box + old)


def poked(data: bytes, at: int, value: bytes) -> bytes:
    """Other bytes from that place on."""
    return data[:at] + value + data[at + len(value) :]


def field(data: bytes, *steps: Step, at: int, value: bytes) -> bytes:
    """Other bytes in the body of a box."""
    return poked(data, path(data, *steps)[-1].body + at, value)


def sized(data: bytes, size: int, *steps: Step) -> bytes:
    """A box that says that it is so large, whatever it is."""
    return poked(data, path(data, *steps)[-1].start, struct.pack(">I", size % 2**32))


def grown(data: bytes, by: int, *steps: Step) -> bytes:
    """A box that lies about its size."""
    found = path(data, *steps)[-1]
    return sized(data, found.stop - found.start + by, *steps)


def u16(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *(value % 2**16 for value in values))


def u32(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *(value % 2**32 for value in values))


def u64(*values: int) -> bytes:
    return struct.pack(f">{len(values)}Q", *(value % 2**64 for value in values))


def substituted(data: bytes, old: bytes, new: bytes, *, count: int = -1) -> bytes:
    """Raises ValueError where there is nothing to replace."""
    if old not in data:
        raise ValueError(f"{old!r} is not in it")
    return data.replace(old, new, count)


def element(name: int, *payload: bytes, unknown: bool = False) -> bytes:
    """An EBML element; `unknown`: one that does not say how large it is."""
    body = b"".join(payload)
    head = name.to_bytes((name.bit_length() + 7) // 8, "big")
    size = b"\x01" + b"\xff" * 7 if unknown else (len(body) | 1 << 56).to_bytes(8, "big")
    return head + size + body


def number(value: int) -> bytes:
    """The payload of an EBML integer."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
