"""A town of two tenants, with clients that do not give up and somebody who looks over the fence."""

from __future__ import annotations

import random
import struct
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.clips import ffmpeg
from tests.e2e import breakage, remains, services, shortened
from tests.e2e.aftermath import assert_right
from tests.e2e.breakage import Outage
from tests.e2e.command import until
from tests.e2e.inbox import Receiver, receiver
from tests.e2e.onlooker import Onlooker, looking
from tests.e2e.persistent import Client, Taken
from tests.e2e.services import TENANT, Town

NEIGHBOUR: Final = "ben"
STEADY: Final = """
name = "steady"
description = "two small rungs in chunks of a second, for tests of what breaks meanwhile"
segment_s = 1

[video]
preset = "medium"

[[video.ladder]]
height = 144
maxrate_kbps = 400
bufsize_kbps = 800

[[video.ladder]]
height = 96
maxrate_kbps = 300
bufsize_kbps = 400
"""
PATIENCE: Final = {
    "KINORA_ASSEMBLY_LEASE_S": "5",
    "KINORA_PLANNING_LEASE_S": "5",
    "KINORA_WEBHOOK_LEASE_S": "8",
    "KINORA_WEBHOOK_TIMEOUT_S": "1",
    "KINORA_WEBHOOK_RETRIES_S": "0.5,1,2,2,3,3,3,3,3,3,3,3",
}
"""In proportion to clips of seconds, like that of the broker (`shortened.py`)."""
OTHER_SETTINGS: Final = {
    "KINORA_WEBHOOK_ALLOW": "127.0.0.1/32",
    "KINORA_UPLOAD_PART_BYTES": str(5 << 20),
    "KINORA_LIMIT_CALLER": "0",
    "KINORA_LIMIT_TENANT": "0",
    "KINORA_LIMIT_GUESSES": "0",
}
STATES: Final = ("accepted", "preparing", "encoding", "assembling")
FROZEN_S: Final = 30.0


@dataclass(slots=True)
class Place:
    """A town of two tenants that do not see each other."""

    town: Town
    clip: Path
    names: Path
    """What host names stand for, where the runtime looks them up."""
    inboxes: dict[str, Receiver]
    onlookers: Mapping[str, Onlooker]
    frozen_s: float
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def client(self, tenant: str, choose: random.Random) -> Client:
        return Client(town=self.town, tenant=tenant, choose=random.Random(choose.random()))

    def uploaded(self, choose: random.Random, outage: Outage, *, for_s: float) -> list[Taken]:
        """Three files, taken; `outage` struck in the middle of one of them."""
        name = f"{next(self.numbers)}.mp4"
        ways = [
            (TENANT, "put"),
            (TENANT, "tus"),
            (NEIGHBOUR, "multipart"),
        ]
        watched, share = choose.randrange(len(ways)), min(choose.uniform(0.0, 1.2), 1.0)
        under_way = threading.Event()

        def sent(done: float) -> None:
            if done >= share:
                under_way.set()

        def strike() -> str:
            assert under_way.wait(60)
            return breakage.after(outage, wait_s=delay_s, for_s=for_s)

        delay_s = choose.uniform(0.0, 0.1)
        with ThreadPoolExecutor(len(ways) + 1) as pool:
            struck = pool.submit(strike)
            futures = []
            for number, (tenant, way) in enumerate(ways):
                client = Client(
                    town=self.town,
                    tenant=tenant,
                    choose=random.Random(choose.random()),
                    sent=sent if number == watched else lambda _: None,
                )
                if way == "put" and number == watched:
                    share = 0.0  # it tells of its beginning and its end alone
                futures.append(pool.submit(getattr(client, way), self.clip, name))
            taken = [future.result() for future in futures]
            struck.result()
        self._learn(taken)
        return taken

    def struck(
        self, taken: list[Taken], choose: random.Random, outage: Outage, *, for_s: float
    ) -> str:
        """`outage` strikes in the middle of a job: a moment after one of them came so far."""
        wanted = choose.choice(STATES)

        def states() -> list[str]:
            return [
                str(job["state"])
                for each in taken
                for job in self.town.jobs(each.tenant)
                if str(job["source"]).endswith(each.ending)
            ]

        def come_so_far() -> bool:
            found = states()
            return any(state not in STATES[: STATES.index(wanted)] for state in found)

        until(f"a job is {wanted}", come_so_far, every_s=0.1)
        told = breakage.after(outage, wait_s=choose.uniform(0.0, 0.5), for_s=for_s)
        return f"{told} after {wanted}"

    def _learn(self, taken: list[Taken]) -> None:
        """What the one has is what the other must not see."""
        for each in taken:
            other = NEIGHBOUR if each.tenant == TENANT else TENANT
            if each.job:
                path = f"/jobs/{each.job}"
                onlooker = self.onlookers[other]
                onlooker.theirs = (*onlooker.theirs[-6:], path, f"{path}/outputs", f"{path}/events")

    def assert_right(self, taken: list[Taken]) -> None:
        assert_right(self.town, self.inboxes, taken)
        for tenant, onlooker in self.onlookers.items():
            assert not onlooker.seen, (tenant, onlooker.seen[:5])
            assert onlooker.looks


def make_clip(path: Path) -> None:
    """Four seconds, of more than two parts of the smallest size: most of it is a box that nobody
    reads, so that uploads take a while and jobs do not."""
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=size=256x144:rate=25:duration=4",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "40", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", str(path),
    )  # fmt: skip
    size_bytes = 11 << 20
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", size_bytes, b"free"))
        file.write(random.Random(0).randbytes(size_bytes - 8))


@contextmanager
def place(folder: Path, *, frozen_s: float = FROZEN_S) -> Iterator[Place]:
    """Everything started; after the end no process is there."""
    profiles, names, clip = folder / "steady", folder / "names.json", folder / "clip.mp4"
    profiles.mkdir()
    (profiles / "steady.toml").write_text(STEADY)
    names.write_text("{}")
    make_clip(clip)
    env = {
        **PATIENCE,
        **OTHER_SETTINGS,
        "KINORA_PROFILES": str(profiles),
        "KINORA_NAMES": str(names),
    }
    with ExitStack() as stack:
        town = stack.enter_context(
            services.town(
                folder / "town",
                env=env,
                options=("--tick", "1", "--manifests", str(shortened.write(folder / "base"))),
                redis_options="?timeout_s=1",
                tenants=(TENANT, NEIGHBOUR),
            )
        )
        neighbour = stack.enter_context(receiver())
        neighbour.secret = register(town, NEIGHBOUR, neighbour.url)["secret"]
        onlookers = stack.enter_context(looking(town, TENANT, NEIGHBOUR))
        yield Place(
            town=town,
            clip=clip,
            names=names,
            inboxes={TENANT: town.receiver, NEIGHBOUR: neighbour},
            onlookers=onlookers,
            frozen_s=frozen_s,
        )
        town.stop()
        remains.no_process(town)


def register(town: Town, tenant: str, url: str) -> dict[str, Any]:
    with town.api_of(tenant) as api:
        answer = api.post("/webhooks", json={"url": url})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made
