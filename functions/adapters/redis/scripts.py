"""The scripts beside this file (lua/), run on a Redis: each is one step that nobody else sees half.

`redis` is imported when the first script runs: a function that starts from zero does not wait for
it, and most of their requests need it only after they read something else.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eventing.errors import Unavailable
from functions.adapters.redis.address import RedisAddress

if TYPE_CHECKING:
    import redis

_FOLDER: Final = Path(__file__).with_name("lua")
_QUEUE: Final = ("names", "queue", "slot")

_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "acquire": ("names", "clock"),
    "renew": ("names", "clock"),
    "release": ("names",),
    "release_all": ("names",),
    "holders": ("names", "clock"),
    "complete": _QUEUE,
    "enqueue": _QUEUE,
    "admit": (*_QUEUE, "clock"),
    "slots": (*_QUEUE, "clock"),
    "granted": (*_QUEUE, "clock"),
    "keep_slot": (*_QUEUE, "clock"),
    "forget": _QUEUE,
    "report": ("names",),
    "progress": ("names",),
}
"""What each script is preceded by: Redis knows no modules."""

_FLAGS: Final = {
    # Allowed on a server without memory, which refuses every other script before it begins, so
    # that none ends in the middle: https://redis.io/docs/latest/develop/programmability/eval-intro/
    "release": "allow-oom",
    "release_all": "allow-oom",
    "forget": "allow-oom",
    "holders": "no-writes",
    "slots": "no-writes",
    "granted": "no-writes",
    "progress": "no-writes",
}


@cache
def script(name: str) -> tuple[str, str]:
    """Its text and the SHA-1 under which a server keeps it."""
    flags = _FLAGS.get(name)
    parts = [(_FOLDER / f"{part}.lua").read_text() for part in (*_NEEDS[name], name)]
    text = "\n".join(["#!lua flags=" + flags if flags else "#!lua", *parts])
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisScripts:
    """Runs scripts by name. Safe for many threads.

    Every script may run twice, so one whose connection broke is sent once more: whoever asks again
    for a lease has it, a set takes a member twice, a cause of admission is answered with what it
    was granted. A frozen server that goes on may run what nobody waits for any more; that is the
    same.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._client: redis.Redis | None = None

    def close(self) -> None:
        """Close the connections. The next call opens new ones."""
        self._leave(self._client)

    def run(self, name: str, *arguments: str | int | float) -> Any:
        """What the script returns.

        Raises Unavailable for a server that cannot be reached, does not answer in time or refuses
        what it cannot do now, `redis.ResponseError` for a script that is wrong.
        """
        import redis

        try:
            try:
                return self._run(self._connected(self._address), name, arguments)
            except redis.exceptions.MovedError as moved:
                # All keys are in one slot of the cluster: one node has them, until they move.
                node = replace(self._address, host=moved.host, port=moved.port)
                self._leave(self._client)
                return self._run(self._connected(node), name, arguments)
        except redis.RedisError as error:
            if _is_defect(error):
                raise
            # After a fail-over the address leads elsewhere, which only new connections find.
            self._leave(self._client)
            raise Unavailable(f"state store: {_sentence(self._address, error)}") from error

    def _run(self, client: Any, name: str, arguments: tuple[str | int | float, ...]) -> Any:
        import redis

        text, sha1 = script(name)
        root = f"{{{self._address.prefix}}}"
        try:
            return client.execute_command("EVALSHA", sha1, 1, root, *arguments)
        except redis.exceptions.NoScriptError:
            # New here, restarted or flushed: sending the text makes the server keep it again.
            return client.execute_command("EVAL", text, 1, root, *arguments)

    def _connected(self, address: RedisAddress) -> redis.Redis:
        import redis

        with self._lock:
            if self._client is None:
                self._client = redis.Redis(connection_pool=address.pool())
            return self._client

    def _leave(self, client: redis.Redis | None) -> None:
        """Connect anew with the next call, unless another thread did already."""
        with self._lock:
            if client is None or client is not self._client:
                return
            self._client = None
        # Those that other threads are using are left to them.
        client.connection_pool.disconnect(inuse_connections=False)


def _is_defect(error: redis.RedisError) -> bool:
    """Whether the script itself is at fault, and no state that passes."""
    import redis

    text = str(error)
    return isinstance(error, redis.ResponseError) and (
        text.startswith("WRONGTYPE")
        or ("user_script" in text and text.startswith(("ERR", "user_script")))
        or text.startswith("Error compiling script")
    )


def _sentence(address: RedisAddress, error: redis.RedisError) -> str:
    from redis import exceptions

    match error:
        case exceptions.TimeoutError():
            return f"{address} did not answer within {address.timeout_s:g} s"
        case exceptions.BusyLoadingError():
            return f"{address} is still loading its data"
        case exceptions.ReadOnlyError():
            return f"{address} is a replica that takes no writes"
        case exceptions.OutOfMemoryError():
            return f"{address} has no memory left (maxmemory)"
        case exceptions.AuthenticationError():
            return f"{address} refuses the user or the password: {error}"
        case exceptions.NoPermissionError():
            return f"{address} does not let this user do that: {error}"
        case exceptions.ConnectionError():
            return f"{address} cannot be reached: {error}"
    return f"{address} refuses: {error}"
