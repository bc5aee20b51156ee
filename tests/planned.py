"""Plans for encoder tests: a real file in a store, indexed and cut by the real planning modules."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from eventing.contract import TaskReady
from functions.adapters import binaries
from functions.jobs import layout, record
from functions.jobs.manifest import SourceObject
from functions.jobs.plan import AudioTask, MezzanineTask, Plan, Task, VideoTask
from functions.media.cutting.timeline import Timeline
from functions.media.cutting.timeline import plan as plan_timeline
from functions.media.cutting.windows import Chunk, Windows
from functions.media.encoding.rendition import AudioRendition, VideoRendition
from functions.media.encoding.treatment import AS_THEY_ARE
from functions.media.source import container, index, probe
from functions.media.source.guard import MAX_PIXELS
from functions.media.source.stream import Media
from functions.planning import pictures
from functions.ports import ObjectStore

JOB = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the source itself says."""

    media: Media
    tables: dict[int, probe.Table]
    timeline: Timeline | None
    windows: Windows | None


def _said(argv: Sequence[str]) -> bytes:
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout


def facts(file: Path, format: str, segment_s: int) -> Facts:
    ffprobe = binaries.ffprobe()
    media = probe.read_streams(_said(probe.streams_argv(ffprobe, format, file, pixels=MAX_PIXELS)))
    said = _said(probe.packets_argv(ffprobe, format, file, pixels=MAX_PIXELS))
    tables = probe.read_packets(said.splitlines())
    timeline, windows = None, None
    if media.video:
        stream = media.video[0]
        packets = tables[stream.index].packets
        timeline = plan_timeline(
            sorted(packet.pts for packet in packets if packet.shown),
            stream.timebase,
            segment_s=segment_s,
            nominal_rate=stream.nominal_rate,
        )
        windows = Windows(packets, timeline)
    return Facts(media=media, tables=dict(tables), timeline=timeline, windows=windows)


def rendition(name: str, width: int, height: int, *, preset: str = "superfast") -> VideoRendition:
    return VideoRendition(
        name=name,
        width=width,
        height=height,
        preset=preset,
        crf=16,
        maxrate_bps=8_000_000,
        bufsize_bits=8_000_000,
    )


def plan(
    store: ObjectStore,
    file: Path,
    *,
    renditions: Sequence[VideoRendition],
    format: str = "mov",
    segment_s: int = 1,
    chunk_segments: int = 1,
    indexed: bool = True,
    sound: bool = True,
    accelerator: str = "cpu",
) -> Plan:
    """Put the file, its index and a plan that cuts it into such chunks."""
    found = facts(file, format, segment_s)
    source = _put_source(store, file)
    key = ""
    if indexed:
        data = file.read_bytes()
        boxes = container.walk(lambda at, size: data[at : at + size], len(data))
        timebases = {each.index: each.timebase for each in found.media.video} | {
            each.index: each.timebase for each in found.media.audio
        }
        tracks = tuple(
            index.TrackTable(stream, timebase, found.tables[stream].packets)
            for stream, timebase in sorted(timebases.items())
        )
        key = layout.index(source.digest)
        store.create(key, index.encode(index.Index(boxes.head, tracks)))
    tasks: list[Task] = []
    timeline = found.timeline
    if timeline is not None and renditions and found.windows is not None:
        for number, first in enumerate(range(0, timeline.segments, chunk_segments)):
            stop = min(first + chunk_segments, timeline.segments)
            chunk = Chunk(timeline.start_of(first), timeline.start_of(stop))
            window = found.windows.of(chunk)
            tasks.append(
                VideoTask(
                    id=f"v{number:04d}",
                    renditions=tuple(each.name for each in renditions),
                    start=chunk.start,
                    stop=chunk.stop,
                    first_packet=window.first_packet if indexed else 0,
                    stop_packet=window.stop_packet if indexed else 0,
                    trim_start=window.trim_start,
                    trim_stop=window.trim_stop,
                    cost_ms=5000,
                    accelerator="gpu" if accelerator == "gpu" else "cpu",
                )
            )
    audio = audio_renditions(found) if sound else ()
    tasks += [
        AudioTask(id=f"a{number}", renditions=(each.name,), cost_ms=5000)
        for number, each in enumerate(audio, 1)
    ]
    made = Plan(
        job=JOB,
        generation=1,
        kind="encode",
        encoder=binaries.fingerprint(),
        source=source,
        format=format,
        index=key,
        video_track=found.media.video[0].index if found.media.video else -1,
        timeline=timeline,
        picture=(
            pictures.treatment(found.media.video[0], renditions, None)
            if found.media.video and renditions
            else AS_THEY_ARE
        ),
        video=tuple(renditions),
        audio=audio,
        tasks=tuple(tasks),
    )
    store.create(layout.plan(JOB, 1), record.dump(made))
    return made


def preparation(store: ObjectStore, file: Path, *, format: str) -> Plan:
    """A plan of one mezzanine task."""
    made = Plan(
        job=JOB,
        generation=1,
        kind="prepare",
        encoder=binaries.fingerprint(),
        source=_put_source(store, file),
        format=format,
        index="",
        video_track=-1,
        timeline=None,
        video=(),
        audio=(),
        tasks=(MezzanineTask(id="m1", cost_ms=1000),),
    )
    store.create(layout.plan(JOB, 1), record.dump(made))
    return made


def audio_renditions(found: Facts) -> tuple[AudioRendition, ...]:
    """Every sound track, as long as the picture and from its origin."""
    made = []
    for number, stream in enumerate(found.media.audio, 1):
        if found.timeline is not None:
            origin_s = found.timeline.origin * found.timeline.timebase
            duration_s = found.timeline.duration_s
        else:
            origin_s = (stream.start or 0) * stream.timebase
            duration_s = (stream.duration or 0) * stream.timebase
        made.append(
            AudioRendition(
                name=f"audio-{number}",
                track=stream.index,
                language=stream.language,
                layout="mono" if stream.channels == 1 else "stereo",
                group="stereo",
                sample_rate=48000,
                bitrate_bps=128_000,
                samples=round(duration_s * 48000),
                origin=round(Fraction(origin_s) / stream.timebase),
                timebase_num=stream.timebase.numerator,
                timebase_den=stream.timebase.denominator,
            )
        )
    return tuple(made)


def ready(task: str, *, generation: int = 1) -> TaskReady:
    return TaskReady(job=JOB, generation=generation, task=task)


def _put_source(store: ObjectStore, file: Path) -> SourceObject:
    store.create("uploads/acme/film", file)
    info = store.head("uploads/acme/film")
    assert info is not None
    return SourceObject(
        bucket="uploads",
        key="acme/film",
        version=info.version,
        etag=info.etag,
        size_bytes=info.size_bytes,
    )
