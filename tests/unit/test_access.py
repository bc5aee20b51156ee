"""What functions may do at the store: everything that they do, and little else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from eventing.cloudevent import CloudEvent
from eventing.topology import FUNCTIONS
from functions.adapters.s3.account import Buckets
from functions.jobs import layout
from functions.ports import ByteRange, ObjectInfo
from knative.buckets import access
from knative.buckets.access import GRANTS, Right, allows, policies
from tests.fakes import ManualClock, MemoryStore
from tests.flow.broker import Delivery
from tests.flow.faults import Fault
from tests.flow.media import Film
from tests.flow.site import Site


class Noted(MemoryStore):
    """Writes down who asks for what."""

    def __init__(self, *, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.who = ""
        self.asked: set[tuple[str, Right, str]] = set()

    def head(self, key: str) -> ObjectInfo | None:
        self._note("read", key)
        return super().head(key)

    def get(self, key: str) -> bytes:
        self._note("read", key)
        return super().get(key)

    def read(self, key: str, ranges: Sequence[ByteRange], *, etag: str = "") -> Iterator[bytes]:
        self._note("read", key)
        return super().read(key, ranges, etag=etag)

    def put(
        self, key: str, body: bytes | Path, *, content_type: str = "", match: str | None = None
    ) -> bool:
        self._note("write", key)
        return super().put(key, body, content_type=content_type, match=match)

    def delete(self, key: str) -> None:
        self._note("delete", key)
        super().delete(key)

    def _note(self, right: Right, key: str) -> None:
        if self.who:
            self.asked.add((self.who, right, key))


class Watched(Site):
    """A site that knows which function is at work."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.store: Noted = Noted(clock=self.clock)

    def _run(self, delivery: Delivery, fault: Fault) -> bool:
        self.store.who = delivery.function
        try:
            return super()._run(delivery, fault)
        finally:
            self.store.who = ""

    def _publish(self, event: CloudEvent) -> None:
        # What the site itself checks is nobody's doing.
        who, self.store.who = self.store.who, ""
        super()._publish(event)
        self.store.who = who


def test_every_call_that_a_function_makes_is_one_that_it_may_make() -> None:
    site = Watched()
    for film in (
        Film(chunks=3),
        Film(name="prepared", prepare=True),
        Film(name="failing", failures=9),
    ):
        site.drop(film)
    site.drop(Film(name="lost"), tell=False)
    site.upload("t1/junk.mp4", b"no film")
    site.upload("nobodys.mp4", b"no film")
    cancelled = site.drop(Film(name="cancelled", chunks=4))
    site.deliver(0)
    site.cancel(cancelled.job)
    site.settle()
    asked = site.store.asked
    assert {who for who, _, _ in asked} >= {"ingest", "chunker", "encoder", "assembler", "sweeper"}
    assert sorted(call for call in asked if not allows(*call)) == []


def test_only_functions_with_a_store_have_grants() -> None:
    assert set(GRANTS) == {function.name for function in FUNCTIONS} - {"source"}


@pytest.mark.parametrize(
    ("function", "right", "key", "allowed"),
    [
        ("ingest", "read", "uploads/acme/film.mp4", True),
        ("ingest", "write", "uploads/acme/film.mp4", False),
        ("ingest", "write", layout.open_marker("1"), True),
        ("ingest", "write", layout.tenant_job("acme", 1.0, "1"), True),
        ("ingest", "read", layout.key("acme", "k"), False),
        ("encoder", "write", layout.media("1", "720p/1.m4s"), True),
        ("encoder", "delete", layout.verdict("1"), False),
        ("encoder", "read", layout.endpoint("acme", "e"), False),
        ("notifier", "read", layout.endpoint("acme", "e"), True),
        ("notifier", "read", layout.key("acme", "k"), False),
        ("notifier", "read", "uploads/acme/film.mp4", False),
        ("deadletter", "write", layout.parked("1", "2"), True),
        ("deadletter", "read", layout.parked("1", "2"), False),
        ("gateway", "write", layout.key("acme", "k"), True),
        ("gateway", "write", layout.media("1", "master.m3u8"), False),
        ("source", "read", "uploads/acme/film.mp4", False),
    ],
)
def test_a_function_may_do_its_own_things_and_no_others(
    function: str, right: Right, key: str, allowed: bool
) -> None:
    assert allows(function, right, key) is allowed


def test_nobody_may_delete_a_job() -> None:
    assert not [name for name in GRANTS if allows(name, "delete", layout.manifest("1"))]
    assert not [name for name in GRANTS if allows(name, "delete", layout.verdict("1"))]


def test_policies_name_the_buckets_as_the_service_does() -> None:
    found = policies(Buckets("acme"), ["drop-in"])
    resources = {
        resource
        for statement in found["acme-ingest"]["Statement"]
        for resource in statement["Resource"]
    }
    assert {
        "arn:aws:s3:::acme-uploads",
        "arn:aws:s3:::acme-uploads/*",
        "arn:aws:s3:::drop-in",
        "arn:aws:s3:::drop-in/*",
        "arn:aws:s3:::acme-work/jobs/*",
    } <= resources
    assert not [
        resource
        for resource in resources
        if not resource.startswith(("arn:aws:s3:::acme-", "arn:aws:s3:::drop-in"))
    ]
    assert access.policy_name(Buckets(), "ingest") == "kinora-ingest"
