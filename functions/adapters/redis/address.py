"""Where a Redis is and how it is spoken to, from one URL; imports `redis` only to connect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    import redis

CONNECT_TIMEOUT_S: Final = 2.0
COMMAND_TIMEOUT_S: Final = 5.0
"""Each script takes well under a millisecond: a server that is silent for so long is frozen."""

_PORT: Final = 6379
_PREFIX: Final = "kinora"
_OPTIONS: Final = ("ca", "prefix", "timeout_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """A Redis 7 or newer, or what speaks like one (Valkey)."""

    host: str
    port: int = _PORT
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    """PEM file of the authorities that may have signed its certificate, "" for the system's."""
    prefix: str = _PREFIX
    """What its keys begin with, as hash tag: all of them are in one slot of a cluster."""
    timeout_s: float = COMMAND_TIMEOUT_S
    """How long one command may take before the server counts as frozen."""

    @classmethod
    def at(cls, location: str) -> RedisAddress:
        """`redis[s]://[[user]:password@]host[:port][/db][?prefix=kinora&timeout_s=5&ca=/ca.pem]`.

        Raises ValueError, which never shows the password, for what is no such address.
        """
        parts = urlsplit(location)
        if parts.scheme not in ("redis", "rediss"):
            raise ValueError("a Redis is redis://host or rediss://host")
        if not parts.hostname or parts.fragment:
            raise ValueError(f"{parts.scheme}://…: a Redis is named by its host, and has no '#'")
        where = f"{parts.scheme}://{parts.hostname}"
        db = parts.path.strip("/") or "0"
        if not (db.isascii() and db.isdigit()):
            raise ValueError(f"{where}: a Redis database is a number, not {db!r}")
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"{where}: the port is no number up to 65535") from None
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - set(_OPTIONS)):
            raise ValueError(f"{where}: unknown option {unknown[0]!r}")
        if options.get("ca") and parts.scheme != "rediss":
            raise ValueError(f"{where}: option 'ca' is for rediss://")
        prefix = options.get("prefix", _PREFIX)
        if not prefix or set(prefix) & set("{}"):
            raise ValueError(f"{where}: option 'prefix' is a word without braces")
        return cls(
            host=parts.hostname,
            port=_PORT if port is None else port,
            db=int(db),
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            tls=parts.scheme == "rediss",
            ca_file=options.get("ca", ""),
            prefix=prefix,
            timeout_s=_seconds(where, options.get("timeout_s", str(COMMAND_TIMEOUT_S))),
        )

    def __str__(self) -> str:
        """For people, without what is secret."""
        return f"Redis at {self.host}:{self.port}"

    def pool(self) -> redis.ConnectionPool:
        """Connections for any number of threads. Nothing is connected yet."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        secure: dict[str, Any] = {}
        if self.tls:
            secure = {
                "connection_class": redis.SSLConnection,
                "ssl_ca_certs": self.ca_file or None,
            }
        return redis.ConnectionPool(
            host=self.host,
            port=self.port,
            db=self.db,
            username=self.username or None,
            password=self.password or None,
            socket_connect_timeout=min(CONNECT_TIMEOUT_S, self.timeout_s),
            socket_timeout=self.timeout_s,
            # A connection that the server closed in the meantime is replaced once, at once. What
            # was not answered in time is not asked again: the server is frozen.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            # Nothing of RESP 3 is used, and each greeting is a round trip of a cold start.
            protocol=2,
            driver_info=None,
            decode_responses=True,
            **secure,
        )


def _seconds(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 600:
        raise ValueError(f"{where}: option 'timeout_s' is a number of seconds up to 600")
    return value
