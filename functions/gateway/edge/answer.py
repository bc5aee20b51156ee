"""What goes wrong, as problems: every way in which a route may fail has its answer here."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eventing.errors import Rejected, Unavailable
from eventing.publish import Refused
from functions.gateway.edge.allowed import Allowed
from functions.gateway.edge.problem import MEDIA_TYPE, Problem

_log = logging.getLogger(__name__)

DEFECT: Final = Problem(
    "internal",
    "This is a defect in Kinora, not in the request. Its log says more, under the id in"
    " `x-request-id`.",
)
NO_ROOM: Final = Problem(
    "unavailable",
    "Too much is open here at once. Try again in a second.",
    headers={"retry-after": "1"},
)
_MOST_ERRORS: Final = 20

_BY_STATUS: Final = {
    HTTPStatus.UNAUTHORIZED: Problem("unauthorized", "Send an API key."),
    HTTPStatus.FORBIDDEN: Problem("forbidden", "The credentials do not allow this."),
    HTTPStatus.NOT_FOUND: Problem("not-found", "There is nothing under this path."),
    HTTPStatus.REQUEST_TIMEOUT: Problem("too-slow", "Send the body faster, or a smaller one."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Problem("too-large", "Send a smaller body."),
    HTTPStatus.BAD_REQUEST: Problem("invalid", "The body is not what its type says."),
}


def problem(found: Problem, path: str) -> Response:
    """The answer that tells of it."""
    # ASCII: a request may hold what UTF-8 has no bytes for (lone surrogates), and name it so.
    return Response(
        json.dumps(found.body(path)),
        status_code=int(found.kind.status),
        headers=found.headers,
        media_type=MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Let `app`, with all its routes, answer with a problem wherever one ends with one of these."""
    for kind, told in _TOLD.items():
        app.add_exception_handler(kind, _handler(told))
    allowed = Allowed(app)

    async def not_allowed(request: Request, error: Exception) -> Response:
        methods = ", ".join(allowed.at(request.url.path))
        found = Problem("method-not-allowed", f"Allowed: {methods}.", headers={"allow": methods})
        return problem(found, request.url.path)

    app.add_exception_handler(HTTPStatus.METHOD_NOT_ALLOWED, not_allowed)


def _handler(
    told: Callable[[Any], Problem],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        return problem(told(error), request.url.path)

    return handle


def _itself(error: Problem) -> Problem:
    return error


def _unavailable(error: Unavailable) -> Problem:
    _log.warning("not now", extra={"facts": {"reason": error.reason}})
    wait_s = max(1, error.retry_after_s)
    return Problem(
        "unavailable",
        f"Something that is needed cannot be reached. Try again in {wait_s} s.",
        headers={"retry-after": str(wait_s)},
    )


def _rejected(error: Rejected) -> Problem:
    return Problem("refused", error.reason, code=error.code)


def _refused(error: Refused) -> Problem:
    # The broker will never take what we sent.
    _log.error("the broker refuses an event", exc_info=error)
    return DEFECT


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"field": _path(each["loc"]), "problem": _wrong(each)}
        for each in error.errors()[:_MOST_ERRORS]
    ]
    named = ", ".join(f"`{each['field']}`" for each in errors)
    why = f": {errors[0]['problem']}" if len(errors) == 1 else ""
    return Problem("invalid", f"Correct {named}{why}.", errors=errors)


def _wrong(error: Mapping[str, Any]) -> str:
    """What is wrong with one field, as who sent it can mend it."""
    if error["loc"] == ("body",) and isinstance(error.get("input"), bytes):
        # The framework leaves a body alone that does not say that it is JSON.
        return "Send JSON, with the header `Content-Type: application/json`"
    if error["type"] == "json_invalid":
        return f"This is no JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
    return str(error["msg"]).removeprefix("Value error, ")


def _path(location: tuple[int | str, ...]) -> str:
    """`body.options.profile`; a place in a text that is no JSON is only the body."""
    if location[:1] == ("body",) and len(location) == 2 and isinstance(location[1], int):
        return "body"
    return ".".join(str(each) for each in location)


def _http(error: HTTPException) -> Problem:
    """Of the framework itself: no such path, no such body."""
    found = _BY_STATUS.get(HTTPStatus(error.status_code))
    if found is None:
        _log.error("no problem for this status", extra={"facts": {"status": error.status_code}})
        return DEFECT
    return Problem(found.kind.code, found.detail, headers=error.headers)


_TOLD: Final[dict[type, Callable[[Any], Problem]]] = {
    Problem: _itself,
    Unavailable: _unavailable,
    Rejected: _rejected,
    Refused: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
}
