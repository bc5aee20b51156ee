"""A job that asks for a GPU where none works: the CPU does it, exactly, and the report says why."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from eventing.envelope import wrap
from functions.adapters import connect
from functions.jobs import ending, layout, naming, record
from functions.jobs.manifest import SourceObject
from functions.jobs.receipt import Failure
from functions.jobs.refusal import NO_ACCELERATOR
from knative.local.manifests import BASE
from knative.local.runtime import Runtime
from tests.clips import ffmpeg
from tests.e2e.command import TINY
from tests.e2e.judges import Planned, judge
from tests.integration.embedded import eventually

COMPONENT = BASE.parent / "components" / "gpu-encoder"
KEY = "acme/film.mp4"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds in three segments, with a tone."""
    path = tmp_path_factory.mktemp("short") / "film.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=256x144:rate=25:duration=3",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=3",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "40", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", str(path),
    )  # fmt: skip
    return path


def transcoded(source: Path, folder: Path, *, gpu_service: bool, **settings: str) -> Path:
    """The outputs of a job that asked for a GPU, made by a runtime of its own."""
    manifests = folder / "manifests"
    manifests.mkdir()
    for file in BASE.glob("*.yaml"):
        shutil.copy(file, manifests)
    if gpu_service:
        for name in ("encoder.yaml", "trigger.yaml"):
            shutil.copy(COMPONENT / name, manifests / f"gpu-{name}")
    (folder / "profiles").mkdir()
    (folder / "profiles" / "tiny.toml").write_text(
        TINY.replace("\n[video]", "segment_s = 1\n[video]")
    )
    site = folder / "site"
    target = site / layout.UPLOADS / KEY
    target.parent.mkdir(parents=True)
    shutil.copy(source, target)
    asked = {"profile": "tiny", "chunk_segments": 1, "accelerator": "gpu"}
    Path(naming.sidecar(str(target))).write_text(json.dumps(asked))

    async def scenario() -> str:
        runtime = Runtime(
            site,
            manifests=manifests,
            watch_uploads=False,
            tick_s=1.0,
            extra_env={"KINORA_PROFILES": str(folder / "profiles"), **settings},
        )
        await runtime.start()
        try:
            store = connect.object_store(str(site))
            info = store.head(f"{layout.UPLOADS}/{KEY}")
            assert info is not None
            created = SourceObject.of(info).created
            await runtime.publish(wrap(created, producer="test", time="2026-01-01T00:00:00Z"))
            await eventually(lambda: ending.read(store, created.job) is not None)
            verdict = ending.read(store, created.job)
            assert verdict is not None
            assert verdict.state == "completed", verdict.reason
            return created.job
        finally:
            await runtime.stop(drain=False)

    return site / layout.MEDIA / asyncio.run(scenario())


def reason(out: Path, source: Path, *, generation: int) -> str:
    """Why it was no GPU, of streams that are right in every other way."""
    assert judge(out, source, Planned.read(out)) == []
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    assert report["generation"] == generation
    assert {task["accelerator"] for task in report["tasks"]} == {"cpu"}
    # What did not move kept the generation that asked for it.
    sound = next(task for task in report["tasks"] if task["kind"] == "audio")
    assert sound["generation"] == 1
    (note,) = report["notes"]
    code, _, text = str(note).partition(": ")
    assert code == NO_ACCELERATOR
    return text


def test_without_gpu_encoders_the_plan_is_the_cpus_at_once(short: Path, tmp_path: Path) -> None:
    out = transcoded(short, tmp_path, gpu_service=False)
    assert "KINORA_GPU_ENCODERS" in reason(out, short, generation=1)


def test_what_no_gpu_encoder_takes_in_time_the_cpu_does(short: Path, tmp_path: Path) -> None:
    out = transcoded(
        short,
        tmp_path,
        gpu_service=False,
        KINORA_GPU_ENCODERS="1",
        KINORA_GPU_DEADLINE_S="1",
    )
    assert "within 1 s" in reason(out, short, generation=2)


def test_a_worker_whose_trial_fails_leaves_it_to_the_cpu(short: Path, tmp_path: Path) -> None:
    out = transcoded(short, tmp_path, gpu_service=True, KINORA_GPU_ENCODERS="1")
    assert "has none that works" in reason(out, short, generation=2)
    records = tmp_path / "site" / layout.records_prefix(out.name)
    failures = [file for file in (records / "failures").rglob("*") if file.is_file()]
    told = {record.load(file.read_bytes(), Failure).code for file in failures}
    assert told == {NO_ACCELERATOR}
