"""What a storage says happened in its buckets, as events: only that, and nothing is kept.

A notification is a hint: what gets lost, the sweeper finds. So there is no storing and no counting
here, and what cannot be understood is logged and dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from eventing.codec import Headers
from eventing.contract import Event
from eventing.sources import dialect
from eventing.sources.item import Buckets
from eventing.sources.remark import Remark, shown
from functions.jobs import naming

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Hears notifications of `buckets`, those that sources are dropped in."""

    buckets: Buckets

    def hear(self, headers: Headers, body: bytes) -> Iterator[Event]:
        """Each new object that is a source by its name."""
        for said in dialect.read(headers, body, self.buckets):
            if isinstance(said, Remark):
                level = logging.WARNING if said.wrong else logging.INFO
                _log.log(level, "nothing to tell", extra={"facts": {"reason": said.text}})
            elif not naming.is_source(said.key):
                reason = f"{shown(said.key)} is no source by its name"
                _log.info("nothing to tell", extra={"facts": {"reason": reason}})
            else:
                yield said
