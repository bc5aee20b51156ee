"""Filter graphs, written by ffmpeg-python: the only module that imports it.

The library's types say nothing to a type checker, so what it makes is opaque to those who draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg
from ffmpeg.nodes import FilterableStream, FilterNode, Node

Stream = Any
"""An end of a graph under construction; `.filter(name, **options)` lengthens it."""


@dataclass(frozen=True, slots=True)
class Graph:
    """An argument for `-filter_complex`, and the labels of its ends for `-map`."""

    text: str
    labels: tuple[str, ...]


def source(track: int) -> Stream:
    """The stream `track` of the one input."""
    return ffmpeg.input("source")[str(track)]


def decoded(number: int) -> Stream:
    """What the n-th decoder hears that listens to an encoder (`-dec`)."""
    return ffmpeg.input("source")[f"dec:{number}"]


def silence(samples: int, rate: int, layout: str) -> Stream:
    """So many samples of nothing."""
    origin = _Origin("anullsrc", {"sample_rate": rate, "channel_layout": layout})
    return origin.stream().filter("atrim", end_sample=samples)


def joined_sound(first: Stream, second: Stream) -> Stream:
    """One after the other; the second starts at 0."""
    return ffmpeg.filter((first, second), "concat", n=2, v=0, a=1)


class _Origin(FilterNode):  # type: ignore[misc]
    """A filter without an input, which the library has no word for."""

    def __init__(self, name: str, options: dict[str, object]) -> None:
        Node.__init__(
            self,
            stream_spec=None,
            name=name,
            incoming_stream_types=set(),
            outgoing_stream_type=FilterableStream,
            min_inputs=0,
            max_inputs=0,
            kwargs=options,
        )


def split(stream: Stream, count: int) -> list[Stream]:
    """The stream, so many times."""
    if count == 1:
        return [stream]
    parts = stream.filter_multi_output("split", count)
    return [parts[number] for number in range(count)]


def interleaved(first: Stream, second: Stream) -> Stream:
    """The frames of both, by their times."""
    return ffmpeg.filter((first, second), "interleave", nb_inputs=2)


def ratio(value: Fraction) -> str:
    """As filters read it."""
    return f"{value.numerator}/{value.denominator}"


def closed(streams: Sequence[Stream]) -> Graph:
    """The whole, with these ends in their order."""
    outputs = [ffmpeg.output(each, str(number)) for number, each in enumerate(streams)]
    words: list[str] = ffmpeg.get_args(ffmpeg.merge_outputs(*outputs))
    text = words[words.index("-filter_complex") + 1].replace("[0:dec:", "[dec:")
    found = {words[at + 2]: words[at + 1] for at, word in enumerate(words) if word == "-map"}
    return Graph(text, tuple(found[str(number)] for number in range(len(streams))))
