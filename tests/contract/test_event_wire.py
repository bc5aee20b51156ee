"""The bytes of every event are what they were: others may have stored or still be sending them."""

from __future__ import annotations

import json

import jsonschema
import pytest

from eventing import codec
from eventing.contract import EVENTS, Event
from eventing.envelope import unwrap
from infra.derived.schemas import event_schemas
from tests.contract.event_samples import (
    FOLDER,
    MODES,
    SAMPLES,
    event_of,
    from_wire,
    to_wire,
    wire_file,
)

CASES = [
    pytest.param(payload, mode, id=f"{payload.type}-{mode}")
    for payload in SAMPLES
    for mode in MODES
]


def test_there_is_a_sample_of_every_event() -> None:
    assert [type(payload) for payload in SAMPLES] == list(EVENTS)


def test_every_wire_file_belongs_to_a_sample() -> None:
    expected = {wire_file(payload, mode) for payload in SAMPLES for mode in MODES}
    assert set(FOLDER.glob("*.http")) == expected


@pytest.mark.parametrize(("payload", "mode"), CASES)
def test_an_event_goes_out_as_its_wire_file_says(payload: Event, mode: codec.Mode) -> None:
    wire = wire_file(payload, mode).read_bytes()
    assert to_wire(codec.encode(event_of(payload), mode=mode)) == wire


@pytest.mark.parametrize(("payload", "mode"), CASES)
def test_a_wire_file_comes_in_as_the_event_and_goes_out_unchanged(
    payload: Event, mode: codec.Mode
) -> None:
    wire = wire_file(payload, mode).read_bytes()
    message = from_wire(wire)
    event = codec.decode(message.headers, message.body)
    assert event == event_of(payload)
    assert unwrap(event) == payload
    assert to_wire(codec.encode(event, mode=mode)) == wire


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda payload: payload.type)
def test_the_data_of_an_event_meets_its_schema(payload: Event) -> None:
    schema = event_schemas()[payload.type]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(event_of(payload).data or b""), schema)
