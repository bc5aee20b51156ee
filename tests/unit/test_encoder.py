"""The encoder's flow around an encode: what is done, told, dropped and never done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from eventing.contract import Event, TaskCompleted, TaskFailed
from eventing.errors import Rejected, Unavailable
from functions.adapters import binaries, process, scratch
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.jobs import ending, layout, leases, record
from functions.jobs.plan import Fingerprint, Plan
from functions.jobs.receipt import Failure, Receipt
from functions.media.encoding import argv as words
from functions.ports import ByteRange, Finished, Limits, Stopped, Waiting
from tests import planned
from tests.clips import ffmpeg
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.planned import JOB

RENDITION = planned.rendition("72p", 128, 72, preset="ultrafast")
LEASE = leases.task(JOB, 1, "v0000")


@dataclass
class Program:
    """A Process that ends as it is told to, and writes what a real encode once wrote."""

    output: bytes
    returncode: int = 0
    stderr: str = ""
    stopped: Stopped = ""
    runs: list[Sequence[str]] = field(default_factory=list)
    meanwhile: Callable[[Callable[[Mapping[str, str]], bool]], None] | None = None

    def __call__(
        self,
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        self.runs.append(argv)
        stopped = self.stopped
        if self.meanwhile is not None and on_progress is not None:
            self.meanwhile(on_progress)
            stopped = "" if on_progress({}) else "called off"
        (cwd / words.output(0)).write_bytes(self.output)
        return Finished(
            returncode=self.returncode,
            stdout=b"",
            stderr=self.stderr,
            cpu_s=1.5,
            wall_s=2.0,
            max_rss_bytes=1,
            stopped=stopped,
        )


@dataclass
class World:
    store: MemoryStore
    state: MemoryState
    clock: ManualClock
    program: Program
    scratch: Path
    encoder: Encoder

    def handle(self, task: str = "v0000") -> list[Event]:
        events = list(self.encoder.task_ready(planned.ready(task)))
        assert not self.scratch.exists() or list(self.scratch.iterdir()) == []
        return events

    def receipt(self, task: str = "v0000") -> Receipt:
        return record.load(self.store.get(layout.receipt(JOB, 1, task)), Receipt)

    def failures(self, task: str = "v0000") -> list[Failure]:
        prefix = layout.failures_prefix(JOB, 1, task)
        return [record.load(self.store.get(info.key), Failure) for info in self.store.list(prefix)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second, one segment."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=s=128x72:r=25:d=1"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path)),
    )
    return path


@pytest.fixture(scope="module")
def encoded(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ffmpeg makes of the clip's one chunk."""
    folder = tmp_path_factory.mktemp("encoded")
    kept: list[bytes] = []

    def run(
        argv: Sequence[str],
        *,
        limits: Limits,
        cwd: Path,
        on_progress: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Finished:
        finished = process.run(argv, limits=limits, cwd=cwd, on_progress=on_progress)
        kept.append((cwd / words.output(0)).read_bytes())
        return finished

    store = MemoryStore()
    planned.plan(store, clip, renditions=[RENDITION])
    encoder = replace(
        _encoder(store, MemoryState(), Program(b""), ManualClock(), folder), process=run
    )
    assert [type(event) for event in encoder.task_ready(planned.ready("v0000"))] == [TaskCompleted]
    return kept[0]


def _encoder(
    store: MemoryStore, state: MemoryState, program: Program, clock: ManualClock, folder: Path
) -> Encoder:
    return Encoder(
        store=store,
        state=state,
        process=program,
        clock=clock,
        settings=Settings(store="", state="", worker="worker-1", scratch=folder),
        ffmpeg=binaries.ffmpeg,
        fingerprint=binaries.fingerprint,
        gpu=lambda: False,
        scratch=scratch.folder,
    )


@pytest.fixture
def world(clip: Path, encoded: bytes, tmp_path: Path) -> Iterator[World]:
    clock = ManualClock()
    store, state = MemoryStore(clock=clock), MemoryState(clock=clock)
    planned.plan(store, clip, renditions=[RENDITION])
    program = Program(encoded)
    folder = tmp_path / "scratch"
    made = World(
        store, state, clock, program, folder, _encoder(store, state, program, clock, folder)
    )
    yield made
    assert not state.held(LEASE)


COMPLETED = TaskCompleted(job=JOB, generation=1, task="v0000")


def test_a_task_becomes_segments_and_a_receipt(world: World) -> None:
    assert world.handle() == [COMPLETED]
    receipt = world.receipt()
    (track,) = receipt.tracks
    assert (receipt.worker, receipt.cpu_ms) == ("worker-1", 1500)
    assert 0 < receipt.source_bytes_read <= len(world.store.get("uploads/acme/film"))
    assert (track.rendition, track.timescale, track.frames) == ("72p", 90000, 25)
    assert track.codecs.startswith("avc1.42c0")
    (segment,) = track.segments
    for stored in (track.init, segment.stored):
        info = world.store.head(stored.key)
        assert info is not None and info.size_bytes == stored.size_bytes
    joined = world.store.get(track.init.key) + world.store.get(segment.stored.key)
    assert joined == world.program.output


def test_a_task_with_a_receipt_is_told_of_and_not_done_again(world: World) -> None:
    world.handle()
    assert world.handle() == [COMPLETED]
    assert len(world.program.runs) == 1


def test_a_job_with_a_verdict_wants_nothing(world: World) -> None:
    _cancel(world)
    assert world.handle() == []
    assert world.program.runs == []


def test_what_an_attempt_left_of_a_cancelled_job_is_removed(world: World) -> None:
    world.store.put(layout.media(JOB, "72p/00000-ab.m4s"), b"by an attempt that was killed")
    _cancel(world)
    assert world.handle() == []
    assert not list(world.store.list(layout.media(JOB, "")))


@pytest.mark.parametrize("moved_on", [False, True])
def test_who_is_second_removes_what_no_receipt_names_but_nothing_of_a_later_generation(
    world: World, moved_on: bool
) -> None:
    world.handle()
    receipt = layout.receipt(JOB, 1, "v0000")
    first = world.store.get(receipt)
    world.store.delete(receipt)
    other = layout.media_segment(JOB, "72p", 0, "ab" * 32)

    def overtaken(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.store.create(receipt, first)
        world.store.put(other, b"what nobody here wrote")
        if moved_on:
            plan = record.load(world.store.get(layout.plan(JOB, 1)), Plan)
            record.create(world.store, layout.plan(JOB, 2), replace(plan, generation=2, tasks=()))

    world.program.meanwhile = overtaken
    assert world.handle() == [COMPLETED]
    assert (world.store.head(other) is not None) == moved_on
    (track,) = world.receipt().tracks
    assert world.store.head(track.segments[0].stored.key) is not None


def test_a_task_that_somebody_works_on_is_dropped(world: World) -> None:
    world.state.acquire(LEASE, "worker-2/1", ttl_s=30)
    assert world.handle() == []
    assert world.program.runs == []
    world.clock.advance(31)
    assert world.handle() == [COMPLETED]


def test_the_same_worker_does_not_do_one_task_twice_at_once(world: World) -> None:
    inner: list[Event] = []

    def again(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        inner.extend(world.encoder.task_ready(planned.ready("v0000")))

    world.program.meanwhile = again
    assert world.handle() == [COMPLETED]
    assert inner == []


def test_another_build_of_the_encoder_is_unavailable(world: World) -> None:
    other = replace(world.encoder, fingerprint=lambda: Fingerprint(version="n1", sha256="0" * 64))
    with pytest.raises(Unavailable):
        list(other.task_ready(planned.ready("v0000")))


def test_a_plan_that_is_not_there_is_unavailable(world: World) -> None:
    with pytest.raises(Unavailable):
        list(world.encoder.task_ready(planned.ready("v0000", generation=2)))


def test_a_task_that_the_plan_does_not_have_is_rejected(world: World) -> None:
    with pytest.raises(Rejected):
        world.handle("v0099")


def test_a_task_for_a_gpu_fails_where_there_is_none(clip: Path, world: World) -> None:
    store = MemoryStore()
    planned.plan(store, clip, renditions=[RENDITION], accelerator="gpu")
    (event,) = replace(world.encoder, store=store).task_ready(planned.ready("v0000"))
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("accelerator", False)
    assert world.program.runs == []


def test_a_removed_source_is_final(world: World) -> None:
    world.store.delete("uploads/acme/film")
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert (event.code, event.attempt, event.final) == ("source_gone", 1, True)


def test_a_replaced_source_is_final(world: World) -> None:
    world.store.put("uploads/acme/film", b"other" * 10_000)
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert (event.code, event.final) == ("source_gone", True)


def test_failures_are_numbered_and_on_record(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV
    world.program.stderr = "something broke"
    for attempt in (1, 2):
        (event,) = world.handle()
        assert isinstance(event, TaskFailed)
        assert (event.code, event.attempt, event.final) == ("encoder_crashed", attempt, False)
        assert f"crashed on this file {attempt} times" in event.reason
    assert [(each.attempt, each.detail) for each in world.failures()] == [
        (1, "something broke"),
        (2, "something broke"),
    ]


def test_a_number_that_somebody_else_took_meanwhile_is_not_used_again(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV

    def other(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        failure = Failure(
            job=JOB, generation=1, task="v0000", attempt=1, code="decode_failed", reason="",
            final=False, worker="worker-2", failed_s=0.0,
        )  # fmt: skip
        world.store.create(layout.failure(JOB, 1, "v0000", 1), record.dump(failure))

    world.program.meanwhile = other
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert event.attempt == 2


def test_a_final_failure_is_told_of_again_without_another_attempt(world: World) -> None:
    world.store.delete("uploads/acme/film")
    first = world.handle()
    assert world.handle() == first
    assert world.program.runs == []


@pytest.mark.parametrize("returncode", [-signal.SIGKILL, -signal.SIGTERM, 255, 228])
def test_an_end_from_outside_leaves_no_record(world: World, returncode: int) -> None:
    world.program.returncode = returncode
    with pytest.raises(Unavailable):
        world.handle()
    assert world.failures() == []
    assert not world.state.held(LEASE)
    assert list(world.scratch.iterdir()) == []


@pytest.mark.parametrize("output", [b"", b"\0" * 100])
def test_exit_code_0_without_the_output_is_a_failure(world: World, output: bytes) -> None:
    world.program.output = output
    (event,) = world.handle()
    assert isinstance(event, TaskFailed)
    assert event.code == ("output_invalid" if output else "frames_missing")
    assert [info.key for info in world.store.list(f"media/{JOB}/")] == []


def test_wrong_frames_are_tried_once_more_from_the_whole_source(world: World) -> None:
    good = world.program.output
    world.program.output = b""

    def mend(see: Callable[[Mapping[str, str]], bool]) -> None:
        if len(world.program.runs) == 2:
            world.program.output = good

    world.program.meanwhile = mend
    assert world.handle() == [COMPLETED]
    assert len(world.program.runs) == 2
    source = world.store.head("uploads/acme/film")
    assert source is not None
    assert world.receipt().source_bytes_read > source.size_bytes
    assert world.receipt().cpu_ms == 3000


def test_a_cancelled_job_calls_the_encode_off(world: World) -> None:
    def cancel(see: Callable[[Mapping[str, str]], bool]) -> None:
        assert see({"frame": "3"})
        _cancel(world)
        world.clock.advance(2)
        assert not see({"frame": "4"})

    world.program.meanwhile = cancel
    assert world.handle() == []
    assert world.store.head(layout.receipt(JOB, 1, "v0000")) is None
    assert world.failures() == []


def test_what_another_ended_between_a_look_and_the_lease_is_not_encoded_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = world.state.acquire

    def acquire_late(lease: str, holder: str, *, ttl_s: float) -> bool:
        monkeypatch.undo()
        assert [type(event) for event in world.handle()] == [TaskCompleted]
        return acquire(lease, holder, ttl_s=ttl_s)

    monkeypatch.setattr(world.state, "acquire", acquire_late)
    assert [type(event) for event in world.handle()] == [TaskCompleted]
    assert len(world.program.runs) == 1


def test_a_slot_that_cannot_be_kept_leaves_no_lease_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(job: str, generation: int, task: str, *, ttl_s: float) -> None:
        raise Unavailable("the state store is away")

    monkeypatch.setattr(world.state, "keep_slot", away)
    assert world.handle() == [COMPLETED]
    assert not world.state.held(LEASE)


def test_a_lease_that_went_to_somebody_else_calls_the_encode_off(world: World) -> None:
    def stall(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.clock.advance(31)
        world.state.acquire(LEASE, "worker-2/1", ttl_s=30)
        assert not see({})

    world.program.meanwhile = stall
    assert world.handle() == []
    assert world.state.held(LEASE)
    world.state.release_all("")


def test_a_lease_is_renewed_while_the_encode_runs(world: World) -> None:
    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for _ in range(20):
            world.clock.advance(10)
            assert see({})
            assert world.state.held(LEASE)

    world.program.meanwhile = work
    assert world.handle() == [COMPLETED]


def test_a_slot_is_not_lost_while_the_encode_runs_however_long(world: World) -> None:
    task = Waiting(job=JOB, generation=1, task="v0000", tenant="a", accelerator="cpu", order=0)
    world.state.enqueue([task])
    world.state.admit("cpu", cause="start", limit=1, ttl_s=15)

    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for _ in range(20):
            world.clock.advance(10)
            assert see({})
            assert world.state.admit("cpu", cause="another", limit=1, ttl_s=15) == []

    world.program.meanwhile = work
    assert world.handle() == [COMPLETED]


def test_a_state_store_that_forgot_everything_stops_nothing(world: World) -> None:
    def flush(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.state.flush()
        world.clock.advance(10)
        assert see({})

    world.program.meanwhile = flush
    assert world.handle() == [COMPLETED]


def test_progress_is_told_in_frames(world: World) -> None:
    seen: list[Mapping[str, int]] = []

    def work(see: Callable[[Mapping[str, str]], bool]) -> None:
        for frame in ("N/A", "7", "12"):
            world.clock.advance(1)
            see({"frame": frame})
            seen.append(world.state.progress(JOB))

    world.program.meanwhile = work
    world.handle()
    assert seen == [{}, {"v0000": 7}, {"v0000": 12}]


def test_attempts_that_race_leave_one_receipt(world: World) -> None:
    def race(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        world.state.release_all("")
        other = replace(world.encoder, settings=replace(world.encoder.settings, worker="worker-2"))
        assert list(other.task_ready(planned.ready("v0000"))) == [COMPLETED]

    world.program.meanwhile = race
    assert world.handle() == [COMPLETED]
    assert world.receipt().worker == "worker-2"


def second(world: World) -> list[Event]:
    """The task is issued a second time, while another worker has it."""
    copy = replace(planned.ready("v0000"), copy=1)
    other = replace(world.encoder, settings=replace(world.encoder.settings, worker="worker-2"))
    return list(other.task_ready(copy))


def test_a_second_attempt_works_beside_the_first_and_the_first_stops(world: World) -> None:
    seen: list[bool] = []

    def overtake(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        assert second(world) == [COMPLETED]
        world.clock.advance(2)
        seen.append(see({"frame": "3"}))

    world.program.meanwhile = overtake
    assert world.handle() == [COMPLETED]
    assert seen == [False]
    assert world.receipt().worker == "worker-2"
    assert not world.state.holders([LEASE, leases.task(JOB, 1, "v0000", 1)])


def test_a_second_attempt_stops_when_the_first_comes_through(world: World) -> None:
    lease = leases.task(JOB, 1, "v0000", 1)
    world.state.acquire(lease, leases.WANTED, ttl_s=90)

    def come_through(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        holder = world.state.holders([lease])[lease]
        assert leases.worker_of(holder) == "worker-2"
        assert list(world.encoder.task_ready(planned.ready("v0000"))) == [COMPLETED]
        world.clock.advance(2)
        assert not see({"frame": "3"})

    world.program.meanwhile = come_through
    assert second(world) == [COMPLETED]
    assert world.receipt().worker == "worker-1"
    assert not world.state.held(lease)


def test_what_the_attempt_wrote_that_was_too_late_is_gone(world: World) -> None:
    late: list[str] = []

    def write(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.program.meanwhile = None
        late.append(layout.media_segment(JOB, "72p", 0, "0" * 64))
        world.store.create(late[0], b"another machine's bytes of the same pictures")
        assert second(world) == [COMPLETED]
        world.clock.advance(2)

    world.program.meanwhile = write
    assert world.handle() == [COMPLETED]
    assert world.store.head(late[0]) is None
    for track in world.receipt().tracks:
        assert all(world.store.head(each.stored.key) for each in track.segments)


def test_a_second_attempt_that_fails_leaves_it_to_the_first(world: World) -> None:
    world.program.returncode = -signal.SIGSEGV
    assert second(world) == []
    assert world.failures() == []
    assert not world.state.held(leases.task(JOB, 1, "v0000", 1))


def test_a_second_attempt_tells_of_no_progress(world: World) -> None:
    def tell(see: Callable[[Mapping[str, str]], bool]) -> None:
        world.clock.advance(1)
        assert see({"frame": "3"})

    world.program.meanwhile = tell
    assert second(world) == [COMPLETED]
    assert world.state.progress(JOB) == {}


def test_a_full_disk_is_unavailable(world: World) -> None:
    class Full(MemoryStore):
        def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
            raise OSError(28, os.strerror(28))

    store = Full()
    store.__dict__.update(world.store.__dict__)
    with pytest.raises(Unavailable):
        list(replace(world.encoder, store=store).task_ready(planned.ready("v0000")))


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    settings = Settings.read(
        {
            "KINORA_STORE": "/data",
            "KINORA_STATE": "/data/state.sqlite",
            "KINORA_WORKER": "encoder-7",
            "KINORA_SCRATCH": str(tmp_path),
            "KINORA_ENCODER_THREADS": "2",
            "KINORA_ENCODER_WALL_S": "90",
        }
    )
    assert (settings.worker, settings.tuning.threads, settings.wall_s) == ("encoder-7", 2, 90)
    assert settings.scratch == tmp_path / "kinora-encoder"


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"KINORA_STORE": "/data"},
        {"KINORA_STORE": "a", "KINORA_STATE": "b", "KINORA_ENCODER_WALL_S": "soon"},
        {"KINORA_STORE": "a", "KINORA_STATE": "b", "KINORA_ENCODER_THREADS": "0"},
    ],
)
def test_wrong_settings_name_the_variable(env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="KINORA_"):
        Settings.read(env)


def _cancel(world: World) -> None:
    ending.decide(
        world.store, job=JOB, tenant="acme", state="cancelled", code="cancelled",
        reason="", now_s=world.clock(),
    )  # fmt: skip
