"""Every ObjectStore passes the suite, the fake included."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters.connect import object_store
from functions.adapters.metered import Metered
from functions.ports import ObjectStore
from tests.contract.object_store_suite import ObjectStoreSuite, SharedObjectStoreSuite
from tests.fakes import MemoryStore


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
