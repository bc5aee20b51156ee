"""Ways to a Redis: encrypted ones, and a cluster whose node for the keys is another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters.connect import rate_limits, state_store
from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.state import RedisState
from functions.ports import Waiting
from tests import servers
from tests.certificates import self_signed

pytestmark = pytest.mark.servers


def test_an_encrypted_connection_trusts_the_authority_it_was_given(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path / "tls")
    port = servers.free_port()
    tls = (
        *("--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
    )
    with servers.redis(tmp_path / "redis", *tls):
        location = f"rediss://127.0.0.1:{port}/0"
        trusting = state_store(f"{location}?ca={certificate}")
        assert isinstance(trusting, RedisState)
        with closing(trusting):
            assert trusting.acquire("lease", "anna", ttl_s=60)
        assert rate_limits(f"{location}?ca={certificate}").hit("1/hour", "anna").remaining == 0
        for wrong, said in (
            (location, "certificate verify failed"),
            (f"redis://127.0.0.1:{port}", "cannot be reached"),
        ):
            other = RedisState(RedisAddress.at(wrong))
            with closing(other), pytest.raises(Unavailable, match=said):
                other.acquire("lease", "anna", ttl_s=60)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[servers.Redis, servers.Redis]]:
    """Two nodes: the first has every slot but the one of our keys, which the second has."""
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(
                servers.redis(
                    tmp_path / name,
                    *("--cluster-enabled", "yes", "--cluster-port", str(servers.free_port())),
                )
            )
            for name in ("first", "second")
        ]
        first, second = (stack.enter_context(node.asked()) for node in nodes)
        slot = int(first.cluster("keyslot", "{kinora}"))
        first.cluster("addslotsrange", 0, slot - 1, slot + 1, 16383)
        second.cluster("addslots", slot)
        bus = second.config_get("cluster-port")["cluster-port"]
        first.cluster("meet", "127.0.0.1", nodes[1].port, bus)
        for node in (first, second):
            while node.cluster("info")["cluster_state"] != "ok":
                time.sleep(0.02)
        yield nodes[0], nodes[1]


def test_all_keys_are_in_one_slot_of_a_cluster_and_its_node_is_found(
    cluster: tuple[servers.Redis, servers.Redis],
) -> None:
    first, second = cluster
    with closing(RedisState(RedisAddress.at(first.url))) as state:
        state.enqueue(
            [
                Waiting(
                    job="job",
                    generation=1,
                    task=f"v{order}",
                    tenant="anna",
                    accelerator="cpu",
                    order=order,
                )
                for order in range(5)
            ]
        )
        granted = state.admit("cpu", cause="start", limit=2, ttl_s=60)
        assert [slot.task for slot in granted] == ["v0", "v1"]
        assert not state.complete("job", 1, "v0", total=5)
        assert [slot.task for slot in state.slots("job")] == ["v1"]
        assert state.acquire("lease", "anna", ttl_s=60)
        assert state.renew("lease", "anna", ttl_s=60)
        assert state.held("lease")
        state.release("lease", "anna")
        state.release_all("")
        state.report_progress("job", 1, "v1", 7)
        assert state.progress("job") == {"v1": 7}
        state.forget("job")
    assert first.all_keys() == []
    assert second.all_keys() == ["{kinora}:served:cpu:0", "{kinora}:turn"]
