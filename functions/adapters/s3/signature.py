"""AWS Signature Version 4 for S3: requests, presigned URLs and presigned forms.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


def percent(text: str, *, slash: bool = False) -> str:
    """`text` as paths (with `slash`) and queries spell it: every byte that is not unreserved."""
    return quote(text, safe="-_.~/" if slash else "-_.~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs in the name of one access key. `now_s` is POSIX time; a service takes what is at most
    15 minutes off."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    region: str

    def headers(
        self, method: str, url: str, headers: Mapping[str, str], *, body_sha256: str, now_s: float
    ) -> dict[str, str]:
        """`headers` and those that make the request one of the access key's."""
        time = _time(now_s)
        signed = {
            **{name.lower(): value for name, value in headers.items()},
            "x-amz-content-sha256": body_sha256,
            "x-amz-date": time,
        }
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        every = {**signed, "host": urlsplit(url).netloc}
        signature = self._signature(method, url, urlsplit(url).query, every, body_sha256, time)
        return {
            **signed,
            "authorization": f"{_ALGORITHM} Credential={self.access_key}/{self._scope(time)},"
            f"SignedHeaders={_names(every)},Signature={signature}",
        }

    def url(
        self, method: str, url: str, headers: Mapping[str, str], *, ttl_s: int, now_s: float
    ) -> str:
        """`url` with everything that lets anybody make the request, who sends these `headers`."""
        time = _time(now_s)
        every = {
            **{name.lower(): value for name, value in headers.items()},
            "host": urlsplit(url).netloc,
        }
        fields = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{self._scope(time)}",
            "X-Amz-Date": time,
            "X-Amz-Expires": str(ttl_s),
            "X-Amz-SignedHeaders": _names(every),
        }
        if self.session_token:
            fields["X-Amz-Security-Token"] = self.session_token
        added = "&".join(f"{name}={percent(value)}" for name, value in fields.items())
        query = "&".join(part for part in (urlsplit(url).query, added) if part)
        signature = self._signature(method, url, query, every, _UNSIGNED, time)
        return f"{url.partition('?')[0]}?{query}&X-Amz-Signature={signature}"

    def form(
        self,
        fields: Mapping[str, str],
        conditions: Sequence[Sequence[object]],
        *,
        ttl_s: int,
        now_s: float,
    ) -> dict[str, str]:
        """The fields of a form that may be posted: exactly `fields`, under `conditions`."""
        time = _time(now_s)
        every = {
            **fields,
            "x-amz-algorithm": _ALGORITHM,
            "x-amz-credential": f"{self.access_key}/{self._scope(time)}",
            "x-amz-date": time,
        }
        if self.session_token:
            every["x-amz-security-token"] = self.session_token
        expires = datetime.fromtimestamp(now_s, tz=UTC) + timedelta(seconds=ttl_s)
        policy: dict[str, Any] = {
            "expiration": expires.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [*conditions, *(["eq", f"${name}", it] for name, it in every.items())],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        return {**every, "policy": encoded, "x-amz-signature": self._sign(encoded, time)}

    def _signature(
        self,
        method: str,
        url: str,
        query: str,
        headers: Mapping[str, str],
        body_sha256: str,
        time: str,
    ) -> str:
        # Task 1 and 2 of the specification: the canonical request, and the string to sign.
        request = "\n".join(
            (
                method,
                urlsplit(url).path or "/",
                "&".join(sorted(query.split("&"))),
                *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)),
                "",
                _names(headers),
                body_sha256,
            )
        )
        hashed = hashlib.sha256(request.encode()).hexdigest()
        return self._sign("\n".join((_ALGORITHM, time, self._scope(time), hashed)), time)

    def _scope(self, time: str) -> str:
        return f"{time[:8]}/{self.region}/s3/aws4_request"

    def _sign(self, text: str, time: str) -> str:
        key = f"AWS4{self.secret_key}".encode()
        for part in self._scope(time).split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def _names(headers: Mapping[str, str]) -> str:
    return ";".join(sorted(headers))


def _time(now_s: float) -> str:
    return datetime.fromtimestamp(now_s, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
