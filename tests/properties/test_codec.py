"""Laws of the codec: what goes in comes out, the SDK agrees, and nothing else ever happens."""

from __future__ import annotations

import json
from contextlib import suppress

from cloudevents.http import from_http
from hypothesis import given
from hypothesis import strategies as st

from eventing import codec
from eventing.cloudevent import CloudEvent

CONTEXT = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype"}
NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
NONCHARACTERS += "".join(map(chr, range(0xFDD0, 0xFDF0)))

values = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=NONCHARACTERS))
nonempty = values.filter(bool)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20).filter(
    lambda name: name not in CONTEXT | {"data", "dataschema"}
)
paths = st.text("abcXYZ019-._~!$&'()*+,;=@/", min_size=1).map(lambda path: f"/jobs/{path}")
times = st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | values,
    lambda inner: st.lists(inner) | st.dictionaries(values, inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> CloudEvent:
    datacontenttype, data = draw(
        st.one_of(
            st.tuples(st.just("application/json"), json_data),
            st.tuples(st.just("application/x+json; a=\"b; c\""), st.binary(min_size=1)),
            st.tuples(st.sampled_from([None, "image/png"]), st.none() | st.binary(min_size=1)),
        )
    )  # fmt: skip
    return CloudEvent(
        id=draw(nonempty),
        source=draw(paths),
        type=draw(nonempty),
        subject=draw(st.none() | nonempty),
        time=draw(st.none() | times),
        datacontenttype=datacontenttype,
        dataschema=draw(st.none() | st.just("https://example.com/schema.json")),
        extensions=draw(st.dictionaries(names, values, max_size=4)),
        data=data,
    )


modes = st.sampled_from(["binary", "structured"])


@given(events(), modes)
def test_what_is_encoded_is_decoded(event: CloudEvent, mode: codec.Mode) -> None:
    message = codec.encode(event, mode=mode)
    assert codec.decode(message.headers, message.body) == event


@given(events(), modes, modes)
def test_a_hop_in_either_mode_changes_nothing(
    event: CloudEvent, first: codec.Mode, then: codec.Mode
) -> None:
    message = codec.encode(event, mode=first)
    again = codec.encode(codec.decode(message.headers, message.body), mode=then)
    assert again == codec.encode(event, mode=then)


@given(events())
def test_headers_are_printable_ascii_without_space_quote_or_stray_percent(
    event: CloudEvent,
) -> None:
    for name, value in codec.encode(event).headers.items():
        if name != "content-type":
            assert all("\x21" <= character <= "\x7e" for character in value)
            assert '"' not in value


@given(events().filter(lambda event: "extensions" not in event.extensions))
def test_the_sdk_reads_the_same_from_structured_messages(event: CloudEvent) -> None:
    message = codec.encode(event, mode="structured")
    theirs = from_http(message.headers, message.body, data_unmarshaller=lambda data: data)
    ours = json.loads(message.body)
    attributes = {name: value for name, value in ours.items() if not name.startswith("data_")}
    attributes.pop("data", None)
    # It invents a time where there is none.
    assert {**theirs.get_attributes(), "time": event.time} == {"time": event.time, **attributes}
    if "data_base64" in ours:
        assert theirs.get_data() == event.data
    elif "data" in ours:
        assert json.loads(str(theirs.get_data())) == json.loads(event.data or b"")


@given(events().filter(lambda event: "extensions" not in event.extensions))
def test_the_sdk_reads_the_same_from_binary_messages_but_for_the_percent_encoding(
    event: CloudEvent,
) -> None:
    message = codec.encode(event)
    theirs = from_http(message.headers, message.body, data_unmarshaller=lambda data: data)
    attributes = {
        name.removeprefix("ce-").replace("content-type", "datacontenttype"): value
        for name, value in message.headers.items()
    }
    assert {**theirs.get_attributes(), "time": event.time} == {"time": event.time} | {
        **attributes, "time": event.time
    }  # fmt: skip
    assert (theirs.get_data() or None) == event.data


header_names = st.sampled_from(
    ["content-type", "ce-id", "ce-source", "ce-type", "ce-specversion", "ce-time", "ce-x", "ce-"]
) | st.text(max_size=8)
header_values = st.text(max_size=20) | st.sampled_from(
    ["1.0", "/s", "application/cloudevents+json", "application/json", '"', "%", "%41", '"\\"']
)


@given(st.lists(st.tuples(header_names, header_values), max_size=8), st.binary(max_size=200))
def test_any_message_is_an_event_or_malformed_in_one_line(
    headers: list[tuple[str, str]], body: bytes
) -> None:
    try:
        codec.encode(codec.decode(headers, body))
    except codec.Malformed as error:
        assert error.status in (400, 413, 415)
        assert error.reason.isprintable()


json_soup = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
members = st.dictionaries(
    st.sampled_from(
        ["specversion", "id", "source", "type", "time", "data", "data_base64", "datacontenttype"]
    )
    | st.text(max_size=4),
    json_soup | st.sampled_from(["1.0", "/s", "text/plain", "aGk=", "2026-11-21T08:30:00Z"]),
)


@given(members)
def test_any_structured_message_is_an_event_or_malformed(soup: dict[str, object]) -> None:
    body = json.dumps(soup).encode()
    with suppress(codec.Malformed):
        event = codec.decode({"content-type": codec.STRUCTURED}, body)
        assert codec.decode({"content-type": codec.STRUCTURED},
                            codec.encode(event, mode="structured").body) == event  # fmt: skip
