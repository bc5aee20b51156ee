"""An account at an S3 service, from the usual environment, and what its buckets are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from functions import environment
from functions.adapters.s3.signature import Signer
from functions.jobs import layout

_TIMEOUT_S: Final = 10.0
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How an S3 service is reached, and in whose name."""

    endpoint: str
    """AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL: where an S3 service other than that of AWS is, like
    `http://minio:9000`."""
    public_endpoint: str
    """KINORA_S3_PUBLIC_ENDPOINT: the same service as clients reach it, for what is presigned.
    Default: the endpoint."""
    region: str
    """AWS_REGION, AWS_DEFAULT_REGION: where the buckets are. Default: us-east-1."""
    access_key: str
    """AWS_ACCESS_KEY_ID: in whose name the buckets are used; an S3 store needs it."""
    secret_key: str
    """AWS_SECRET_ACCESS_KEY: the secret of that key."""
    session_token: str
    """AWS_SESSION_TOKEN: belongs to keys that were lent for a time."""
    path_style: bool
    """KINORA_S3_PATH_STYLE: 1 for buckets in the path, 0 for buckets as host names. Default: 1
    where an endpoint is named."""
    ca_file: str
    """AWS_CA_BUNDLE: certificates to trust in place of the system's, a PEM file."""
    timeout_s: float = _TIMEOUT_S
    """KINORA_S3_TIMEOUT_S: how long the service may be silent. Default: 10."""
    attempts: int = _ATTEMPTS
    """KINORA_S3_ATTEMPTS: how often a request is sent that had no answer, or 500, 502, 503 or 504
    for one. Default: 3, within a second; who called tries again later."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Account:
        """Raises ValueError for what is wrong."""
        endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or ""
        for given in (endpoint, env.get("KINORA_S3_PUBLIC_ENDPOINT") or ""):
            if given and urlsplit(given).scheme not in ("http", "https"):
                raise ValueError(f"an S3 endpoint is http://… or https://…, not {given!r}")
        return cls(
            endpoint=endpoint.rstrip("/"),
            public_endpoint=(env.get("KINORA_S3_PUBLIC_ENDPOINT") or endpoint).rstrip("/"),
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1",
            access_key=env.get("AWS_ACCESS_KEY_ID", ""),
            secret_key=env.get("AWS_SECRET_ACCESS_KEY", ""),
            session_token=env.get("AWS_SESSION_TOKEN", ""),
            path_style=environment.switch(env, "KINORA_S3_PATH_STYLE", default=bool(endpoint)),
            ca_file=env.get("AWS_CA_BUNDLE", ""),
            timeout_s=environment.seconds(env, "KINORA_S3_TIMEOUT_S", _TIMEOUT_S),
            attempts=environment.count(env, "KINORA_S3_ATTEMPTS", _ATTEMPTS),
        )

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.endpoint or self._aws

    @property
    def public_url(self) -> str:
        """Where clients reach it."""
        return self.public_endpoint or self._aws

    @property
    def signer(self) -> Signer:
        """Signs in the name of its access key."""
        return Signer(
            access_key=self.access_key,
            secret_key=self.secret_key,
            session_token=self.session_token,
            region=self.region,
        )

    @property
    def _aws(self) -> str:
        return f"https://s3.{self.region}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Buckets:
    """`s3://kinora`: the buckets kinora-uploads, kinora-work and kinora-media; `s3://`: uploads,
    work and media. Other buckets (KINORA_TENANTS) are called what they are."""

    prefix: str = ""

    @classmethod
    def at(cls, location: str) -> Buckets:
        """Raises ValueError for what is no such address."""
        parts = urlsplit(location)
        if parts.scheme != "s3" or parts.path.strip("/") or parts.query:
            raise ValueError(f"{location!r}: an S3 store is s3:// or s3://<prefix of the buckets>")
        return cls(parts.netloc)

    def real(self, name: str) -> str:
        """What the service calls the bucket that keys begin with `name`."""
        return f"{self.prefix}-{name}" if self.prefix and name in layout.BUCKETS else name
