"""A value inside a manifest together with the path that leads to it, so errors can name it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from knative import duration


class Invalid(ValueError):
    """A manifest cannot be used. `field` is the path of what is wrong in it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Field:
    """One node of a parsed YAML document. A `value` of None stands for an absent field.

    Every reading method raises `Invalid` when the value has another shape.
    """

    path: str
    value: object

    def __bool__(self) -> bool:
        """True when the field is there and not null."""
        return self.value is not None

    def __getitem__(self, name: str) -> Field:
        """The member `name` of this mapping; absent when this field is absent itself."""
        return Field(f"{self.path}.{name}", self.mapping().get(name))

    def invalid(self, reason: str) -> Invalid:
        return Invalid(self.path, reason)

    def mapping(self) -> Mapping[str, object]:
        """The members; empty when absent."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.invalid(f"must be a mapping, not {self.value!r}")
        for name in self.value:
            if not isinstance(name, str):
                raise self.invalid(f"has a member {name!r} whose name is no text")
        return self.value

    def only(self, *names: str) -> None:
        """Refuse members other than `names`: a misspelt field must not be ignored."""
        for name in self.mapping():
            if name not in names:
                raise self[name].invalid(f"unknown; known here: {', '.join(names)}")

    def items(self) -> list[Field]:
        """The members of a list; empty when absent."""
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            raise self.invalid(f"must be a list, not {self.value!r}")
        return [Field(f"{self.path}[{index}]", item) for index, item in enumerate(self.value)]

    def members(self) -> list[tuple[str, Field]]:
        """The members of a mapping with their names; empty when absent."""
        return [(name, self[name]) for name in self.mapping()]

    def text(self, default: str | None = None) -> str:
        """A non-empty text, or `default` when absent; required when there is no default."""
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str) or not self.value:
            raise self.invalid("is required" if self.value is None else "must be a non-empty text")
        return self.value

    def choice(self, *choices: str, default: str) -> str:
        """One of `choices`."""
        text = self.text(default)
        if text != default and text not in choices:
            raise self.invalid(f"must be one of {', '.join(choices)}, not {text!r}")
        return text

    def count(self, default: int) -> int:
        """A whole number of at least 0."""
        if self.value is None:
            return default
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self.invalid(f"must be a whole number of at least 0, not {self.value!r}")
        return self.value

    def duration_s(self, default: float | None) -> float | None:
        """An ISO 8601 duration in seconds."""
        if self.value is None:
            return default
        try:
            return duration.seconds(self.text())
        except Invalid:
            raise
        except ValueError as error:
            raise self.invalid(str(error)) from None

    def cores(self) -> float:
        """An amount of CPU like `1`, `0.5` or `500m`; 0 when absent."""
        if self.value is None:
            return 0.0
        text = str(self.value)
        try:
            cores = float(text.removesuffix("m")) / (1_000 if text.endswith("m") else 1)
        except ValueError:
            raise self.invalid(f"{text!r} is no amount of CPU, like 500m") from None
        if not math.isfinite(cores) or cores < 0:
            raise self.invalid(f"{text!r} is no amount of CPU, like 500m")
        return cores
