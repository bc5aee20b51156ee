"""A job is watched by HTTP while it is encoded, across a break, to its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2

from tests.e2e.command import Desk
from tests.e2e.test_up import TINY, drop, told
from tests.streams import Told, parse

VERDICTS = ("completed", "rejected", "failed", "cancelled")


def events(answer: httpx2.Response) -> Iterator[Told]:
    """As they come."""
    block: list[str] = []
    for line in answer.iter_lines():
        if line:
            block.append(line)
            continue
        yield from parse("\n".join(block).encode() + b"\n\n")
        block = []


def test_a_job_is_followed_from_its_beginning_across_a_break_to_its_verdict(
    desk: Desk, clip: Path, tmp_path: Path
) -> None:
    with desk.started(
        "up", "--dir", "site", "--listen", "127.0.0.1:0", "--json", cwd=tmp_path
    ) as process:
        (started,) = told(process, "started", 1)
        with (
            httpx2.Client(base_url=started["page"], timeout=60, trust_env=False) as client,
            client.stream("GET", "/api/v1/progress") as tenants,
        ):
            happening = events(tenants)
            drop(clip, tmp_path / "site" / "uploads" / "local", "film.mp4", TINY)
            job = next(each.data["job"] for each in happening)
            facts, last = [], ""
            path = f"/api/v1/jobs/{job}"
            with client.stream("GET", f"{path}/progress") as before:
                for each in events(before):
                    if each.event == "fact":
                        facts.append(each.data)
                        last = each.id
                    if each.event == "fact" and each.data["type"].endswith("ready.v1"):
                        break  # and the connection with it
            with client.stream("GET", f"{path}/progress", headers={"last-event-id": last}) as after:
                heard = list(events(after))
            states = (each.data["state"] for each in happening)
            assert next(each for each in states if each in VERDICTS) == "completed"

            assert heard[-1].event == "end"
            assert heard[-1].data == {"job": job, "state": "completed"}
            facts += [each.data for each in heard if each.event == "fact"]
            listed = client.get(f"{path}/events").json()["events"]
            assert {fact["id"]: fact for fact in facts} == {fact["id"]: fact for fact in listed}
            assert listed[0]["type"] == "dev.kinora.object.created.v1"

            shares = [e.data["progress"]["share"] for e in heard if e.event == "job"]
            assert shares == sorted(shares)
            assert shares[-1] == 1.0
            tasks = {e.data["id"]: e.data for e in heard if e.event == "task"}
            assert tasks == {
                task["id"]: task for task in client.get(f"{path}/tasks").json()["tasks"]
            }
            assert {task["state"] for task in tasks.values()} == {"done"}
            assert all(task["worker"] and task["size_bytes"] for task in tasks.values())
            verdict = facts[-1]["id"]
            again = client.get(f"{path}/progress", headers={"last-event-id": verdict})
            assert again.status_code == 204

            # A stream does not keep the runtime from ending: it ends, not cut off.
            process.terminate()
            assert all(each.event == "job" for each in happening)
        process.communicate(timeout=60)
    assert process.returncode == 0
