"""The embedded runtime with real processes of sample functions."""

from __future__ import annotations

import ast
import asyncio
import json
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import psutil
import pytest

from functions.adapters.sqlite import SqliteState
from knative.local.home import AlreadyRunning
from knative.local.runtime import Runtime
from tests.integration.embedded import Samples, alive, below, event, eventually, is_at, stop, until


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    return Samples(tmp_path)


def test_a_chain_of_functions_works_from_zero_and_goes_back_to_zero(samples: Samples) -> None:
    samples.add("first", "one", then="two")
    samples.add("second", "two", then="three")
    samples.add("third", "three")

    def ended(many: int) -> bool:
        return len(samples.ids("ended")) == many

    async def scenario() -> None:
        async with samples.running() as runtime:
            for rounds in (1, 2):
                assert runtime.status().processes == ()
                await runtime.publish(event(f"e{rounds}", "one"))
                await eventually(partial(ended, 3 * rounds))
                await eventually(lambda: runtime.status().idle)
        seen = samples.seen("ended")
        assert [id for id, _ in seen] == [
            "e1", "e1-two", "e1-two-three", "e2", "e2-two", "e2-two-three",
        ]  # fmt: skip
        # Each time by a process of its own.
        assert len({pid for _, pid in seen}) == 6
        assert not any(samples.scratch.glob("*"))

    asyncio.run(scenario())


def test_a_runtime_for_one_job_has_processes_before_the_first_event_and_keeps_them(
    samples: Samples,
) -> None:
    samples.add("chunker", "one", then="two")
    samples.add("encoder", "two")

    async def scenario() -> None:
        async with samples.running(encoders=1, for_one_job=True) as runtime:
            await eventually(lambda: len(runtime.status().processes) == 2)
            before = set(runtime.status().processes)
            await runtime.publish(event("e", "one"))
            await eventually(lambda: len(samples.seen("ended")) == 2)
            assert {pid for _, pid in samples.seen("ended")} == before
            # What began the job goes when its time is over.
            await eventually(lambda: len(runtime.status().processes) == 1)
            assert runtime.status().services["encoder"].ready == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("concurrency", [1, 3])
def test_load_brings_more_processes_and_none_takes_more_than_its_limit(
    samples: Samples, concurrency: int
) -> None:
    samples.add("encoder", "hold", concurrency=concurrency)

    async def scenario() -> None:
        async with samples.running(encoders=3) as runtime:
            many = 3 * concurrency + 4
            for n in range(many):
                await runtime.publish(event(f"e{n}", "hold"))
            await eventually(lambda: len(samples.seen("begun")) >= 3 * concurrency)
            status = runtime.status().services["encoder"]
            assert (status.ready, status.running, status.waiting) == (3, 3 * concurrency, 4)
            held = Counter(pid for _, pid in samples.seen("begun"))
            assert sorted(held.values()) == [concurrency] * 3
            samples.go()
            await eventually(lambda: len(samples.seen("ended")) == many)
            await eventually(lambda: runtime.status().idle)

    asyncio.run(scenario())


def test_draining_lets_a_request_in_flight_finish_and_publish(samples: Samples) -> None:
    samples.add("first", "hold", then="two")
    samples.add("second", "two")

    async def scenario() -> None:
        async with samples.running() as runtime:
            await runtime.publish(event("e", "hold"))
            await eventually(lambda: "e" in samples.ids("begun"))
            (pid,) = runtime.status().processes
            stopping = asyncio.create_task(runtime.stop(drain=True))
            # A request that comes now is not taken, the one that runs is left alone.
            for _ in range(50):
                await asyncio.sleep(0)
            assert not stopping.done()
            assert psutil.pid_exists(pid)
            samples.go()
            await stopping
            assert samples.ids("ended") == {"e"}
            assert not psutil.pid_exists(pid)
        # What it published waits for the next start.
        async with samples.running() as runtime:
            await eventually(lambda: samples.ids("ended") == {"e", "e-two"})

    asyncio.run(scenario())


def test_what_waits_for_a_process_is_not_begun_while_draining(samples: Samples) -> None:
    samples.add("encoder", "hold")

    async def scenario() -> None:
        async with samples.running(encoders=1) as runtime:
            for n in range(3):
                await runtime.publish(event(f"e{n}", "hold"))
            await eventually(lambda: runtime.status().services["encoder"].waiting == 2)
            await eventually(lambda: len(samples.ids("begun")) == 1)
            stopping = asyncio.create_task(runtime.stop(drain=True))
            await eventually(lambda: runtime.status().services["encoder"].waiting == 0)
            samples.go()
            await stopping
            assert len(samples.ids("begun")) == 1
        async with samples.running(encoders=1) as runtime:
            await eventually(lambda: samples.ids("ended") == {"e0", "e1", "e2"})

    asyncio.run(scenario())


