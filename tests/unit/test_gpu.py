"""Encoding on a GPU: what ffmpeg is told, whether it can be done here, and what a failure means."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import pytest

from eventing.contract import TaskCompleted, TaskFailed
from eventing.errors import Unavailable
from functions.adapters import binaries, process, scratch
from functions.encoder import outcome
from functions.encoder.gpu import Gpu
from functions.encoder.handler import Encoder
from functions.encoder.outcome import Failed
from functions.encoder.settings import Settings
from functions.jobs import fallback, layout, record
from functions.jobs.receipt import Failure
from functions.jobs.refusal import NO_ACCELERATOR
from functions.media.cutting.timeline import Timeline
from functions.media.encoding import argv as words
from functions.media.encoding import nvenc, pictures
from functions.media.encoding.accelerator import GPU
from functions.media.encoding.pictures import Cut
from functions.media.streams import fragmented, gate
from functions.ports import Finished, Limits
from tests import planned
from tests.clips import ffmpeg
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.planned import JOB

RENDITION = replace(planned.rendition("72p", 128, 72, preset="medium"), accelerator=GPU)
NO_DRIVER = (
    "[h264_nvenc @ 0x5611ce91bc40] Cannot load libcuda.so.1\n"
    "[vost#0:0/h264_nvenc @ 0x5611ce91b0c0] Task finished with error code: -22\n"
)
LINE = Timeline(
    timebase=Fraction(1, 12800),
    origin=0,
    rate=Fraction(25),
    frames=75,
    constant=True,
    timescale=12800,
    segment_frames=25,
)


@dataclass
class Program:
    """A Process that ends as it is told to."""

    returncode: int = 0
    stderr: str = ""
    runs: list[tuple[Sequence[str], Limits]] = field(default_factory=list)

    def __call__(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        self.runs.append((argv, limits))
        return Finished(
            returncode=self.returncode,
            stdout=b"",
            stderr=self.stderr,
            cpu_s=1.0,
            wall_s=2.0,
            max_rss_bytes=1,
        )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with pictures out of order."""
    folder = tmp_path_factory.mktemp("clip")
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=3", "-c:v", "libx264", "-bf", "2"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", str(folder / "clip.mp4")),
    )
    return folder / "clip.mp4"


def argv_of(cut: Cut) -> tuple[str, ...]:
    return pictures.argv(
        str(binaries.ffmpeg()),
        source=words.Source(format="mov"),
        track=0,
        timeline=LINE,
        cut=cut,
        renditions=[RENDITION],
        tuning=words.Tuning(),
    )


def settings(folder: Path) -> Settings:
    return Settings(store="", state="", worker="worker-1", scratch=folder)


# The words.


def test_a_gpu_is_told_the_same_laws_in_its_own_words() -> None:
    assert list(nvenc.options(RENDITION, LINE)) == [
        *("-c:v", "h264_nvenc", "-preset", "p5", "-tune", "hq"),
        *("-rc", "vbr", "-cq", "16", "-b:v", "0"),
        *("-maxrate", "8000000", "-bufsize", "8000000", "-profile:v", "high"),
        *("-g", "25", "-strict_gop", "1", "-no-scenecut", "1", "-forced-idr", "1"),
        *("-force_key_frames", "expr:not(mod(n,25))"),
        *("-bf", "0", "-flags:v", "+cgop+bitexact"),
    ]


def test_no_target_quality_is_left_to_the_gpu() -> None:
    words = list(nvenc.options(replace(RENDITION, crf=0), LINE))
    assert words[words.index("-cq") + 1] == "1"


def test_only_for_a_gpu_the_claimed_frame_rate_is_forgotten() -> None:
    cut = Cut(start=0, trim_start=0, trim_stop=10**6)
    assert "setpts=expr=N+0:strip_fps=1" in " ".join(argv_of(cut))


def test_our_ffmpeg_knows_every_word_and_fails_only_for_want_of_a_driver(
    clip: Path, tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / words.SOURCE)
    limits = Limits(wall_s=60, cpu_s=60, memory_bytes=2**32, output_bytes=2**24, maps_more=True)
    argv = argv_of(Cut(start=0, trim_start=0, trim_stop=10**6))
    ended = process.run(argv, limits=limits, cwd=tmp_path, on_progress=lambda _: True)
    if ended.returncode == 0:  # there is one
        read = fragmented.read((tmp_path / words.output(0)).read_bytes())
        gate.check_video(read, LINE, 0, 75)
        return
    with pytest.raises(Failed) as failed:
        outcome.check(ended, "video")
    assert failed.value.code == NO_ACCELERATOR
    assert "option" not in ended.stderr.lower()


