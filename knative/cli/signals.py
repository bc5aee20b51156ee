"""Signals as the end of a coroutine, so that whatever it had begun is undone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Set
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, NoReturn, TypeVar

from knative.cli.command import Interrupted

T = TypeVar("T")

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def abortable(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns. The first signal that ends programs cancels it, others change nothing.

    Raises Interrupted once `work` has cleaned up after a signal.
    """
    # One that comes while the loop is being made waits until the loop has its handlers.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        return asyncio.run(_with_handlers(work, before))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _with_handlers(work: Callable[[], Coroutine[Any, Any, T]], unmasked: Set[int]) -> T:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work())
    aborted = False

    def abort() -> None:
        nonlocal aborted
        if not aborted:
            aborted = True
            task.cancel()

    for number in ENDING:
        loop.add_signal_handler(number, abort)
    signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
    try:
        return await task
    except asyncio.CancelledError:
        if aborted:
            raise Interrupted from None
        raise


@contextmanager
def raised() -> Iterator[None]:
    """Signals that end programs raise KeyboardInterrupt, so that what was begun is undone."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_off() -> Iterator[None]:
    """Signals that end programs are ignored: for the last steps of cleaning up."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