def test_an_abort_leaves_no_process_no_program_and_no_scratch(samples: Samples) -> None:
    samples.add("worker", "program")

    async def scenario() -> None:
        async with samples.running() as runtime:
            await runtime.publish(event("e", "program"))
            await eventually(
                lambda: any(is_at(p, "sleep") for p in below(runtime.status().processes))
            )
            every = below(runtime.status().processes)
            await runtime.stop(drain=False)
            assert not any(alive(process) for process in every)
            assert not samples.scratch.exists()
            assert not samples.announced()
        # The event was not done: it is delivered again.
        async with samples.running() as runtime:
            await eventually(lambda: len(samples.seen("begun")) == 2)

    asyncio.run(scenario())


def test_a_process_killed_in_mid_request_is_replaced_and_the_event_comes_again(
    samples: Samples,
) -> None:
    samples.add("worker", "program", "hold")

    async def scenario() -> None:
        async with samples.running() as runtime:
            await runtime.publish(event("e", "program"))
            await eventually(
                lambda: any(is_at(p, "sleep") for p in below(runtime.status().processes))
            )
            every = below(runtime.status().processes)
            every[0].kill()
            await eventually(lambda: not any(alive(process) for process in every))
            await eventually(lambda: len(samples.seen("begun")) == 2)
            (first, second) = (pid for _, pid in samples.seen("begun"))
            assert first != second
            await eventually(lambda: len(list(samples.scratch.iterdir())) == 1)

    asyncio.run(scenario())


def test_a_dead_process_holds_no_lease(samples: Samples) -> None:
    samples.add("worker", "lease")

    async def scenario() -> None:
        async with samples.running() as runtime:
            await runtime.publish(event("e", "lease"))
            await eventually(lambda: (samples.board / "leased").exists())
            state = SqliteState(samples.site / "runtime" / "state.sqlite")
            assert state.held("sample")
            (samples.board / "leased").unlink()
            psutil.Process(runtime.status().processes[0]).kill()
            # The next process could take it: it was given back.
            await eventually(lambda: (samples.board / "leased").exists())
            await runtime.stop(drain=False)
            assert not state.held("sample")
            state.close()

    asyncio.run(scenario())


def test_leases_of_a_dead_runtime_are_void(samples: Samples) -> None:
    samples.add("worker", "one")

    async def scenario() -> None:
        async with samples.running():
            pass
        state = SqliteState(samples.site / "runtime" / "state.sqlite")
        assert state.acquire("sample", "somebody", ttl_s=3600)
        async with samples.running():
            assert not state.held("sample")
        state.close()

    asyncio.run(scenario())


def test_a_function_that_cannot_start_is_tried_again_and_holds_nothing_up(
    samples: Samples,
) -> None:
    samples.add("broken", "one", module="raise SystemExit('out of order')")
    samples.add("sound", "one")

    async def scenario() -> None:
        async with samples.running() as runtime:
            await runtime.publish(event("e", "one"))
            await eventually(lambda: samples.ids("ended") == {"e"})
            log = samples.site / "runtime" / "logs" / "broken.log"
            await eventually(lambda: log.read_text().count("out of order") >= 2)

    asyncio.run(scenario())


