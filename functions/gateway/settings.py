"""What the gateway reads from its environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from functions import environment
from functions.gateway.access.limits import Limits
from functions.gateway.access.token import Issuer
from functions.jobs import acceptance
from functions.jobs.seal import Seal
from functions.jobs.uploading import PART_BYTES
from functions.media.source import guard
from functions.webhooks.destination import AllowList

SESSION_TTL_S: Final = 12 * 3600.0
WHOLE_BYTES: Final = 3 * 2**28
"""Of a source without an index, for a plan that is only shown: the pod's disk holds 1 GiB."""
UPLOAD_TTL_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    store: str
    """KINORA_STORE: address of the object store."""
    state: str
    """KINORA_STATE: address of the state store."""
    sink: str
    """K_SINK: address of the broker. Knative's own name for it."""
    host: str = "0.0.0.0"
    """KINORA_HOST: address to listen on. Default: 0.0.0.0."""
    port: int = 8080
    """PORT: port to listen on. Default: 8080."""
    acceptance: acceptance.Settings
    seal: Seal
    """KINORA_MASTER_KEY: base64 of 32 random bytes, what secrets are kept under and links are
    signed with; a new one is put before the old ones, separated by commas."""
    public_url: str = ""
    """KINORA_PUBLIC_URL: where clients reach the gateway, for the links it gives out. Default:
    what the request was made to."""
    open_to: str = ""
    """KINORA_OPEN_TO: a tenant whose jobs anybody may see and make who reaches the gateway, without
    a key. Only for a gateway that listens on a loopback address. Default: nobody; what
    `kinora up` starts on such an address is open to `local`, unless KINORA_PUBLIC_URL is set."""
    origins: tuple[str, ...] = ()
    """KINORA_CORS_ORIGINS: origins of pages that may call the API from a browser with a key, as
    `https://app.example`, separated by commas. Default: none but the gateway's own."""
    session_ttl_s: float = SESSION_TTL_S
    """KINORA_SESSION_TTL_S: how long a browser that was shown a key stays signed in. Default:
    12 hours."""
    issuer: Issuer | None = None
    limits: Limits = field(default_factory=Limits)
    encoders: int = 1
    """KINORA_ENCODERS: encoders that work at the same time; chunks are sized for them.
    Default: 1."""
    gpu_encoders: int = 0
    """KINORA_GPU_ENCODERS: encoders with a GPU that work at the same time. Default: 0, where a job
    that asks for a GPU is planned for the CPU at once."""
    bounds: guard.Bounds = field(default_factory=guard.Bounds)
    scratch: Path = Path("/tmp/kinora-gateway")
    """KINORA_SCRATCH: folder for the local copy of a source's headers, and of parts of uploads.
    Default: the system's temporary folder."""
    metrics_token: str = ""
    """KINORA_METRICS_TOKEN: whoever reads `/metrics` has to show it as a bearer token. Default:
    anybody may who reaches the gateway; no tenant shows in it."""
    allow: AllowList = field(default_factory=AllowList)
    part_bytes: int = PART_BYTES
    """KINORA_UPLOAD_PART_BYTES: size of the parts in which uploads pass through the gateway, which
    keeps two of each in memory; those of very large files are larger. Default: 8 MiB."""
    receptions: int = 16
    """KINORA_RECEPTIONS: uploads that pass through one gateway process at the same time, a quarter
    of them of tenants with no other; those with larger parts count for several. Default: 16."""
    upload_ttl_s: float = UPLOAD_TTL_S
    """KINORA_UPLOAD_TTL_S: how long an upload may take before it is aborted. Default: 24 hours."""
    public_media: bool = False
    """KINORA_PUBLIC_MEDIA: 1 lets anybody play every job's outputs who knows its id. Default: 0,
    with a signed link, or where the job's option `public` is set."""
    players: tuple[str, ...] = ()
    """KINORA_PLAYER_ORIGINS: origins of pages whose players may read outputs, separated by commas;
    `*` for every page. Default: none but the gateway's own."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Raises ValueError for what is missing or wrong."""
        host = env.get("KINORA_HOST") or "0.0.0.0"
        open_to = env.get("KINORA_OPEN_TO", "")
        if open_to and not is_loopback(host):
            raise ValueError(
                "KINORA_OPEN_TO lets anybody in who reaches the gateway: KINORA_HOST must be a"
                f" loopback address then, not {host!r}"
            )
        bounds = guard.Bounds.read(env)
        return cls(
            store=environment.text(env, "KINORA_STORE"),
            state=environment.text(env, "KINORA_STATE"),
            sink=environment.text(env, "K_SINK"),
            host=host,
            port=environment.count(env, "PORT", 8080),
            acceptance=acceptance.Settings.read(env),
            seal=Seal.read(env),
            public_url=_address(env, "KINORA_PUBLIC_URL"),
            open_to=open_to,
            origins=_origins(env.get("KINORA_CORS_ORIGINS", "")),
            session_ttl_s=environment.seconds(env, "KINORA_SESSION_TTL_S", SESSION_TTL_S),
            issuer=Issuer.read(env),
            limits=Limits.read(env),
            encoders=environment.count(env, "KINORA_ENCODERS", 1),
            gpu_encoders=environment.count(env, "KINORA_GPU_ENCODERS", 0, least=0),
            bounds=replace(bounds, whole_bytes=min(bounds.whole_bytes, WHOLE_BYTES)),
            scratch=environment.scratch(env, "gateway"),
            metrics_token=env.get("KINORA_METRICS_TOKEN", ""),
            allow=AllowList.read(env),
            part_bytes=environment.count(env, "KINORA_UPLOAD_PART_BYTES", PART_BYTES),
            receptions=environment.count(env, "KINORA_RECEPTIONS", 16),
            upload_ttl_s=environment.seconds(env, "KINORA_UPLOAD_TTL_S", UPLOAD_TTL_S),
            public_media=environment.switch(env, "KINORA_PUBLIC_MEDIA"),
            players=_players(env.get("KINORA_PLAYER_ORIGINS", "")),
        )


def is_loopback(host: str) -> bool:
    """True for a name or address that only this machine itself reaches."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _address(env: Mapping[str, str], name: str) -> str:
    given = env.get(name, "").rstrip("/")
    if given and urlsplit(given).scheme not in ("http", "https"):
        raise ValueError(f"{name} is http://… or https://…, not {given!r}")
    return given


def _origins(text: str, name: str = "KINORA_CORS_ORIGINS") -> tuple[str, ...]:
    found = tuple(each.strip().rstrip("/") for each in text.split(",") if each.strip())
    for each in found:
        # `*` would let every page on the net use a key that it got hold of.
        if not _origin_of(each) or _origin_of(each) != each:
            raise ValueError(f"{name}: {each!r} is no origin like https://app.example")
    return found


def _players(text: str) -> tuple[str, ...]:
    # What is read there takes no key: it is known to who has the link.
    return ("*",) if text.strip() == "*" else _origins(text, "KINORA_PLAYER_ORIGINS")


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()
