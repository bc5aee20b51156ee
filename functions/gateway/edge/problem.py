"""What a request is answered that cannot be met: RFC 9457, with a stable `type`.

docs/problems.md is generated from this table. A code never changes its meaning.

A route raises `Problem(code, detail)` and declares which codes it may end with:

    @router.get("/jobs/{job}", responses=responses("not-found"))

What any route of the API may end with (`EVERYWHERE`) is declared where the routers are included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:kinora:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """`title` is the same on every occurrence; `detail` of an occurrence says what to do."""

    code: str
    status: HTTPStatus
    title: str


KINDS: Final[tuple[Kind, ...]] = (
    Kind("unauthorized", HTTPStatus.UNAUTHORIZED, "The request carries no valid credentials."),
    Kind("forbidden", HTTPStatus.FORBIDDEN, "The credentials do not allow this."),
    Kind("not-found", HTTPStatus.NOT_FOUND, "There is no such thing."),
    Kind("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, "This cannot be done with it."),
    Kind("too-slow", HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time."),
    Kind("conflict", HTTPStatus.CONFLICT, "It is not in a state that allows this."),
    Kind("gone", HTTPStatus.GONE, "It was here and is no more."),
    Kind(
        "precondition-failed",
        HTTPStatus.PRECONDITION_FAILED,
        "A condition in a header does not hold.",
    ),
    Kind("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "It is larger than is taken."),
    Kind("unsupported", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A body of this type is not read."),
    Kind("range", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "There are no such bytes."),
    Kind("invalid", HTTPStatus.UNPROCESSABLE_ENTITY, "The request does not say what it has to."),
    Kind("refused", HTTPStatus.UNPROCESSABLE_ENTITY, "The source cannot be taken."),
    Kind("key-reused", HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was another's."),
    Kind("too-many", HTTPStatus.TOO_MANY_REQUESTS, "More was asked than is allowed at a time."),
    Kind("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "This is a defect here."),
    Kind("unavailable", HTTPStatus.SERVICE_UNAVAILABLE, "Something needed cannot be reached."),
)
_BY_CODE: Final = {kind.code: kind for kind in KINDS}

EVERYWHERE: Final = (
    "unauthorized",
    "forbidden",
    "too-slow",
    "too-large",
    "invalid",
    "too-many",
    "internal",
    "unavailable",
)
"""What every route of the API may end with, whatever it does."""

SCHEMA: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "RFC 9457. Some kinds have members of their own beside these.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "enum": [TYPE_PREFIX + kind.code for kind in KINDS]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do about it."},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Of a refusal, see docs/refusals.md."},
        "errors": {
            "type": "array",
            "description": "What is wrong in the request, each with the path of its field.",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
    },
}
"""`#/components/schemas/Problem` of the OpenAPI document."""


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """These problems, for the `responses=` of a route or a router.

    Raises KeyError for a code of no kind.
    """
    found: dict[int | str, dict[str, Any]] = {}
    declared = {_BY_CODE[code] for code in codes}
    # A route's entry replaces its router's of the same status.
    statuses = {kind.status for kind in declared}
    declared |= {_BY_CODE[code] for code in EVERYWHERE if _BY_CODE[code].status in statuses}
    for kind in KINDS:
        if kind not in declared:
            continue
        entry = found.setdefault(
            int(kind.status),
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        entry["description"] = " ".join(
            filter(None, (entry["description"], f"`{kind.code}`: {kind.title}"))
        )
        if kind.status in _RETRIED:
            entry["headers"] = {
                "retry-after": {
                    "description": "Seconds after which to try again.",
                    "schema": {"type": "integer"},
                }
            }
    return found


_RETRIED: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Problem(Exception):
    """The answer to a request that cannot be met. Raises KeyError for a code of no kind.

    `facts` are members of their own beside the standard ones (`code` of a refusal, `field` …).
    """

    def __init__(
        self, code: str, detail: str, /, *, headers: Mapping[str, str] | None = None, **facts: Any
    ) -> None:
        super().__init__(detail)
        self.kind = _BY_CODE[code]
        self.detail = detail
        self.headers = dict(headers or {})
        self.facts = facts

    def body(self, instance: str) -> dict[str, Any]:
        return {
            "type": TYPE_PREFIX + self.kind.code,
            "title": self.kind.title,
            "status": int(self.kind.status),
            "detail": self.detail,
            "instance": instance,
            **self.facts,
        }
