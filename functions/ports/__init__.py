"""What functions need from the world, as small protocols. Adapters keep the promises.

Each port has one conformance suite (tests/contract/), which every adapter passes, fakes among
them. All methods raise `eventing.errors.Unavailable` when the thing behind cannot be reached.
"""

from __future__ import annotations

from functions.ports.clock import Clock
from functions.ports.limiter import Allowance, Limiter
from functions.ports.objects import Absent, ByteRange, ObjectInfo, ObjectStore
from functions.ports.process import Finished, Limits, Process, Stopped
from functions.ports.state import Slot, StateStore, Waiting
from functions.ports.uploads import MAX_PARTS, Part, SignedPost, Uploads
from functions.ports.webhook import Answer, Post, Webhook

__all__ = [
    "MAX_PARTS",
    "Absent",
    "Allowance",
    "Answer",
    "ByteRange",
    "Clock",
    "Finished",
    "Limiter",
    "Limits",
    "ObjectInfo",
    "ObjectStore",
    "Part",
    "Post",
    "Process",
    "SignedPost",
    "Slot",
    "StateStore",
    "Stopped",
    "Uploads",
    "Waiting",
    "Webhook",
]
