"""Metrics as components of Knative expose them: Prometheus' text format, read into values.

Names come with dots or with underscores, as the exporter was built: here they have underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_PAIR: Final = re.compile(rf"(?:([A-Za-z_:][\w:.]*|{_QUOTED})\s*=\s*)?({_QUOTED})\s*,?\s*")
_LINE: Final = re.compile(rf"([A-Za-z_:][\w:.]*)?\s*(?:\{{((?:[^\"}}]|{_QUOTED})*)\}})?\s*(\S+)")
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> Iterator[Sample]:
    """Every sample, in order. Lines that are none are passed over: a figure less is no failure."""
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#") or (found := _LINE.match(line)) is None:
            continue
        name, labels = found[1] or "", {}
        for key, value in _PAIR.findall(found[2] or ""):
            if key:
                labels[_plain(_unquoted(key))] = _unquoted(value)
            else:  # a name with dots stands among the labels
                name = _unquoted(value)
        try:
            number = float(found[3])
        except ValueError:
            continue
        if name:
            yield Sample(_plain(name), labels, number)


def total(samples: Iterable[Sample], name: str, **labels: str) -> float | None:
    """The sum over all samples of that name that carry these labels, None where there is none."""
    found = [
        sample.value
        for sample in samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found) if found else None


def by(samples: Iterable[Sample], name: str, label: str, **labels: str) -> dict[str, float]:
    """The sums of that metric by a label's values."""
    sums: dict[str, float] = {}
    for sample in samples:
        if sample.name == name and labels.items() <= sample.labels.items():
            key = sample.labels.get(label, "")
            sums[key] = sums.get(key, 0.0) + sample.value
    return sums


def _plain(name: str) -> str:
    return name.replace(".", "_")


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])