def test_a_functions_environment_is_stated_and_not_inherited(
    samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.add("worker", "environment")
    monkeypatch.setenv("KINORA_LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    async def scenario() -> None:
        async with samples.running(encoders=3) as runtime:
            await runtime.publish(event("e", "environment"))
            await eventually(lambda: "e" in samples.ids("ended"))
            url = runtime.broker_url
        env = ast.literal_eval((samples.board / "environment").read_text())
        wanted = {
            "K_SINK": url,
            "K_SERVICE": "worker",
            "K_CONFIGURATION": "worker",
            "K_REVISION": "worker-00001",
            "KINORA_WORKER": "worker-00001-1",
            "KINORA_SCRATCH": str(samples.scratch / "worker-00001-1"),
            "KINORA_STORE": str(samples.site),
            "KINORA_STATE": str(samples.site / "runtime" / "state.sqlite"),
            "KINORA_ENCODERS": "3",
            "KINORA_HOST": "127.0.0.1",
            "KINORA_LOG_LEVEL": "DEBUG",
        }
        assert wanted.items() <= env.items()
        assert "AWS_SECRET_ACCESS_KEY" not in env

    asyncio.run(scenario())


def test_only_one_runtime_has_a_directory(samples: Samples) -> None:
    samples.add("worker", "one")

    async def scenario() -> None:
        async with samples.running() as runtime:
            facts = json.loads((samples.site / "runtime" / "runtime.json").read_text())
            assert facts["broker_url"] == runtime.broker_url
            second = Runtime(samples.site, manifests=samples.write())
            with pytest.raises(AlreadyRunning):
                await second.start()
            # The first is none the worse for it.
            await runtime.publish(event("e", "one"))
            await eventually(lambda: samples.ids("ended") == {"e"})
        async with samples.running():
            pass

    asyncio.run(scenario())


def test_a_ping_goes_straight_to_its_sink(samples: Samples) -> None:
    samples.add("worker", "one")
    samples.documents.append(
        {
            "apiVersion": "sources.knative.dev/v1",
            "kind": "PingSource",
            "metadata": {"name": "tick"},
            "spec": {
                "schedule": "0 0 30 2 *",
                "sink": {
                    "ref": {
                        "apiVersion": "serving.knative.dev/v1",
                        "kind": "Service",
                        "name": "worker",
                    }
                },
            },
        }
    )

    async def scenario() -> None:
        async with samples.running(tick_s=0.2):
            await eventually(lambda: len(samples.ids("ended")) >= 2)

    asyncio.run(scenario())


def test_a_dropped_file_becomes_an_event(samples: Samples) -> None:
    samples.add("worker", "dev.kinora.object.created.v1")

    async def scenario() -> None:
        async with samples.running(watch_uploads=True):
            (samples.site / "uploads" / "local").mkdir()
            (samples.site / "uploads" / "local" / "film.mp4").write_bytes(b"film")
            await eventually(lambda: len(samples.seen("ended")) == 1)

    asyncio.run(scenario())


def test_killed_with_9_the_supervisor_takes_everything_with_it(samples: Samples) -> None:
    samples.add("worker", "program")
    samples.add("holder", "hold")
    with samples.served() as supervisor:
        samples.publish(event("p", "program"), event("h", "hold"))
        root = psutil.Process(supervisor.pid)
        until(lambda: samples.ids("begun") == {"p", "h"})
        until(lambda: any(is_at(child, "sleep") for child in root.children(recursive=True)))
        every = root.children(recursive=True)
        assert len(every) >= 3
        assert stop(supervisor, signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not any(alive(process) for process in every))
    (samples.site / "runtime" / "runtime.json").unlink()
    samples.go()
    # What was not done is delivered again; what lay about is gone.
    with samples.served():
        until(lambda: "h" in samples.ids("ended"))
        until(lambda: len(samples.seen("begun")) == 4)
        assert len(list(samples.scratch.iterdir())) <= 2


def test_ctrl_c_ends_at_once_and_leaves_nothing(samples: Samples) -> None:
    samples.add("worker", "program")
    with samples.served() as supervisor:
        samples.publish(event("p", "program"))
        root = psutil.Process(supervisor.pid)
        until(lambda: any(is_at(child, "sleep") for child in root.children(recursive=True)))
        every = root.children(recursive=True)
        assert stop(supervisor, signal.SIGINT) == 130
        assert not any(alive(process) for process in every)
        assert not samples.scratch.exists()
        assert not samples.announced()


def test_sigterm_drains_and_a_second_ctrl_c_does_not_wait(samples: Samples) -> None:
    samples.add("holder", "hold")
    with samples.served() as supervisor:
        samples.publish(event("h", "hold"))
        until(lambda: samples.ids("begun") == {"h"})
        supervisor.send_signal(signal.SIGTERM)
        samples.go()
        assert supervisor.wait(60) == 0
        assert samples.ids("ended") == {"h"}
    (samples.board / "go").unlink()
    with samples.served() as supervisor:
        samples.publish(event("i", "hold"))
        until(lambda: samples.ids("begun") == {"h", "i"})
        every = psutil.Process(supervisor.pid).children(recursive=True)
        supervisor.send_signal(signal.SIGTERM)
        assert stop(supervisor, signal.SIGINT) == 130
        assert not any(alive(process) for process in every)
