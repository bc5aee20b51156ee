"""Every ObjectStore passes the suite, the fake included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from functions.adapters.connect import object_store
from functions.adapters.metered import Metered
from functions.ports import ObjectStore
from tests.contract.minio_suite import MinioSuite
from tests.contract.object_store_suite import ObjectStoreSuite, SharedObjectStoreSuite
from tests.fakes import MemoryStore
from tests.s3_buckets import fresh_buckets
from tests.s3_proxy import CONDITIONS, proxy_before
from tests.servers import Minio


class TestDirectoryStore(SharedObjectStoreSuite):
    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return f"{(tmp_path / 'store').as_uri()}?durable=0"

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return object_store(location)


class TestDurableDirectoryStoreThatFollowsLinks(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return object_store(f"{(tmp_path / 'store').as_uri()}?durable=1&links=1")


class TestMemoryStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return MemoryStore()


class TestMeteredStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self) -> ObjectStore:
        return Metered(MemoryStore())


@pytest.mark.servers
class TestS3Store(MinioSuite):
    @pytest.fixture
    def location(self, minio_server: Minio, monkeypatch: pytest.MonkeyPatch) -> str:
        use(minio_server.environment, monkeypatch)
        return fresh_buckets(minio_server)

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return object_store(location)


@pytest.mark.servers
class TestS3StoreInVersionedBuckets(MinioSuite):
    @pytest.fixture
    def location(self, minio_server: Minio, monkeypatch: pytest.MonkeyPatch) -> str:
        use(minio_server.environment, monkeypatch)
        return fresh_buckets(minio_server, versioned=True)

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return object_store(location)


@pytest.mark.servers
class TestS3StoreThatIgnoresConditions(MinioSuite):
    """The state store keeps writers apart."""

    @pytest.fixture
    def location(
        self, minio_server: Minio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Iterator[str]:
        with proxy_before(minio_server) as proxy:
            proxy.stripped = CONDITIONS
            use(proxy.environment, monkeypatch)
            monkeypatch.setenv("KINORA_STATE", str(tmp_path / "state.sqlite"))
            yield fresh_buckets(minio_server)

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return object_store(location)


def use(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For this process and those that it starts."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
