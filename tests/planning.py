"""A file becomes a plan as the chunker makes one, and chunks of it become pictures."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from functions.adapters import binaries, process, scratch
from functions.adapters.directory import DirectoryStore
from functions.encoder.fetch import Copy
from functions.jobs.manifest import Manifest, SourceObject
from functions.jobs.plan import Fingerprint, Plan, VideoTask
from functions.jobs.profile import Options, Profile, Rung, VideoProfile
from functions.media.cutting.windows import Chunk, Windows
from functions.media.encoding import argv as words
from functions.media.encoding import pictures
from functions.media.source import guard
from functions.planning.drawing import Setting, draw
from functions.planning.survey import Survey
from functions.planning.surveyor import Surveyor
from functions.ports import ObjectStore

LADDER = (Rung(height=1080, maxrate_kbps=8000, bufsize_kbps=8000),)


def surveyor(store: ObjectStore, folder: Path) -> Surveyor:
    """As the chunker has it."""
    return Surveyor(
        store=store,
        process=process.run,
        ffprobe=binaries.ffprobe,
        ffmpeg=binaries.ffmpeg,
        scratch=partial(scratch.folder, folder / "scratch"),
    )


@dataclass
class Drawn:
    """A plan of one second a segment, and what it was drawn from."""

    store: DirectoryStore
    survey: Survey
    plan: Plan
    folder: Path

    @classmethod
    def of(
        cls, file: Path, folder: Path, *, frame_rate: Literal["constant", "variable"] = "constant"
    ) -> Drawn:
        store = DirectoryStore(folder / "store", durable=False)
        store.create("uploads/acme/film", file)
        info = store.head("uploads/acme/film")
        assert info is not None
        source = SourceObject(
            bucket="uploads",
            key="acme/film",
            version="",
            etag=info.etag,
            size_bytes=info.size_bytes,
        )
        manifest = Manifest(
            job="0" * 32,
            tenant="acme",
            source=source,
            options=Options(chunk_segments=1, frame_rate=frame_rate),
            profile=Profile(
                name="test", segment_s=1, video=VideoProfile(ladder=LADDER, preset="ultrafast")
            ),
            accepted_s=0.0,
        )
        survey = surveyor(store, folder).original(source, lambda: None)
        setting = Setting(
            encoder=Fingerprint(version="", sha256=""), workers=2, bounds=guard.Bounds()
        )
        return cls(store, survey, draw(manifest, 1, survey, setting), folder)

    def chunk(self, start: int, stop: int, *, beside: int | None = None) -> VideoTask:
        """Output frames [start, stop) as a task, with other neighbours than the plan says."""
        line = self.plan.timeline
        assert line is not None
        packets = self.survey.tables[self.plan.video_track].packets
        beside = self.plan.picture.beside if beside is None else beside
        window = Windows(packets, line, beside=beside).of(Chunk(start, stop))
        some = next(task for task in self.plan.tasks if isinstance(task, VideoTask))
        return msgspec.structs.replace(
            some,
            id=f"v{start}-{stop}-{beside}",
            start=start,
            stop=stop,
            first_packet=window.first_packet,
            stop_packet=window.stop_packet,
            trim_start=window.trim_start,
            trim_stop=window.trim_stop,
            repeats=window.repeats,
        )

    def sums(self, task: VideoTask) -> list[str]:
        """Digests of the chunk's pictures in the largest rendition as the encoder gets them."""
        said = self.run(task, "-f", "framemd5", "-").decode()
        lines = [line for line in said.splitlines() if line and not line.startswith("#")]
        return [line.rsplit(",", 1)[1].strip() for line in lines]

    def pixels(self, task: VideoTask) -> bytes:
        """The chunk's pictures, planes of yuv420p one after the other."""
        return self.run(task, "-f", "rawvideo", "-")

    def run(self, task: VideoTask, *output: str) -> bytes:
        """What ffmpeg writes of the chunk's largest rendition."""
        line = self.plan.timeline
        assert line is not None
        folder = self.folder / task.id
        folder.mkdir(exist_ok=True)
        source = next(Copy(self.store, self.plan, folder, lambda: None).chunk(task))
        drawn = pictures.filters(
            source.stream(self.plan.video_track),
            line,
            pictures.Cut(
                start=task.start,
                trim_start=task.trim_start,
                trim_stop=task.trim_stop,
                repeats=task.repeats,
                tail=100 if task.stop == line.frames and not line.constant else 0,
            ),
            self.plan.video[:1],
            self.plan.picture,
        )
        argv = [
            *(str(binaries.ffmpeg()), "-nostdin", "-v", "fatal"),
            *words.read(source, 1, *pictures.AS_STORED),
            *("-filter_complex", drawn.text, "-map", drawn.labels[0]),
            *("-fps_mode", "passthrough", *output),
        ]
        return subprocess.run(argv, cwd=folder, capture_output=True, check=True).stdout

    def encoded(self) -> dict[str, str]:
        """What another reader says of the stream that the encoder makes."""
        made = self.folder / "made.mp4"
        self.run(self.whole(), *("-y", "-c:v", "libx264", "-preset", "ultrafast"), f"file:{made}")
        argv = [
            *(str(binaries.ffprobe()), "-v", "error", "-of", "json", "-show_streams"),
            *("-show_frames", "-read_intervals", "%+#1", f"file:{made}"),
        ]
        told = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
        (stream,) = told["streams"]
        listed = [*stream.get("side_data_list", []), *told["frames"][0].get("side_data_list", [])]
        facts = {key: str(value) for key, value in stream.items()}
        return facts | {"side_data": ",".join(each["side_data_type"] for each in listed)}

    def segments(self) -> list[VideoTask]:
        """The tasks of the plan, of one segment each, in order."""
        tasks = [task for task in self.plan.tasks if isinstance(task, VideoTask)]
        return sorted(tasks, key=lambda task: task.start)

    def whole(self) -> VideoTask:
        """All frames as one task."""
        line = self.plan.timeline
        assert line is not None
        return self.chunk(0, line.frames)

    def largest(self, **size: int) -> None:
        """Let the largest rendition have this width and height."""
        rendition = replace(self.plan.video[0], **size)  # type: ignore[arg-type]
        self.plan = replace(self.plan, video=(rendition,))