def test_an_encoder_without_pictures_out_of_order_passes_the_gate_at_any_chunk(
    clip: Path, tmp_path: Path
) -> None:
    """The same argv with x264 in NVENC's place, told the same of groups, and nothing else."""
    shutil.copy(clip, tmp_path / words.SOURCE)
    argv = list(argv_of(Cut(start=25, trim_start=25 * 512, trim_stop=75 * 512)))
    argv[argv.index(nvenc.ENCODER)] = "libx264"
    for name in ("-preset", "-tune", "-rc", "-cq", "-strict_gop", "-no-scenecut"):
        at = argv.index(name)
        del argv[at : at + 2]
    limits = Limits(wall_s=60, cpu_s=60, memory_bytes=2**32, output_bytes=2**24)
    ended = process.run(argv, limits=limits, cwd=tmp_path, on_progress=lambda _: True)
    assert (ended.returncode, ended.stderr) == (0, "")
    read = fragmented.read((tmp_path / words.output(0)).read_bytes())
    gate.check_video(read, LINE, 25, 75)


# The trial.


def gpu(program: Program, folder: Path) -> Gpu:
    return Gpu(
        process=program,
        ffmpeg=binaries.ffmpeg,
        settings=settings(folder),
        scratch=scratch.folder,
    )


@pytest.mark.parametrize(("returncode", "works"), [(0, True), (255, False), (-11, False)])
def test_a_gpu_is_tried_once_when_it_is_asked_for(
    returncode: int, works: bool, tmp_path: Path
) -> None:
    program = Program(returncode, NO_DRIVER)
    tried = gpu(program, tmp_path)
    assert program.runs == []
    assert [tried(), tried()] == [works, works]
    ((argv, limits),) = program.runs
    assert argv == nvenc.probe(str(binaries.ffmpeg()))
    assert limits.maps_more and limits.memory_bytes == settings(tmp_path).memory_bytes
    assert list(tmp_path.iterdir()) == []


def test_a_trial_that_was_ended_from_outside_says_nothing(tmp_path: Path) -> None:
    program = Program(-15)
    tried = gpu(program, tmp_path)
    with pytest.raises(Unavailable):
        tried()
    program.returncode = 0
    assert tried()


def test_the_trial_is_a_real_encode_that_needs_a_driver(tmp_path: Path) -> None:
    tried = Gpu(
        process=process.run,
        ffmpeg=binaries.ffmpeg,
        settings=settings(tmp_path),
        scratch=scratch.folder,
    )
    assert tried() == Path("/dev/nvidiactl").exists()


# What a failure means.


@dataclass
class World:
    store: MemoryStore
    program: Program
    encoder: Encoder

    def failure(self) -> Failure:
        (event,) = self.encoder.task_ready(planned.ready("v0000"))
        assert isinstance(event, TaskFailed)
        return record.load(self.store.get(layout.failure(JOB, 1, "v0000", 1)), Failure)


@pytest.fixture
def world(clip: Path, tmp_path: Path) -> World:
    store, program = MemoryStore(), Program()
    planned.plan(store, clip, renditions=[RENDITION], chunk_segments=3, accelerator="gpu")
    encoder = Encoder(
        store=store,
        state=MemoryState(),
        process=program,
        clock=ManualClock(),
        settings=settings(tmp_path / "scratch"),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: True,
        scratch=scratch.folder,
    )
    return World(store, program, encoder)


@pytest.mark.parametrize(
    ("returncode", "stderr", "problem"),
    [
        (255, NO_DRIVER, "Cannot load libcuda.so.1"),
        (244, "[h264_nvenc @ 0x1] OpenEncodeSessionEx failed: out of memory (10)", "out of memory"),
        (-11, "", "encoder crashed"),
        (0, "", "frames missing"),
    ],
)
def test_what_goes_wrong_on_a_gpu_is_for_the_cpu_to_judge(
    returncode: int, stderr: str, problem: str, world: World
) -> None:
    world.program.returncode, world.program.stderr = returncode, stderr or "odd"
    failure = world.failure()
    assert (failure.code, failure.final) == (NO_ACCELERATOR, False)
    assert problem in failure.reason
    assert all(limits.maps_more for _, limits in world.program.runs)


def test_a_source_that_cannot_be_decoded_is_that_on_a_gpu_too(world: World) -> None:
    world.program.returncode = 187
    world.program.stderr = (
        "[h264 @ 0x1] Invalid NAL unit size\n"
        "[vost#0:0/h264_nvenc @ 0x2] Could not open encoder before EOF\n"
    )
    assert world.failure().code == "decode_failed"


def test_a_worker_without_a_gpu_runs_nothing(world: World) -> None:
    world = replace(world, encoder=replace(world.encoder, gpu=lambda: False))
    assert world.failure().code == NO_ACCELERATOR
    assert world.program.runs == []


def test_what_a_later_generation_does_without_is_not_begun(world: World) -> None:
    plan = world.encoder._plan(planned.ready("v0000"))
    fallback.settle(world.store, plan, plan.task("v0000"), "so it is")
    assert list(world.encoder.task_ready(planned.ready("v0000"))) == []
    assert world.program.runs == []


def test_what_was_done_before_a_later_generation_is_still_told(world: World) -> None:
    plan = world.encoder._plan(planned.ready("v0000"))
    world.store.create(layout.receipt(JOB, 1, "v0000"), b"{}")
    world.store.create(layout.plan(JOB, 2), record.dump(replace(plan, generation=2)))
    (event,) = world.encoder.task_ready(planned.ready("v0000"))
    assert isinstance(event, TaskCompleted)
