"""The life of a runtime, from its start to the signal that ends it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from knative.local.runtime import Runtime

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


def run(runtime: Runtime, *, started: Callable[[], Awaitable[None]] | None = None) -> int:
    """Run until a signal: SIGTERM drains (exit code 0), SIGINT aborts (130), also a drain.

    `started` is awaited once the runtime takes events. Returns the exit code.
    """
    return asyncio.run(_run(runtime, started))


async def _run(runtime: Runtime, started: Callable[[], Awaitable[None]] | None) -> int:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[bool] = loop.create_future()
    again = asyncio.Event()

    def tell(drain: bool) -> None:
        if not told.done():
            told.set_result(drain)
        elif not drain:
            again.set()

    loop.add_signal_handler(signal.SIGTERM, tell, True)
    loop.add_signal_handler(signal.SIGINT, tell, False)
    try:
        await runtime.start()
        if started is not None:
            await started()
        drain = await told
        stopping = loop.create_task(runtime.stop(drain=drain))
        if drain:
            interrupted = loop.create_task(again.wait())
            await asyncio.wait([stopping, interrupted], return_when=asyncio.FIRST_COMPLETED)
            interrupted.cancel()
            if not stopping.done():
                stopping.cancel()
                with suppress(asyncio.CancelledError):
                    await stopping
                await runtime.stop(drain=False)
                return INTERRUPTED
        await stopping
        return 0 if drain else INTERRUPTED
    except BaseException:
        await runtime.stop(drain=False)
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
