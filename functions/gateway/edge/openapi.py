"""The OpenAPI document, made exact: what FastAPI cannot know of the answers is added here."""

from __future__ import annotations

from typing import Any, Final

from fastapi.routing import APIRoute

from functions.gateway.edge import problem
from functions.gateway.edge.examples import EXAMPLES
from functions.gateway.edge.idempotency import REPLAYED

DESCRIPTION: Final = """\
Video files in, streams out: CMAF segments with HLS and DASH playlists.

- **Credentials**: `Authorization: Bearer …` with an API key (`kinora keys create`), or with a token
  of the identity provider where one is configured. A tenant sees only its own things: everything
  else is `404`.
- **Problems**: a request that cannot be met is answered with `application/problem+json` (RFC 9457);
  programs go by its `type`.
- **Repeating**: every request that makes something takes an `Idempotency-Key`.
- **Lists** come page by page: the `next` of one is the `cursor` of the next.
- **Values**: what is not known, or does not apply, is `null`. Times are RFC 3339 in UTC. Units
  stand in the names: `_s`, `_bytes`, `_kbps`.
- **Tracing**: every answer has an `x-request-id`, which the log has as well.
"""
TAGS: Final = (
    ("jobs", "One source becoming one set of streams."),
    ("progress", "What happens to jobs: their tasks and events, and both live."),
    ("uploads", "Files on their way: straight to the bucket, or through here."),
    ("profiles", "Named ladders and settings."),
    ("plans", "What a job would be, before anybody pays for it."),
    ("webhooks", "Endpoints that are told how jobs end, and what was sent to them."),
    ("health", "For whoever runs the gateway."),
    ("session", "How a browser signs in and out."),
)


def operation_id(route: APIRoute) -> str:
    """`listJobs`, of the function `list_jobs`: what a generated client calls it."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """`document` with its tags, examples and the schema of problems, and without what is never
    answered."""
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = dict(problem.SCHEMA)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                _complete_answers(operation)
    for name, shown in EXAMPLES.items():
        schemas[name]["examples"] = shown
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    document["tags"] = [{"name": name, "description": meaning} for name, meaning in TAGS]
    return document


def _complete_answers(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    _without_default_errors(answers)
    if made := answers.get("201"):
        made.setdefault("headers", {})["location"] = {
            "description": "Path of what was made.",
            "required": True,
            "schema": {"type": "string"},
        }
    if any(each["name"] == "idempotency-key" for each in operation.get("parameters", ())):
        (good,) = (answer for status, answer in answers.items() if status < "300")
        good.setdefault("headers", {})[REPLAYED] = {
            "description": "There where the answer is one that was given before.",
            "schema": {"const": "true"},
        }
    operation["responses"] = dict(sorted(answers.items()))


def _without_default_errors(answers: dict[str, Any]) -> None:
    """FastAPI declares its own error body for every route with a parameter that says nothing."""
    found = answers.get("422", {}).get("content", {}).get("application/json", {})
    if found.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        del answers["422"]
