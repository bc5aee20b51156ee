"""The API's document: valid, stable, and sparing with nothing that a client has to know."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from functions.gateway.edge import problem
from infra.derived import openapi
from tests.gateway import Gateway

DOCUMENT: Final = openapi.document()
ROOT: Final = Path(__file__).parents[2]
METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in found:
                yield f"{method.upper()} {path}", found[method]


OPERATIONS: Final = dict(operations())


def test_the_gateway_answers_with_the_document_that_stands_in_the_tree() -> None:
    served = Gateway().visitor().get("/api/v1/openapi.json").json()
    assert served == json.loads((ROOT / "docs/openapi.json").read_text())


def test_every_reference_leads_somewhere() -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_operations_have_names_of_their_own_and_say_what_they_are() -> None:
    for said in ("operationId", "summary"):
        names = [operation[said] for operation in OPERATIONS.values()]
        assert len(set(names)) == len(names)
    for operation in OPERATIONS.values():
        # A verb and a noun: what a generated client has for a method.
        assert re.fullmatch("[a-z]+([A-Z][a-z]+)+", operation["operationId"])
        assert len(operation["summary"].split()) > 1 and not operation["summary"].endswith(".")
        assert operation["description"].endswith(".")


def test_every_operation_has_one_tag_and_every_tag_says_what_it_is() -> None:
    said = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    used = [tag for operation in OPERATIONS.values() for tag in operation["tags"]]
    assert set(used) == set(said) and len(used) == len(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_says_what_it_is(name: str) -> None:
    for parameter in OPERATIONS[name].get("parameters", ()):
        assert parameter.get("description"), parameter["name"]


def test_what_is_made_has_a_place_and_is_made_once() -> None:
    for name, operation in OPERATIONS.items():
        parameters = {each["name"] for each in operation.get("parameters", ())}
        if "201" in operation["responses"]:
            assert operation["responses"]["201"]["headers"]["location"]["required"]
            assert "idempotency-key" in parameters, name


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_examples_are_what_their_schema_says(name: str) -> None:
    for example in DOCUMENT["components"]["schemas"][name].get("examples", ()):
        reference = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
        jsonschema.validate(example, reference)


def test_every_body_of_a_request_has_an_example() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for operation in OPERATIONS.values():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for schema in body["schema"].get("anyOf", [body["schema"]]) if body else ():
            if "$ref" in schema:
                assert schemas[schema["$ref"].rpartition("/")[2]]["examples"]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if " /api/v1/" in name])
def test_every_operation_of_the_api_says_who_may_and_what_may_go_wrong(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["security"]
    for code in problem.EVERYWHERE:
        status = str(int(next(kind.status for kind in problem.KINDS if kind.code == code)))
        assert problem.MEDIA_TYPE in operation["responses"][status]["content"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_of_an_answer_is_described(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        if status == "204":
            assert "content" not in response
            continue
        for content in response["content"].values():
            assert content["schema"], f"{name} {status}"


def test_bodies_of_requests_take_no_field_that_is_not_described() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name, operation in OPERATIONS.items():
        content = operation.get("requestBody", {}).get("content", {})
        for media_type, body in content.items():
            if media_type != "application/json":
                continue
            references = [body["schema"], *body["schema"].get("anyOf", ())]
            for reference in references:
                if "$ref" in reference:
                    schema = schemas[reference["$ref"].rpartition("/")[2]]
                    inner = [
                        schema,
                        *(
                            schemas[each["$ref"].rpartition("/")[2]]
                            for each in schema.get("anyOf", ())
                            if "$ref" in each
                        ),
                    ]
                    assert any(each.get("additionalProperties") is False for each in inner), name


def test_a_problem_is_what_its_schema_says() -> None:
    client = Gateway().client()
    for answer in (
        client.get("/api/v1/jobs/0"),
        client.get(f"/api/v1/jobs/{'0' * 32}"),
        client.post("/api/v1/jobs", json={"object": 1, "x": 2}),
        client.put("/api/v1/jobs"),
        Gateway().visitor().get("/api/v1/jobs"),
    ):
        assert answer.headers["content-type"] == problem.MEDIA_TYPE
        jsonschema.validate(answer.json(), problem.SCHEMA)
        assert answer.json()["status"] == answer.status_code


def test_problems_are_told_apart_by_type_alone() -> None:
    codes = [kind.code for kind in problem.KINDS]
    assert len(set(codes)) == len(codes)
    with pytest.raises(KeyError):
        problem.responses("nonsense")
