"""A file of the corpus: how it is made, and how its job has to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.corpus.bases import Bases

FILM = "acme/film.mp4"


@dataclass(frozen=True, kw_only=True)
class Completed:
    """Streams, and these ones."""

    frames: int = 0
    """Of every rendition of pictures; 0 without pictures."""
    size: tuple[int, int] = (64, 36)
    """Of the largest rendition."""
    rate: Fraction = Fraction(25)
    """Pictures a second; 0 where each has its own time."""
    sounds: int = 0
    sound_s: Fraction | None = None
    """How long each sound is; as long as the pictures where None."""
    notes: tuple[str, ...] = ()
    """Regular expressions; the report's notes have something for each."""
    quiet: bool = True
    """True where nothing else is noted."""
    corner: str = ""
    """Where the white corner of a picture has to be: `top left` and so on; "" where it has none."""


@dataclass(frozen=True)
class Refused:
    """No streams, for one of these reasons."""

    codes: tuple[str, ...]


@dataclass(frozen=True)
class Either:
    """Nobody can say beforehand how much of it can be used: streams that hold together, or one of
    these reasons."""

    codes: tuple[str, ...]


@dataclass(frozen=True)
class Ignored:
    """No job at all."""


End = Completed | Refused | Either | Ignored


@dataclass(frozen=True)
class Case:
    id: str
    make: Callable[[Bases], bytes]
    end: End
    key: str = FILM
    """Under `uploads/`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As in a sidecar."""
    cpu_s: float = 20.0
    """What all programs together may use; a test machine is slow."""
    memory_bytes: int = 700 << 20
    """What any program may have resident."""


def refused(*codes: str) -> Refused:
    return Refused(codes)


def either(*codes: str) -> Either:
    return Either(codes)
