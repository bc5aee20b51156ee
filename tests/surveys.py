"""Surveys of sources that nobody has to look at, told stream by stream and packet by packet, and
the plans that are drawn from them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from functions.jobs import record
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.source import guard
from functions.media.source.index import Packet, Packets
from functions.media.source.probe import Table
from functions.media.source.stream import AudioStream, Media, VideoStream
from functions.planning.drawing import Setting, draw
from functions.planning.survey import Survey

SOURCE = SourceObject(bucket="uploads", key="acme/film", version="", etag="e", size_bytes=10**7)
SETTING = Setting(
    encoder=Fingerprint(version="9", sha256="0" * 64), workers=2, bounds=guard.Bounds()
)
PROFILE = Profile(
    name="test",
    video=VideoProfile(
        ladder=(
            Rung(height=720, maxrate_kbps=3000, bufsize_kbps=6000),
            Rung(height=360, maxrate_kbps=800, bufsize_kbps=1600),
        )
    ),
)


def film(index: int = 0, **given: object) -> VideoStream:
    facts: dict[str, object] = {
        "index": index,
        "codec": "h264",
        "width": 1280,
        "height": 720,
        "sample_aspect": Fraction(1),
        "rotation": 0,
        "pixel_format": "yuv420p",
        "field_order": "progressive",
        "color_range": "",
        "color_space": "",
        "color_transfer": "",
        "color_primaries": "",
        "timebase": Fraction(1, 25),
        "nominal_rate": Fraction(25),
    }
    return VideoStream(**(facts | given))  # type: ignore[arg-type]


def sound(index: int = 1, **given: object) -> AudioStream:
    facts: dict[str, object] = {
        "index": index,
        "codec": "aac",
        "channels": 6,
        "sample_rate": 44_100,
        "language": "deu",
        "timebase": Fraction(1, 44_100),
        "start": 0,
        "duration": None,
    }
    return AudioStream(**(facts | given))  # type: ignore[arg-type]


def packets(count: int, *, delta: int = 1, group: int = 50, first: int = 0) -> Table:
    return Table(
        Packets.of(
            Packet(first + n * delta, first + n * delta, n * 1000, 900, n % group == 0)
            for n in range(count)
        ),
        complete=True,
        located=True,
    )


def survey(
    video: tuple[VideoStream, ...],
    audio: tuple[AudioStream, ...],
    tables: Mapping[int, Table],
    *,
    prepared: bool = True,
    index: str = "work/sources/x/index",
) -> Survey:
    return Survey(
        source=SOURCE,
        format="mov",
        media=Media(video, audio, len(video) + len(audio)),
        tables=tables,
        index=index,
        prepared=prepared,
    )


def plan(
    found: Survey,
    *,
    profile: Profile = PROFILE,
    options: Options | None = None,
    setting: Setting = SETTING,
) -> Plan:
    manifest = Manifest(
        job="0" * 32,
        tenant="acme",
        source=SOURCE,
        options=options or Options(),
        profile=profile,
        accepted_s=0.0,
    )
    made = draw(manifest, 1, found, setting)
    assert record.load(record.dump(made), Plan) == made
    return made


FILM = survey((film(),), (sound(),), {0: packets(1030), 1: packets(1800, delta=1024)})


def long_film(frames: int = 15_000) -> Survey:
    return survey((film(),), (sound(),), {0: packets(frames), 1: packets(frames * 2, delta=882)})
