"""Server-sent events: what a watch has to tell, to one reader.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from functions.gateway.live.board import Note, fact_name
from functions.gateway.live.watch import Look, Watch, Watches

RETRY_MS: Final = 2000
"""What a client is asked to wait before it comes back."""
LONGEST_S: Final = 540.0
"""Shorter than the Service's own limit (knative/base/gateway.yaml): the stream ends between two
events, and the client comes back with the id of the last one."""
OVERLAP_S: Final = 30.0
"""How much earlier than the last event a client saw the telling begins again. A record may show
up in a listing later than its time says, and clocks may count whole seconds: a client leaves out
what it knows by its id."""

HEADERS: Final = {
    # A proxy that waits for more would hold everything back (nginx knows the second).
    "cache-control": "no-store",
    "x-accel-buffering": "no",
}
_BEGINNING: Final = format_sse_event(retry=RETRY_MS)


class EventStream(StreamingResponse):
    """The stream of one reader, which joins its watch when the answer begins and leaves it with
    the connection.

    A slow reader is not waited for by others and nothing is kept for it: it is told the newest of
    everything when it can take it, and every fact.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        watches: Watches,
        name: str,
        look: Callable[[], Look],
        *,
        tenant: str,
        last_event_id: str = "",
    ) -> None:
        self._watches = watches
        self._name = name
        self._look = look
        self._tenant = tenant
        self._last_event_id = last_event_id
        super().__init__((), headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._watches.open(self._name, self._look, tenant=self._tenant) as watch:
            self.body_iterator = self._told(watch)
            await super().__call__(scope, receive, send)

    async def _told(self, watch: Watch) -> AsyncIterator[bytes]:
        began_s = self._watches.now()
        yield _BEGINNING
        number, since_s = 0, float("-inf")
        waiting_for_first = True
        while True:
            moved = watch.moved  # before anything is read: what comes later sets this one
            if waiting_for_first and watch.looked:
                waiting_for_first = False
                known = watch.board.find(fact_name(self._last_event_id))
                if known is not None and known.time_s is not None:
                    since_s = known.time_s - OVERLAP_S
            changes = watch.board.after(number)
            if changes:
                number = changes[-1][0]
                wire = b"".join(each.wire for _, each in changes if _is_due(each, since_s))
                if wire:
                    yield wire
                continue
            if watch.end is not None:
                yield watch.end
                return
            too_long = self._watches.now() - began_s >= LONGEST_S
            if watch.broken or too_long or self._watches.ending.is_set():
                return
            await moved.wait()
            if watch.board.latest == number and watch.end is None:
                yield KEEPALIVE_COMMENT


def _is_due(note: Note, since_s: float) -> bool:
    return note.time_s is None or note.time_s >= since_s
