"""A connection with an end: whoever connects and then neither asks nor reads is not waited for.

uvicorn gives up on connections that are silent between two requests, and on no others.
"""

from __future__ import annotations

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S: Final = 30.0
"""For the head of a request to come whole, from the connection or from its own first byte; and
for what is left of a body that nobody reads, since the answer was given before its end."""
READING_S: Final = 60.0
"""For a client to take a byte of what waits for it."""
SPARE: Final = 64
"""Connections beyond the limit that are kept until they ask, and are answered 503 then."""


class Connection(H11Protocol):
    """Closed where a head does not come, and broken off where an answer is not read."""

    head_s = HEAD_S
    reading_s = READING_S
    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        limit = self.limit_concurrency
        if limit is not None and len(self.connections) > limit + SPARE:
            # Those before are told so once they ask; this one would only take room.
            transport.abort()
        self._watch_requests()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._late, self._stuck):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_requests()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Until the next request begins, uvicorn watches the silence.
        if self.conn.their_state is not h11.IDLE:
            self._watch_requests()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reading(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _watch_requests(self) -> None:
        asking = self.conn.their_state is h11.IDLE
        unread = self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY
        if not (asking or unread):
            if self._late is not None:
                self._late.cancel()
                self._late = None
        elif self._late is None:
            self._late = self.loop.call_later(self.head_s, self.timeout_keep_alive_handler)

    def _watch_reading(self, left_bytes: int) -> None:
        self._stuck = self.loop.call_later(self.reading_s, self._require_progress, left_bytes)

    def _require_progress(self, before_bytes: int) -> None:
        left_bytes = self.transport.get_write_buffer_size()
        if left_bytes < before_bytes:
            self._watch_reading(left_bytes)
        else:
            # Closing would wait for the same.
            self.transport.abort()
