"""The cluster's broker against the table that the embedded broker is held to as well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.cluster.kube import HOST, Kube
from tests.delivery.case import Case, Result
from tests.delivery.play import BROKER, broker, play
from tests.delivery.table import TABLE
from tests.e2e.command import until

pytestmark = pytest.mark.cluster

PLAYED: Final = [case for case in TABLE if not case.differs or case.differs.result]
_READY_S: Final = 120
_QUIET_S: Final = 6.0


@pytest.fixture(scope="module")
def kube(cluster: Kube) -> Iterator[Kube]:
    with cluster.apart("kinora-delivery") as found:
        yield found


@pytest.fixture(scope="module")
def results(kube: Kube) -> dict[str, Result]:
    def installed(receivers: str, triggers: Sequence[Mapping[str, Any]]) -> str:
        wanted = {"apiVersion": "v1", "kind": "List", "items": [broker(receivers), *triggers]}
        kube("create", "--filename", "-", stdin=msgspec.json.encode(wanted).decode())
        kinds = "brokers.eventing.knative.dev,triggers.eventing.knative.dev"
        ready = ("--for=condition=Ready", f"--timeout={_READY_S}s")
        kube("wait", kinds, "--all", *ready, within_s=_READY_S + 30)
        until("the channel delivers to every trigger", lambda: subscribed() == len(triggers))
        named = urlsplit(
            kube.get("brokers.eventing.knative.dev", BROKER)["status"]["address"]["url"]
        )
        service, namespace, *_ = named.netloc.split(".")
        return f"http://{kube.within(namespace).address(service)}{named.path}"

    def subscribed() -> int:
        channel = kube.get("inmemorychannels.messaging.knative.dev", f"{BROKER}-kne-trigger")
        told = channel["status"].get("subscribers", ())
        return sum(each["ready"] == "True" for each in told)

    async def install(receivers: str, triggers: Sequence[Mapping[str, Any]]) -> str:
        return await asyncio.to_thread(installed, receivers, triggers)

    return asyncio.run(play(PLAYED, install, host=HOST, quiet_s=_QUIET_S))


@pytest.mark.parametrize("case", PLAYED, ids=lambda case: case.name)
def test_the_clusters_broker_does(case: Case, results: dict[str, Result]) -> None:
    wanted = case.differs.result if case.differs else case.result
    assert results[case.name] == wanted, case.says
