"""The policies of functions on a real MinIO: each lets its function work, and do little else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from minio import Minio, MinioAdmin
from minio.credentials.providers import StaticProvider
from minio.error import S3Error

from eventing.cloudevent import CloudEvent
from functions.adapters.s3.account import Account, Buckets
from functions.adapters.s3.store import S3Store
from functions.adapters.s3.uploads import S3Uploads
from functions.jobs import layout
from functions.ports import Absent, ObjectStore
from knative.buckets.access import GRANTS, Right, allows
from knative.buckets.change import everything
from knative.buckets.keep import Keep
from knative.buckets.service import BucketService
from tests import servers
from tests.contract.notifications.record import client
from tests.flow.broker import Delivery
from tests.flow.faults import Fault
from tests.flow.media import Film
from tests.flow.site import Site

pytestmark = pytest.mark.servers

PLACES = Buckets("rights")
JOB = "0" * 32
KEYS = (
    "uploads/acme/film.mp4",
    "acme-in/film.mp4",
    layout.open_marker(JOB),
    layout.manifest(JOB),
    layout.plan(JOB, 1),
    layout.receipt(JOB, 1, "v0001"),
    layout.verdict(JOB),
    layout.index("1"),
    layout.mezzanine("1"),
    layout.parked(JOB, "1"),
    layout.tenant_job("acme", 1.0, JOB),
    layout.key("acme", "1"),
    layout.endpoint("acme", "1"),
    layout.outbox("acme", "1"),
    layout.idempotency("acme", "1"),
    layout.due(1, "acme", "1"),
    layout.uploading("acme", "1"),
    layout.sweep("uploads"),
    layout.media(JOB, "720p/1.m4s"),
)


def may(minio: Minio, right: Right, bucket: str, key: str) -> bool:
    try:
        match right:
            case "read":
                minio.stat_object(bucket_name=bucket, object_name=key)
            case "write":
                minio.put_object(bucket_name=bucket, object_name=key, data=BytesIO(b"x"), length=1)
            case "delete":
                minio.remove_object(bucket_name=bucket, object_name=key)
    except S3Error as error:
        assert error.code == "AccessDenied", error
        return False
    return True


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Minio]:
    """With a user for each function, and an object under each kind of key."""
    with servers.minio(tmp_path_factory.mktemp("minio")) as server:
        service = BucketService(Account.read(server.environment))
        list(everything(service, PLACES, ["acme-in"], "", Keep(), dry=False))
        for key in KEYS:
            assert may(client(server), "write", *split(key))
        admin = MinioAdmin(
            endpoint=f"127.0.0.1:{server.port}",
            credentials=StaticProvider(servers.ACCESS_KEY, servers.SECRET_KEY),
            region="us-east-1",
            secure=False,
        )
        for name in GRANTS:
            admin.user_add(name, f"{name}-secret")
            admin.policy_set(f"rights-{name}", user=name)
        yield server


def split(key: str) -> tuple[str, str]:
    bucket, _, rest = key.partition("/")
    return (bucket if bucket == "acme-in" else f"rights-{bucket}"), rest


@pytest.mark.parametrize("function", GRANTS)
def test_a_policy_lets_its_function_do_its_own_things_and_no_others(
    installed: servers.Minio, function: str
) -> None:
    minio: Any = Minio(
        endpoint=f"127.0.0.1:{installed.port}",
        access_key=function,
        secret_key=f"{function}-secret",
        region="us-east-1",
        secure=False,
    )
    root = client(installed)
    rights: tuple[Right, ...] = ("read", "write", "delete")
    wrong = []
    for key in KEYS:
        named = key.replace("acme-in/", "uploads/")
        for right in rights:
            if may(minio, right, *split(key)) != allows(function, right, named):
                wrong.append((right, key))
        root.put_object(
            bucket_name=split(key)[0], object_name=split(key)[1], data=BytesIO(b"x"), length=1
        )
    assert wrong == []


@pytest.mark.parametrize("function", sorted(GRANTS))
def test_what_is_not_there_is_said_to_be_not_there(installed: servers.Minio, function: str) -> None:
    """S3 answers 403 of absent objects to whoever may not list the bucket."""
    minio = Minio(
        endpoint=f"127.0.0.1:{installed.port}",
        access_key=function,
        secret_key=f"{function}-secret",
        region="us-east-1",
        secure=False,
    )
    for grant in GRANTS[function]:
        if "read" in grant.rights:
            key = grant.keys.replace("*", "absent")
            with pytest.raises(S3Error) as raised:
                minio.stat_object(bucket_name=f"rights-{grant.bucket}", object_name=key)
            assert raised.value.code == "NoSuchKey"


def account_of(server: servers.Minio, function: str) -> Account:
    account = Account.read(server.environment)
    return replace(account, access_key=function, secret_key=f"{function}-secret")


def test_the_gateway_takes_uploads_in_parts_and_the_sweeper_drops_them(
    installed: servers.Minio,
) -> None:
    uploads = S3Uploads(account_of(installed, "gateway"), PLACES)
    key = "uploads/acme/parts.mp4"
    upload = uploads.begin(key)
    part = uploads.write(key, upload, 1, b"moving pictures", offset_bytes=0)
    assert uploads.parts(key, upload) == [part]
    uploads.complete(key, upload, [part])
    given_up = uploads.begin(key)
    S3Uploads(account_of(installed, "sweeper"), PLACES).abort(key)
    with pytest.raises(Absent):
        uploads.parts(key, given_up)
    assert client(installed).stat_object(*split(key)).size == len(b"moving pictures")
    client(installed).remove_object(*split(key))


class ByName:
    """A store that everybody reaches with keys of his own: which, says whoever is at work."""

    def __init__(self, stores: Mapping[str, ObjectStore]) -> None:
        self.who = ""
        self._stores = stores

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stores[self.who], name)


def test_a_job_runs_through_functions_that_have_only_their_own_rights(
    installed: servers.Minio,
) -> None:
    stores: dict[str, ObjectStore] = {
        name: S3Store(account_of(installed, name), PLACES) for name in GRANTS
    }
    root = S3Store(Account.read(installed.environment), PLACES)
    named: Any = ByName({**stores, "": root})

    class Owned(Site):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.store = named

        def _run(self, delivery: Delivery, fault: Fault) -> bool:
            named.who = delivery.function
            try:
                return super()._run(delivery, fault)
            finally:
                named.who = ""

        def _publish(self, event: CloudEvent) -> None:
            who, named.who = named.who, ""  # what the site itself looks at
            super()._publish(event)
            named.who = who

    for key in KEYS:
        client(installed).remove_object(*split(key))
    site = Owned()
    jobs = [
        site.drop(Film(name="plain", chunks=2)).job,
        site.drop(Film(name="prepared", prepare=True)).job,
        site.upload("t1/junk.mp4", b"no film").job,
    ]
    site.settle()
    verdicts = [site.verdict(job) for job in jobs]
    assert [verdict and verdict.state for verdict in verdicts] == [
        "completed",
        "completed",
        "rejected",
    ]


def test_the_gateways_check_of_its_store_is_within_its_rights() -> None:
    assert allows("gateway", "read", layout.READY)
