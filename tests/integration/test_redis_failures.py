"""Whatever a Redis cannot do now is Unavailable, with a sentence that says what and where."""

from __future__ import annotations

import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
import redis

from eventing.errors import Unavailable
from functions.adapters.connect import rate_limits
from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.state import RedisState
from functions.ports import Waiting
from tests import servers

pytestmark = pytest.mark.servers

TIMEOUT_S = 1
"""In place of five seconds."""


@pytest.fixture
def state(mortal_redis: servers.Redis) -> Iterator[RedisState]:
    state = RedisState(RedisAddress.at(f"{mortal_redis.url}?timeout_s={TIMEOUT_S}"))
    yield state
    state.close()


def waiting(job: str, order: int) -> Waiting:
    return Waiting(
        job=job, generation=1, task=f"v{order}", tenant="anna", accelerator="cpu", order=order
    )


def refusal(state: RedisState) -> str:
    with pytest.raises(Unavailable) as caught:
        state.acquire("lease", "anna", ttl_s=60)
    return caught.value.reason


def test_a_server_that_is_not_there_is_named(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    assert state.acquire("lease", "anna", ttl_s=60)
    mortal_redis.kill()
    assert refusal(state).startswith(
        f"state store: Redis at 127.0.0.1:{mortal_redis.port} cannot be reached"
    )
    mortal_redis.start()
    assert state.acquire("lease", "ben", ttl_s=60)


def test_a_frozen_server_is_not_waited_for_for_ever(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    assert state.acquire("lease", "anna", ttl_s=60)
    mortal_redis.signal(signal.SIGSTOP)
    assert refusal(state).endswith("did not answer within 1 s")
    mortal_redis.signal(signal.SIGCONT)
    assert not state.acquire("lease", "ben", ttl_s=60)


def test_a_restarted_server_is_found_at_once(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    assert state.acquire("lease", "anna", ttl_s=60)
    mortal_redis.restart()
    assert state.acquire("lease", "ben", ttl_s=60)


def test_a_replica_takes_no_writes(state: RedisState, mortal_redis: servers.Redis) -> None:
    with mortal_redis.asked() as client:
        client.replicaof("127.0.0.1", 1)
        assert refusal(state).endswith("is a replica that takes no writes")
        client.replicaof("NO", "ONE")
    assert state.acquire("lease", "anna", ttl_s=60)


def test_a_full_server_can_be_emptied(state: RedisState, mortal_redis: servers.Redis) -> None:
    state.enqueue([waiting("job", order) for order in range(3)])
    state.admit("cpu", cause="start", limit=1, ttl_s=60)
    with mortal_redis.asked() as client:
        client.config_set("maxmemory", "100kb")
        assert refusal(state).endswith("has no memory left (maxmemory)")
        with pytest.raises(Unavailable):
            state.admit("cpu", cause="more", limit=2, ttl_s=60)
        assert [slot.task for slot in state.slots("job")] == ["v0"]
        state.forget("job")
        state.release("lease", "anna")
        client.config_set("maxmemory", "0")
    assert state.admit("cpu", cause="more", limit=2, ttl_s=60) == []


def test_who_may_not_is_told_so(state: RedisState, mortal_redis: servers.Redis) -> None:
    with mortal_redis.asked() as client:
        client.config_set("requirepass", "open sesame")
        assert "refuses the user or the password: Authentication required" in refusal(state)
        client.acl_setuser("reader", enabled=True, passwords=["+pw"], categories=["+@read"])
    for credentials, said in (
        (":open%20sesame@", ""),
        ("default:open%20sesame@", ""),
        (":wrong@", "refuses the user or the password"),
        ("reader:pw@", "does not let this user do that"),
    ):
        location = mortal_redis.url.replace("//", f"//{credentials}")
        with closing(RedisState(RedisAddress.at(location))) as other:
            if said:
                assert said in refusal(other)
                assert "wrong" not in refusal(other)
            else:
                assert other.acquire("lease", "anna", ttl_s=60)


def test_the_permissions_of_the_documentation_are_all_that_is_needed(
    mortal_redis: servers.Redis,
) -> None:
    page = (servers.ROOT / "docs/redis.md").read_text()
    (rules,) = re.findall(r"^\| `user` \| `on >password (.*?)`", page, re.MULTILINE)
    with mortal_redis.asked() as client:
        client.acl_setuser(
            "kinora",
            reset=True,
            enabled=True,
            passwords=["+pw"],
            keys=[rule[1:] for rule in rules.split() if rule[0] == "~"],
            categories=[rule for rule in rules.split() if rule[1] == "@"],
            commands=[rule for rule in rules.split() if rule[0] != "~" and rule[1] != "@"],
        )
    location = mortal_redis.url.replace("//", "//kinora:pw@")
    with closing(RedisState(RedisAddress.at(location))) as state:
        state.enqueue([waiting("job", order) for order in range(3)])
        assert state.admit("cpu", cause="start", limit=1, ttl_s=60) == state.slots("job")
        assert not state.complete("job", 1, "v0", total=3)
        assert state.acquire("lease", "anna", ttl_s=60)
        assert state.renew("lease", "anna", ttl_s=60)
        assert state.holders(["lease"]) == {"lease": "anna"}
        state.release("lease", "anna")
        state.release_all("")
        state.report_progress("job", 1, "v0", 3)
        assert state.progress("job") == {"v0": 3}
        state.forget("job")
    limiter = rate_limits(location)
    assert [limiter.hit("1/hour", "anna").allowed for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "is still loading its data"),
        (b"-BUSY Redis is busy running a script.\r\n", "refuses: BUSY Redis is busy"),
        (b"-MISCONF Errors writing to the AOF file\r\n", "refuses: MISCONF Errors"),
        (b"-ERR max number of clients reached\r\n", "cannot be reached: max number of clients"),
        (b"nonsense\r\n", "refuses: Protocol Error"),
        (b"", "cannot be reached: Connection closed by server"),
    ],
)
def test_what_a_server_answers_is_in_the_reason(answer: bytes, said: str) -> None:
    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        try:
            with closing(RedisState(RedisAddress.at(f"redis://127.0.0.1:{port}"))) as state:
                assert said in refusal(state)
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_script_that_is_wrong_is_a_defect_and_loud(
    state: RedisState, mortal_redis: servers.Redis
) -> None:
    with mortal_redis.asked() as client:
        client.set("{kinora}:leases", "no sorted set")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        state.acquire("lease", "anna", ttl_s=60)
