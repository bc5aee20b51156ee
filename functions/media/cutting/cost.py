"""What a task will cost in CPU time: good enough to size tasks that finish together.

Pixels x frames x codec x preset, each at its rate (`rates.py`); everything in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from functions.media.cutting.rates import BUILT_IN, Rate, Rates
from functions.media.encoding.accelerator import GPU, Accelerator
from functions.media.encoding.rendition import AudioRendition, VideoRendition

Treatment = Literal["deinterlace", "tonemap"]
"""What is done to every picture of a source besides scaling, and takes time."""

START_MS = BUILT_IN["start"]


@dataclass(frozen=True, slots=True)
class Model:
    """The costs by some rates. Keeps which of them it was asked for."""

    rates: Rates = field(default_factory=Rates)
    used: dict[str, Rate] = field(default_factory=dict)

    def decode_ms(
        self, codec: str, width: int, height: int, treatments: Iterable[Treatment] = ()
    ) -> float:
        """Of one source frame, with what is done to it before it is scaled."""
        ns = sum(self._of(name) for name in (f"decode/{codec}", *treatments))
        return width * height * ns / 1e6

    def encode_ms(self, rendition: VideoRendition, source_pixels: int) -> float:
        """Of one output frame in one rendition on its accelerator, scaling included."""
        pixels = rendition.width * rendition.height
        return (pixels * self._of(encoding(rendition)) + source_pixels * self._of("scale")) / 1e6

    def encode_all_ms(self, renditions: Iterable[VideoRendition], source_pixels: int) -> float:
        """Of one output frame in all these renditions."""
        return sum(self.encode_ms(rendition, source_pixels) for rendition in renditions)

    def start_ms(self, accelerator: Accelerator) -> float:
        """Of a task, before its first frame and after its last."""
        start_ms = self._of("start")
        return start_ms + self._of("start/gpu") if accelerator == GPU else start_ms

    def audio_ms(self, rendition: AudioRendition) -> float:
        """Of one whole audio track."""
        duration_s = float(Fraction(rendition.samples, rendition.sample_rate))
        return self._of("start") + self.sound_ms(duration_s, rendition.channels)

    def sound_ms(self, duration_s: float, channels: int) -> float:
        """Of decoding and encoding sound, by itself."""
        return duration_s * channels * self._of("sound")

    def remux_ms(self, size_bytes: int) -> float:
        """Of copying so much from one container into another."""
        return self._of("start") + size_bytes / 1e6 * self._of("remux")

    def _of(self, name: str) -> float:
        rate = self.used[name] = self.rates.of(name)
        return rate.value


def encoding(rendition: VideoRendition) -> str:
    """The rate that its encoder goes by."""
    return "encode/gpu" if rendition.accelerator == GPU else f"encode/{rendition.preset}"


def remux_ms(size_bytes: int) -> float:
    """By what is built in."""
    return Model().remux_ms(size_bytes)


def sound_ms(duration_s: float, channels: int) -> float:
    """By what is built in."""
    return Model().sound_ms(duration_s, channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What the estimates of a plan go by; what it took shows in the end how good they were."""

    codec: str = ""
    """Of the pictures, "" without any."""
    pixels: int = 0
    """Of a picture of the source."""
    source_share: float = 1.0
    """Decoded frames of an output frame."""
    treatments: tuple[Treatment, ...] = ()
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """Those that were used, by name."""
