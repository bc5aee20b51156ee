"""Every Uploads passes the suite, the fake included."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.adapters import connect
from functions.ports import ObjectStore, Uploads
from tests.contract.uploads_suite import SigningUploadsSuite, UploadsSuite
from tests.fakes import MemoryStore, MemoryUploads
from tests.s3_buckets import fresh_buckets
from tests.servers import Minio


class TestDirectoryUploads(UploadsSuite):
    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return f"{(tmp_path / 'store').as_uri()}?durable=0"

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return connect.object_store(location)

    @pytest.fixture
    def uploads(self, location: str, store: ObjectStore) -> Uploads:
        return connect.uploads(location)


class TestDurableDirectoryUploads(TestDirectoryUploads):
    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        return (tmp_path / "store").as_uri()


class TestMemoryUploads(UploadsSuite):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    @pytest.fixture
    def uploads(self, store: MemoryStore) -> Uploads:
        return MemoryUploads(store)


@pytest.mark.servers
class TestS3Uploads(SigningUploadsSuite):
    @pytest.fixture
    def location(self, minio_server: Minio, monkeypatch: pytest.MonkeyPatch) -> str:
        for name, value in minio_server.environment.items():
            monkeypatch.setenv(name, value)
        return fresh_buckets(minio_server)

    @pytest.fixture
    def store(self, location: str) -> ObjectStore:
        return connect.object_store(location)

    @pytest.fixture
    def uploads(self, location: str) -> Uploads:
        return connect.uploads(location)


@pytest.mark.servers
class TestS3UploadsIntoVersionedBuckets(TestS3Uploads):
    @pytest.fixture
    def location(self, minio_server: Minio, monkeypatch: pytest.MonkeyPatch) -> str:
        for name, value in minio_server.environment.items():
            monkeypatch.setenv(name, value)
        return fresh_buckets(minio_server, versioned=True)
