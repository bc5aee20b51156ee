"""Ingest: an object becomes one accepted job, or one verdict that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from eventing.contract import Event, JobAccepted, JobRejected, ObjectCreated
from eventing.errors import Unavailable
from functions.ingest.handler import Ingest
from functions.ingest.settings import Settings
from functions.jobs import catalogue, ending, layout, options, record
from functions.jobs.acceptance import Acceptance
from functions.jobs.manifest import Manifest
from functions.jobs.profile import Options
from tests.fakes import ManualClock, MemoryState, MemoryStore
from tests.flow.faults import Fault, FaultyStore, Killed, Kind
from tests.flow.media import HEADER

PROFILES = catalogue.read([catalogue.BUILT_IN])


@dataclass
class Desk:
    """One ingest and what it works on."""

    clock: ManualClock = field(default_factory=ManualClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    state: MemoryState = field(default_factory=MemoryState)
    max_source_bytes: int = 1 << 20

    def drop(
        self,
        key: str = "t1/film.mp4",
        data: bytes = HEADER,
        *,
        bucket: str = "uploads",
        metadata: Mapping[str, str] | None = None,
        sidecar: bytes | None = None,
    ) -> ObjectCreated:
        if sidecar is not None:
            self.store.put(f"{bucket}/{key}.json", sidecar)
        self.store.put(f"{bucket}/{key}", data)
        self.store.annotate(f"{bucket}/{key}", metadata or {})
        info = self.store.head(f"{bucket}/{key}")
        assert info is not None
        return ObjectCreated(bucket=bucket, key=key, etag=info.etag, size_bytes=info.size_bytes)

    def ingest(self, fault: Fault | None = None) -> Ingest:
        store = FaultyStore(self.store, fault or Fault())
        return Ingest(
            store=store,
            state=self.state,
            clock=self.clock,
            acceptance=Acceptance(
                store=store,
                profiles=PROFILES,
                tenants={"acme-in": "acme"},
                max_source_bytes=self.max_source_bytes,
            ),
        )

    def handle(self, event: ObjectCreated) -> list[Event]:
        return list(self.ingest().object_created(event))

    def refusal(self, event: ObjectCreated) -> JobRejected:
        (told,) = self.handle(event)
        assert isinstance(told, JobRejected)
        verdict = ending.read(self.store, event.job)
        assert verdict is not None
        assert (verdict.state, verdict.code) == ("rejected", told.code)
        assert self.manifest(event).profile is None
        return told

    def manifest(self, event: ObjectCreated) -> Manifest:
        return record.load(self.store.get(layout.manifest(event.job)), Manifest)


def test_a_source_becomes_an_accepted_job() -> None:
    desk = Desk()
    event = desk.drop()
    assert desk.handle(event) == [JobAccepted(job=event.job, tenant="t1")]
    manifest = desk.manifest(event)
    assert manifest.source.address == "uploads/t1/film.mp4"
    assert (manifest.source.etag, manifest.source.size_bytes) == (event.etag, len(HEADER))
    assert (manifest.options, manifest.profile) == (Options(), PROFILES["default"])
    assert manifest.accepted_s == desk.clock()
    assert desk.store.head(layout.open_marker(event.job)) is not None


def test_the_marker_says_what_began_the_job() -> None:
    desk = Desk()
    event = desk.drop()
    desk.handle(event)
    assert record.load(desk.store.get(layout.open_marker(event.job)), ObjectCreated) == event


def test_the_same_event_later_changes_nothing() -> None:
    desk = Desk()
    event = desk.drop()
    told = desk.handle(event)
    before = desk.store.get(layout.manifest(event.job))
    desk.clock.advance(100)
    desk.store.put("uploads/t1/film.mp4.json", b'{"profile": "fast"}')
    assert desk.handle(event) == told
    assert desk.store.get(layout.manifest(event.job)) == before


def test_a_job_whose_verdict_was_told_is_left_alone() -> None:
    desk = Desk()
    event = desk.drop(data=b"")
    desk.handle(event)
    desk.store.delete(layout.open_marker(event.job))
    assert desk.handle(event) == []
    assert desk.store.head(layout.open_marker(event.job)) is None


def test_options_come_from_metadata_and_sidecar_and_metadata_counts() -> None:
    desk = Desk()
    event = desk.drop(
        metadata={"kinora-profile": "fast", "kinora-chunk-segments": "2", "color": "blue"},
        sidecar=b'{"profile": "archive", "deadline_s": 600}',
    )
    desk.handle(event)
    manifest = desk.manifest(event)
    assert manifest.options == Options(profile="fast", chunk_segments=2, deadline_s=600)
    assert manifest.profile == PROFILES["fast"]


@pytest.mark.parametrize(
    ("sidecar", "told"),
    [
        (b'{"colour": "blue"}', "`colour`"),
        (b'{"chunk_segments": "2"}', "chunk_segments"),
        (b'{"chunk_segments": 0}', "chunk_segments"),
        (b'{"deadline_s": 1}', "deadline_s"),
        (b'{"profile": "No Such"}', "profile"),
        (b"{", "no JSON"),
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b"[" * 60_000, "no JSON"),
        (b'{"a":' * 10_000, "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b" " * (options.SIDECAR_LIMIT_BYTES + 1), "64 KiB"),
    ],
)
def test_a_sidecar_that_is_wrong_is_refused_by_field(sidecar: bytes, told: str) -> None:
    desk = Desk()
    refusal = desk.refusal(desk.drop(sidecar=sidecar))
    assert refusal.code == "options_invalid"
    assert "film.mp4.json" in refusal.reason
    assert told in refusal.reason
    assert refusal.reason.endswith("drop the file again.")


@pytest.mark.parametrize(
    "metadata",
    [{"kinora-colour": "blue"}, {"kinora-chunk-segments": "two"}, {"kinora-deadline-s": "5"}],
)
def test_metadata_that_is_wrong_is_refused_by_field(metadata: dict[str, str]) -> None:
    desk = Desk()
    refusal = desk.refusal(desk.drop(metadata=metadata))
    assert refusal.code == "options_invalid"
    (name,) = metadata
    assert name.removeprefix("kinora-").replace("-", "_") in refusal.reason


@pytest.mark.parametrize(
    ("key", "data", "code"),
    [
        ("film.mp4", HEADER, "tenant_unknown"),
        ("T1/film.mp4", HEADER, "tenant_unknown"),
        ("t1/empty.mp4", b"", "source_empty"),
        ("t1/large.mp4", HEADER + bytes(1 << 20), "source_too_large"),
        ("t1/notes.mp4", b"just some words", "source_not_media"),
        ("t1/list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "source_is_playlist"),
    ],
)
def test_what_cannot_be_taken_is_rejected(key: str, data: bytes, code: str) -> None:
    desk = Desk()
    refusal = desk.refusal(desk.drop(key, data))
    assert refusal.code == code
    assert refusal.tenant == ("t1" if key.startswith("t1/") else "")


def test_a_key_that_no_store_can_name_is_rejected() -> None:
    desk = Desk()
    event = ObjectCreated(bucket="uploads", key="t1//film.mp4", etag="1", size_bytes=5)
    assert desk.refusal(event).code == "name_invalid"


def test_an_unknown_profile_is_rejected_with_those_that_exist() -> None:
    desk = Desk()
    refusal = desk.refusal(desk.drop(sidecar=b'{"profile": "cinema"}'))
    assert refusal.code == "profile_unknown"
    assert "archive, default, fast" in refusal.reason


def test_a_source_that_is_gone_is_rejected() -> None:
    desk = Desk()
    event = desk.drop()
    desk.store.delete("uploads/t1/film.mp4")
    assert desk.refusal(event).code == "source_gone"


def test_a_source_that_was_replaced_is_another_job() -> None:
    desk = Desk()
    first, second = desk.drop(), desk.drop()
    assert first.job != second.job
    assert desk.refusal(first).code == "source_gone"
    assert desk.handle(second) == [JobAccepted(job=second.job, tenant="t1")]


def test_another_version_is_another_object() -> None:
    desk = Desk()
    event = desk.drop()
    assert replace(event, version="v2").job != event.job


def test_a_bucket_of_a_tenant_needs_no_prefix() -> None:
    desk = Desk()
    event = desk.drop("film.mp4", bucket="acme-in")
    assert desk.handle(event) == [JobAccepted(job=event.job, tenant="acme")]


@pytest.mark.parametrize("key", ["t1/film.mp4.json", "t1/.film.mp4", "t1/film.mp4.part"])
def test_what_is_no_source_leaves_no_trace(key: str) -> None:
    desk = Desk()
    assert desk.handle(desk.drop(key)) == []
    assert list(desk.store.list("work/")) == []


@pytest.mark.parametrize("kind", ["crash", "lost reply", "refused"])
@pytest.mark.parametrize("data", [HEADER, b"", b"words"])
@pytest.mark.parametrize("at", range(1, 13))
def test_after_a_failure_at_any_call_the_next_delivery_ends_the_same(
    kind: Kind, data: bytes, at: int
) -> None:
    whole = Desk()
    expected = whole.handle(whole.drop(data=data))
    desk = Desk()
    event = desk.drop(data=data)
    try:
        told = list(desk.ingest(Fault(kind=kind, at=at)).object_created(event))
    except (Killed, Unavailable):
        told = []
    desk.clock.advance(1)
    assert desk.handle(event) == expected
    assert told in ([], expected)


def test_settings_name_the_built_in_profiles_first() -> None:
    env = {"KINORA_STORE": "s", "KINORA_STATE": "t"}
    assert Settings.read(env).acceptance.profiles == (catalogue.BUILT_IN,)
    settings = Settings.read(
        {
            **env,
            "KINORA_PROFILES": "/profiles",
            "KINORA_TENANTS": '{"b": "t"}',
            "KINORA_MAX_SOURCE_BYTES": "5",
        }
    )
    assert [str(path) for path in settings.acceptance.profiles] == [
        str(catalogue.BUILT_IN),
        "/profiles",
    ]
    assert (settings.acceptance.tenants, settings.acceptance.max_source_bytes) == ({"b": "t"}, 5)


def test_settings_that_are_wrong_are_refused() -> None:
    with pytest.raises(ValueError, match="KINORA_STORE"):
        Settings.read({})
    with pytest.raises(ValueError, match="KINORA_TENANTS"):
        Settings.read({"KINORA_STORE": "s", "KINORA_STATE": "t", "KINORA_TENANTS": "[]"})
