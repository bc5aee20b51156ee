"""Trigger filters, dialect by dialect."""

from __future__ import annotations

from typing import Any

import pytest

from eventing.cloudevent import CloudEvent
from knative.field import Field, Invalid
from knative.local.broker.filters import parse

EVENT = CloudEvent(
    id="1",
    source="/jobs/1",
    type="dev.kinora.task.ready.v1",
    subject="v0001",
    extensions={"accelerator": "cpu", "empty": ""},
)


def matches(**spec: Any) -> bool:
    return parse(Field("spec", spec)).matches(EVENT)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, True),
        ({"type": "dev.kinora.task.ready.v1"}, True),
        ({"type": "dev.kinora.task.ready.v1", "accelerator": "cpu"}, True),
        ({"type": "dev.kinora.task.ready.v1", "accelerator": "gpu"}, False),
        ({"type": "DEV.KINORA.TASK.READY.V1"}, False),
        ({"subject": ""}, True),
        ({"missing": ""}, False),
        ({"empty": ""}, False),
        ({"time": ""}, False),
        ({"specversion": "1.0"}, True),
    ],
)
def test_attributes_match_exactly_and_empty_stands_for_anything_there(
    attributes: dict[str, str], expected: bool
) -> None:
    assert matches(filter={"attributes": attributes}) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"exact": {"type": "dev.kinora.task.ready.v1"}}, True),
        ({"exact": {"type": "dev.kinora"}}, False),
        ({"exact": {"subject": "v0001", "accelerator": "gpu"}}, False),
        ({"prefix": {"type": "dev.kinora."}}, True),
        ({"prefix": {"type": "kinora"}}, False),
        ({"prefix": {"missing": "a"}}, False),
        ({"suffix": {"type": ".v1"}}, True),
        ({"suffix": {"type": ".V1"}}, False),
        ({"suffix": {"missing": "a"}}, False),
        ({"not": {"exact": {"accelerator": "gpu"}}}, True),
        ({"not": {"not": {"exact": {"accelerator": "gpu"}}}}, False),
        ({"any": [{"exact": {"subject": "x"}}, {"suffix": {"subject": "1"}}]}, True),
        ({"any": [{"exact": {"subject": "x"}}]}, False),
        ({"all": [{"exact": {"subject": "v0001"}}, {"prefix": {"source": "/jobs"}}]}, True),
        ({"all": [{"exact": {"subject": "v0001"}}, {"prefix": {"source": "/tasks"}}]}, False),
    ],
)
def test_each_dialect_matches_what_it_says(expression: dict[str, Any], expected: bool) -> None:
    assert matches(filters=[expression]) is expected


def test_filters_must_all_match() -> None:
    yes: dict[str, Any] = {"exact": {"subject": "v0001"}}
    no: dict[str, Any] = {"exact": {"subject": "v0002"}}
    assert matches(filters=[yes, {"not": no}])
    assert not matches(filters=[yes, no])


def test_filters_override_filter_unless_they_are_empty() -> None:
    other = {"attributes": {"type": "other"}}
    assert matches(filter=other, filters=[{"exact": {"subject": "v0001"}}])
    assert not matches(filter=other, filters=[])


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"filters": [{"cesql": "subject = 'a'"}]}, "spec.filters[0].cesql"),
        ({"filters": [{"regex": {"type": "a"}}]}, "spec.filters[0].regex"),
        ({"filters": [{}]}, "spec.filters[0]"),
        ({"filters": [{"exact": {"type": "a"}, "prefix": {"type": "a"}}]}, "spec.filters[0]"),
        ({"filters": [{"exact": {}}]}, "spec.filters[0].exact"),
        ({"filters": [{"exact": {"type": ""}}]}, "spec.filters[0].exact.type"),
        ({"filters": [{"exact": {"type": 1}}]}, "spec.filters[0].exact.type"),
        ({"filters": [{"exact": {"some-type": "a"}}]}, "spec.filters[0].exact.some-type"),
        ({"filters": [{"any": []}]}, "spec.filters[0].any"),
        ({"filters": [{"any": {"exact": {}}}]}, "spec.filters[0].any"),
        ({"filters": [{"not": {"cesql": "TRUE"}}]}, "spec.filters[0].not.cesql"),
        ({"filters": {"exact": {"type": "a"}}}, "spec.filters"),
        ({"filter": {"type": "a"}}, "spec.filter.type"),
        ({"filter": {"attributes": {"type": 1}}}, "spec.filter.attributes.type"),
        ({"filter": {"attributes": ["type"]}}, "spec.filter.attributes"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(Field("spec", spec))
    assert raised.value.field == field


def test_cesql_is_refused_with_a_way_out() -> None:
    with pytest.raises(Invalid, match="CESQL is not supported here: write it with exact"):
        matches(filters=[{"cesql": "TRUE"}])
