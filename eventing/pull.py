"""Pull mode: what is due and nobody works on, handled one after the other until there is no more.

    K_SINK=http://… python -m eventing.pull functions.encoder.main

For a pod that was started because something waits, as KEDA's ScaledJob does. The module has a
`function`, whose host handles each event as if a broker had delivered it, and `due`, which tells
the events that wait.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from eventing.errors import Unavailable
from eventing.job import DONE, NOT_NOW, handle, leave_on_signals
from eventing.serve import FLUSH_DEADLINE_S, Settings

if TYPE_CHECKING:
    from eventing.contract import Event
    from eventing.host import Host

LINGER_S: Final = 10.0
"""How long a pod without work waits for more: what hands it out may just be starting from zero, and
so would the pod that comes instead of this one."""
LOOK_S: Final = 1.0
TAKES_S: Final = 1800.0
"""Nothing is begun after that, so that pods of another release come to their turn."""

Due = Callable[[], Sequence["Event"]]

_log = logging.getLogger(__name__)


def work(
    host: Host,
    due: Due,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Handle what is due, each once: what fails here is left to another pod. Returns the exit code,
    which is not 0 if anything failed."""
    from eventing import codec
    from eventing.cloudevent import timestamp
    from eventing.contract import identity
    from eventing.envelope import wrap

    tried: set[str] = set()
    code = DONE
    ends_s = clock() + TAKES_S
    gone_s = clock() + LINGER_S
    while clock() < min(ends_s, gone_s):
        try:
            found = [event for event in due() if identity(event) not in tried]
        except Unavailable as error:
            _log.warning("nobody says what is due: %s", error.reason)
            found, code = [], NOT_NOW
        if not found:
            sleep(LOOK_S)
            continue
        tried.add(identity(found[0]))
        event = wrap(found[0], producer=host.name, time=timestamp(time.time()))
        ended = handle(host, codec.encode(event, mode="structured").body, patience_s=0)
        code = ended or code
        gone_s = clock() + LINGER_S
    return code


def main(argv: Sequence[str]) -> None:
    """Handle what is due to the module named by `argv`, and exit. On SIGTERM as a Job does."""
    if len(argv) != 1:
        sys.exit("usage: python -m eventing.pull MODULE")
    leave_on_signals()
    settings = Settings.read(os.environ)

    from eventing import log, telemetry
    from eventing.host import host_of

    log.start(settings.log_level)
    module = importlib.import_module(argv[0])
    host = host_of(module.function)
    telemetry.start(host.name, os.environ)
    try:
        code = work(host, module.due)
    finally:
        telemetry.stop(FLUSH_DEADLINE_S)
        host.close()
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
