"""What is written from the contract is what stands in the tree, and says what the contract says."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from eventing.contract import EVENTS, TICK
from eventing.topology import BROKER, FUNCTIONS
from infra import generate
from infra.derived.docstrings import attribute_docstrings
from infra.derived.events import consumers, emitters

FILES = generate.generated()
TRIGGERS = list(yaml.safe_load_all(FILES["knative/base/triggers.yaml"]))


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [document for document in TRIGGERS if document["kind"] == kind]


def test_the_tree_holds_what_is_generated() -> None:
    assert generate.stale(FILES, generate.ROOT) == []


def test_check_fails_with_the_names_of_stale_files_and_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.write(FILES, tmp_path)
    assert generate.main(["--check"], root=tmp_path) == 0
    (tmp_path / "docs/refusals.md").write_text("by hand")
    (tmp_path / "docs/events.md").unlink()
    (tmp_path / "eventing/schemas/dev.kinora.gone.v1.json").write_text("{}")
    assert generate.main(["--check"], root=tmp_path) == 1
    said = capsys.readouterr().err
    for name in ("docs/refusals.md", "docs/events.md", "dev.kinora.gone.v1.json"):
        assert name in said
    assert "run make generate" in said


def test_generating_repairs_everything_and_then_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eventing/schemas").mkdir(parents=True)
    (tmp_path / "eventing/schemas/dev.kinora.gone.v1.json").write_text("{}")
    assert generate.main([], root=tmp_path) == 0
    assert generate.stale(FILES, tmp_path) == []
    capsys.readouterr()
    assert generate.main([], root=tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_an_unknown_argument_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--chekc"]) == 2
    assert "usage" in capsys.readouterr().err


def test_every_consumption_has_its_trigger_and_every_trigger_its_consumption() -> None:
    expected = {
        (function.name, consumption.type, tuple(sorted(consumption.attributes.items())))
        for function in FUNCTIONS
        for consumption in function.consumes
        if consumption.type != TICK
    }
    found = set()
    for trigger in of_kind("Trigger"):
        attributes = dict(trigger["spec"]["filter"]["attributes"])
        found.add(
            (
                trigger["spec"]["subscriber"]["ref"]["name"],
                attributes.pop("type"),
                tuple(sorted(attributes.items())),
            )
        )
    assert found == expected


def test_every_delivery_is_written_out_in_full() -> None:
    for document in of_kind("Trigger") + of_kind("Broker"):
        delivery = document["spec"]["delivery"]
        assert set(delivery) == {
            "retry",
            "backoffPolicy",
            "backoffDelay",
            "timeout",
            "deadLetterSink",
        }
        assert delivery["retry"] > 0
        assert delivery["deadLetterSink"]["ref"]["name"] == "deadletter"


def test_names_are_those_of_kubernetes_and_unique() -> None:
    names = [(document["kind"], document["metadata"]["name"]) for document in TRIGGERS]
    assert len(set(names)) == len(names)
    for _, name in names:
        assert name.replace("-", "").isalnum() and name == name.lower() and len(name) <= 63


def test_there_is_one_broker_and_every_trigger_is_its() -> None:
    (broker,) = of_kind("Broker")
    assert broker["metadata"]["name"] == BROKER
    assert {trigger["spec"]["broker"] for trigger in of_kind("Trigger")} == {BROKER}


def test_the_sweeper_is_told_the_time_without_the_broker() -> None:
    (source,) = of_kind("PingSource")
    assert source["spec"]["schedule"] == "* * * * *"
    assert source["spec"]["sink"]["ref"]["name"] == "sweeper"


def test_a_value_that_is_not_the_default_has_its_reason_beside_it() -> None:
    for function in FUNCTIONS:
        if function.delivery.reason:
            first_line = function.delivery.reason.splitlines()[0]
            assert f"    # {first_line}\n" in FILES["knative/base/triggers.yaml"]


def test_every_event_has_a_schema_that_is_one() -> None:
    for event in EVENTS:
        schema = yaml.safe_load(FILES[f"eventing/schemas/{event.type}.json"])
        jsonschema.Draft202012Validator.check_schema(schema)
        assert set(schema["properties"]) >= set(schema["required"])


def test_every_event_is_told_by_somebody_and_heard_by_somebody() -> None:
    for event in EVENTS:
        assert emitters(event) and consumers(event), event


def test_the_page_of_events_names_every_event_and_every_field() -> None:
    for event in EVENTS:
        section = FILES["docs/events.md"].split(f"### {event.type}\n")[1].split("###")[0]
        for field in fields(event):
            assert f"| `{field.name}` |" in section


class Documented:
    first: int
    """What it is,
    on two lines."""
    second: int
    third: str = "x"
    """The third."""


def test_docstrings_of_attributes_are_found_where_there_are_any() -> None:
    assert attribute_docstrings(Documented) == {
        "first": "What it is, on two lines.",
        "third": "The third.",
    }


def test_every_variable_that_is_read_is_in_the_list_of_settings() -> None:
    sources = (
        path
        for room in ("eventing", "functions", "knative")
        for path in (generate.ROOT / room).rglob("*.py")
    )
    read = {
        name for path in sources for name in re.findall(r'"(KINORA_[A-Z_]+)"', path.read_text())
    }
    assert {name for name in read if f"| `{name}` |" not in FILES["docs/settings.md"]} == set()
