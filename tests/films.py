"""A film that nobody has to decode: what looking at it finds, and the plan that follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from eventing.errors import Rejected
from functions.jobs import catalogue
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.profile import Options
from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.media.source.stream import Media, VideoStream
from functions.planning.drawing import Setting, draw
from functions.planning.survey import Survey

SOURCE: Final = SourceObject(
    bucket="uploads", key="acme/film.mp4", version="", etag="e", size_bytes=10**7
)
STREAM: Final = VideoStream(
    index=0,
    codec="h264",
    width=1280,
    height=720,
    sample_aspect=Fraction(1),
    rotation=0,
    pixel_format="yuv420p",
    field_order="",
    color_range="",
    color_space="",
    color_transfer="",
    color_primaries="",
    timebase=Fraction(1, 25),
    nominal_rate=None,
)
FILM: Final = Survey(
    source=SOURCE,
    format="mov",
    media=Media((STREAM,), (), 1),
    tables={
        0: Table(
            Packets.of(Packet(n, n, n * 1000, 900, n % 50 == 0) for n in range(1000)), True, True
        )
    },
    index="work/sources/x/index",
    prepared=True,
)
"""Forty seconds at 25 a second."""
UNINDEXED: Final = replace(FILM, tables={}, index="", prepared=False)


@dataclass
class Surveys:
    """What looking at a source finds; counts how often somebody looked."""

    found: Survey = FILM
    refusal: Rejected | None = None
    looks: list[SourceObject] = field(default_factory=list)

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey:
        self.looks.append(source)
        beat()
        if self.refusal:
            raise self.refusal
        return replace(self.found, source=source)


def plan(*, workers: int = 2) -> Plan:
    """Of the film, by the default profile."""
    profile = catalogue.read([catalogue.BUILT_IN])["default"]
    manifest = Manifest(
        job="0" * 32,
        tenant="acme",
        source=SOURCE,
        options=Options(),
        profile=profile,
        accepted_s=0,
    )
    encoder = Fingerprint(version="9", sha256="0" * 64)
    return draw(manifest, 1, FILM, Setting(encoder=encoder, workers=workers, bounds=guard.Bounds()))
