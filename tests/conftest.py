"""Fixtures that tests of several kinds share: the real servers, one of each a test process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import servers

# A law says nothing of time, and machines have other things to do.
settings.register_profile("unhurried", parent=settings(), deadline=None)
settings.load_profile("unhurried")

HOME = os.environ.get("KINORA_CLUSTER_HOME") or str(servers.ROOT / ".cache/cluster")
# The kubectl that `make servers` has built, unless another is there.
os.environ["PATH"] += os.pathsep + str(Path(HOME).resolve() / "bin")


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Minio]:
    """For tests that leave it as it is but for objects in buckets of their own."""
    with servers.minio(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    """For tests that leave it running; each flushes what it needs flushed."""
    with servers.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def _mortal_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Redis]:
    with servers.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def mortal_redis(_mortal_redis: servers.Redis) -> Iterator[servers.Redis]:
    """One that a test may flush, set, freeze and kill: the next finds it new."""
    yield _mortal_redis
    if _mortal_redis.process is not None:
        _mortal_redis.signal(signal.SIGCONT)
    _mortal_redis.restart()
