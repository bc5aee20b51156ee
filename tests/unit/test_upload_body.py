"""The body of an upload: whoever sends too little keeps no place for others to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.types import Message

from functions.gateway.uploading.body import LEAST_BYTES, Dropped, pieces
from functions.gateway.uploading.hold import Hold


async def taken(sent: Sequence[bytes], idle_s: float) -> bytes:
    """What is taken of a body that comes in these pieces, each when it is waited for."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in sent]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        return messages.pop(0)

    state = SimpleNamespace(ending=asyncio.Event())
    scope = {"type": "http", "kinora.body": SimpleNamespace(), "app": SimpleNamespace(state=state)}
    found = b""
    try:
        async for piece in pieces(Request(scope, receive), Hold(), idle_s=idle_s):
            found += piece
    except Dropped:
        return found + b"dropped"
    return found


@pytest.mark.parametrize(
    ("sent", "idle_s", "found"),
    [
        ([b"a"] * 3, 60.0, b"aaa"),
        ([b"a"] * 3, 0.0, b"dropped"),
        ([b"a" * LEAST_BYTES] * 2, 0.0, b"a" * LEAST_BYTES * 2),
        ([b"a" * LEAST_BYTES, b"a"], 0.0, b"a" * LEAST_BYTES + b"dropped"),
        ([], 0.0, b""),
    ],
    ids=["in time", "a drip", "enough", "enough and then a drip", "nothing"],
)
def test_a_body_is_taken_while_enough_of_it_comes(
    sent: Sequence[bytes], idle_s: float, found: bytes
) -> None:
    assert asyncio.run(taken(sent, idle_s)) == found
