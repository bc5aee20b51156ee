"""What an S3 service answered, and what is to be made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eventing.errors import Unavailable

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")
_MESSAGE: Final = re.compile(rb"<Message>([^<]*)</Message>")

BUSY: Final = frozenset({429, 500, 502, 503, 504})
"""The service, or something before it, may do better next time."""
NOT_NOW: Final = frozenset({429, 503})
"""Of these, nothing was done."""

_KEYS: Final = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidTokenId",
        "SignatureDoesNotMatch",
        "InvalidToken",
        "ExpiredToken",
        "TokenRefreshRequired",
    }
)
_REGIONS: Final = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect"}
)
_NAMES: Final = frozenset(
    {"XMinioInvalidObjectName", "XMinioInvalidResourceName", "KeyTooLongError", "InvalidURI"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def code(self) -> str:
        """S3's word for what is wrong; "" where the reply has none (a HEAD has no body)."""
        found = _CODE.search(self.body)
        return found[1].decode() if found else self.headers.get("x-minio-error-code", "")

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "").strip('"')

    @property
    def is_name_refused(self) -> bool:
        """The service cannot have an object of this name."""
        return self.status == 400 and self.code in _NAMES


def trouble(reply: Reply, what: str, bucket: str) -> Unavailable:
    """What a reply that nobody expected means, in a sentence. `what`: `PUT work/a`."""
    code = reply.code
    if reply.status in BUSY:
        given = reply.headers.get("retry-after", "")
        wanted_s = int(given) if given.isdecimal() and given.isascii() else 1
        answer = f"{reply.status} {code}".strip()
        return Unavailable(
            f"{what}: the S3 service answered {answer}", retry_after_s=max(1, min(wanted_s, 60))
        )
    if code == "NoSuchBucket":
        return no_bucket(bucket)
    return Unavailable(_reason(reply, code, what, bucket), retry_after_s=5)


def no_bucket(bucket: str) -> Unavailable:
    return Unavailable(
        f"there is no bucket {bucket}; `kinora buckets init` makes the buckets", retry_after_s=5
    )


def _reason(reply: Reply, code: str, what: str, bucket: str) -> str:
    if code in _KEYS:
        return (
            f"the S3 service does not accept our keys ({code}): AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN must be those of an account there"
        )
    if code == "RequestTimeTooSkewed":
        return "the S3 service's clock and ours are too far apart for signed requests"
    if code in _REGIONS or reply.status in (301, 307):
        region = reply.headers.get("x-amz-bucket-region", "")
        there = f"in the region {region}" if region else "in another region"
        return f"the S3 service has {bucket} {there}: AWS_REGION must name it"
    if reply.status == 403:
        return f"{what}: these keys may not do that ({code or 'Forbidden'})"
    found = _MESSAGE.search(reply.body)
    said = found[1].decode(errors="replace") if found else ""
    answer = " ".join(each for each in (str(reply.status), code, said) if each)
    return f"{what}: the S3 service answered {answer}"
