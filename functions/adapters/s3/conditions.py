"""Whether an S3 service keeps to conditions on writes, and how we do without where it does not.

AWS and MinIO do; others say yes and overwrite. So it is asked with a write that must be refused:
one small request a process, and only by processes that need the answer.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from eventing.errors import Unavailable
from functions.adapters.s3 import parts as s3_parts
from functions.adapters.s3.body import Bytes
from functions.adapters.s3.reply import Reply, trouble
from functions.adapters.s3.wire import Request, Wire
from functions.ports import ObjectInfo, StateStore

HIDDEN: Final = ".kinora/"
"""Names in the bucket `work` that begin like this are no keys."""
PROBE: Final = f"{HIDDEN}conditional-writes"
_BODY: Final = b"Says whether this service keeps to conditions on writes.\n"
_LEASE_SILENCES: Final = 12
"""How many times the longest silence of the service a lease is held: longer than it takes to look
and to write a small object, or to do the last step of a big one."""
_WAIT_S: Final = 30.0

Step = Literal["create", "swap", "complete"]
"""If-None-Match on PutObject, If-Match on PutObject, either on CompleteMultipartUpload."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to be there for a write to happen: the object with `etag`, or with "" none."""

    etag: str

    @property
    def headers(self) -> dict[str, str]:
        return {"if-match": f'"{self.etag}"'} if self.etag else {"if-none-match": "*"}

    @property
    def step(self) -> Step:
        return "swap" if self.etag else "create"

    def holds(self, there: ObjectInfo | None) -> bool:
        return (there.etag if there else "") == self.etag


class Conditions:
    """`bucket`: where the probe lies; every process that writes on a condition may write it."""

    def __init__(
        self,
        wire: Wire,
        bucket: str,
        state: Callable[[], StateStore] | None,
        *,
        timeout_s: float,
    ) -> None:
        """`timeout_s`: the service's longest silence."""
        self._lease_s = _LEASE_SILENCES * timeout_s
        self._wire = wire
        self._bucket = bucket
        self._state = state
        self._leases: StateStore | None = None
        self._known: dict[Step, bool] = {}
        self._lock = threading.RLock()

    def kept(self, step: Step) -> bool:
        """Whether the service keeps to conditions at this step. Raises Unavailable."""
        with self._lock:
            if step not in self._known:
                self._known[step] = self._asked(step)
            return self._known[step]

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Of all processes, the only one that is within for this key.

        By a lease of the state store: whoever is stopped in the middle for longer than that
        lasts may overwrite what another wrote meanwhile. Raises Unavailable.
        """
        leases = self._state_store()
        lease, holder = f"commit:{key}", secrets.token_hex(8)
        give_up_s = time.monotonic() + _WAIT_S
        pause_s = 0.01
        while not leases.acquire(lease, holder, ttl_s=self._lease_s):
            if time.monotonic() > give_up_s:
                raise Unavailable(f"others have been writing {key} for long")
            time.sleep(pause_s)
            pause_s = min(0.2, pause_s * 1.5)
        try:
            yield
        finally:
            with contextlib.suppress(Unavailable):  # it runs out by itself
                leases.release(lease, holder)

    def _state_store(self) -> StateStore:
        with self._lock:
            if self._leases is None:
                if self._state is None:
                    raise Unavailable(
                        "this S3 service ignores conditions on writes (If-None-Match, If-Match); "
                        "where KINORA_STATE is set, the state store keeps writers apart instead",
                        retry_after_s=5,
                    )
                self._leases = self._state()
            return self._leases

    def _asked(self, step: Step) -> bool:
        absent = Condition("")
        if step == "create":
            # The first of all makes the object, so its second try tells; later ones are refused.
            return self._refuses(absent) or self._refuses(absent)
        if step == "swap":
            return self._refuses(Condition("0" * 32))
        if not self.kept("create"):  # which also makes the object that is in the way
            return False
        try:
            parts = s3_parts.send(self._wire, self._bucket, PROBE, [Bytes(_BODY)], {})
            reply = parts.complete(absent.headers)
        except s3_parts.Over:
            raise Unavailable(f"{self._bucket}/{PROBE}: its upload was ended") from None
        if reply.status != 200:
            parts.abort()
        return self._is_refused(reply)

    def _refuses(self, condition: Condition) -> bool:
        reply = self._wire.send(
            Request(
                method="PUT",
                bucket=self._bucket,
                name=PROBE,
                headers=condition.headers,
                body=Bytes(_BODY),
            )
        )
        return self._is_refused(reply)

    def _is_refused(self, reply: Reply) -> bool:
        if reply.status in (409, 412):
            return True
        if reply.code == "NoSuchKey":
            return True  # nothing there that could match
        if reply.status in (200, 501):
            return False
        raise trouble(reply, f"PUT {self._bucket}/{PROBE}", self._bucket)
