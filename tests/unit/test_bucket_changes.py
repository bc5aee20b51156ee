"""Buckets as they are to be: which steps lead there, at a service that is no MinIO too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.adapters.s3.account import Buckets
from functions.jobs.profile import Options
from knative.buckets import change
from knative.buckets.change import Change, Note
from knative.buckets.denied import Denied
from knative.buckets.keep import Keep
from knative.buckets.wanted import CREATING, Rule, wanted
from tests.contract.notifications.record import ARN

NAMES = Buckets("kinora")


@dataclass
class Found:
    versioned: bool = False
    rules: dict[str, Rule | None] = field(default_factory=dict)
    told: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class MemoryService:
    """Buckets in memory; what the real one does is tested against a MinIO."""

    minio: bool = True
    manages_policies: bool = True
    buckets: dict[str, Found] = field(default_factory=dict)
    policies: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def is_minio(self) -> bool:
        return self.minio

    def versioned(self, bucket: str) -> bool | None:
        found = self.buckets.get(bucket)
        return found.versioned if found else None

    def make(self, bucket: str) -> None:
        self.buckets[bucket] = Found()

    def keep_versions(self, bucket: str) -> None:
        self.buckets[bucket].versioned = True

    def rules(self, bucket: str) -> Mapping[str, Rule | None]:
        return self.buckets[bucket].rules

    def set_rules(self, bucket: str, rules: Sequence[Rule]) -> None:
        self.buckets[bucket].rules = {rule.id: rule for rule in rules}

    def told(self, bucket: str, arn: str) -> frozenset[str]:
        return self.buckets[bucket].told.get(arn, frozenset())

    def tell(self, bucket: str, arn: str, events: Sequence[str]) -> None:
        self.buckets[bucket].told[arn] = frozenset(events)

    def policy(self, name: str) -> Mapping[str, Any] | None:
        if not self.manages_policies:
            raise Denied("AccessDenied", "Access Denied.")
        return self.policies.get(name)

    def set_policy(self, name: str, policy: Mapping[str, Any]) -> None:
        self.policies[name] = policy


def arranged(
    service: MemoryService, *, keep: Keep | None = None, arn: str = ARN, dry: bool = False
) -> tuple[list[Change], list[Note]]:
    found = list(change.everything(service, NAMES, ["drop-in"], arn, keep or Keep(), dry=dry))
    return (
        [each for each in found if isinstance(each, Change)],
        [each for each in found if isinstance(each, Note)],
    )


def test_everything_is_made_and_afterwards_there_is_nothing_to_do() -> None:
    service = MemoryService()
    steps, _ = arranged(service)
    assert set(service.buckets) == {"kinora-uploads", "drop-in", "kinora-work", "kinora-media"}
    assert {step.where for step in steps} == {*service.buckets, *service.policies}
    for name in ("kinora-uploads", "drop-in"):
        assert service.buckets[name].versioned
        assert service.buckets[name].told == {ARN: frozenset(CREATING)}
    for name in ("kinora-work", "kinora-media"):
        assert not service.buckets[name].versioned
        assert service.buckets[name].told == {}
    assert arranged(service)[0] == []


def test_a_trial_says_the_same_and_does_nothing() -> None:
    service = MemoryService()
    trial, _ = arranged(service, dry=True)
    assert (service.buckets, service.policies) == ({}, {})
    assert arranged(service)[0] == trial


def test_what_somebody_changed_is_set_right_again() -> None:
    service = MemoryService()
    arranged(service)
    service.buckets["kinora-uploads"].versioned = False
    service.buckets["kinora-work"].rules["kinora-sources"] = None
    service.buckets["drop-in"].told[ARN] = frozenset({"s3:ObjectCreated:*"})
    service.policies["kinora-encoder"] = {"Statement": []}
    steps, _ = arranged(service)
    assert [(step.where, step.what.split(" ")[0]) for step in steps] == [
        ("kinora-uploads", "keeps"),
        ("drop-in", "tells"),
        ("kinora-work", "objects"),
        ("kinora-encoder", "policy"),
    ]


def test_the_order_within_a_policy_means_nothing() -> None:
    service = MemoryService()
    arranged(service)
    for name, policy in service.policies.items():
        service.policies[name] = {
            "Version": policy["Version"],
            "Statement": [
                {**each, "Resource": each["Resource"][::-1]} for each in policy["Statement"][::-1]
            ],
        }
    assert arranged(service)[0] == []


def test_what_is_kept_for_ever_has_no_rule() -> None:
    service = MemoryService(minio=False)
    arranged(service)
    steps, _ = arranged(service, keep=Keep(sources=0, noncurrent=0, parts=0))
    assert {step.what.split(" ")[2] for step in steps} == {
        "kinora-noncurrent",
        "kinora-sources",
        "kinora-tails",
        "kinora-parts",
    }
    assert not any(found.rules for found in service.buckets.values())


def test_nobody_is_told_where_nobody_is_named() -> None:
    service = MemoryService()
    steps, _ = arranged(service, arn="")
    assert not [step for step in steps if step.what.startswith("tells")]


def test_another_service_drops_parts_by_a_rule_and_gets_its_policies_as_files() -> None:
    service = MemoryService(minio=False)
    _, notes = arranged(service)
    assert all("kinora-parts" in found.rules for found in service.buckets.values())
    assert service.policies == {}
    assert "--policies" in notes[0].text


def test_keys_that_may_not_manage_policies_are_told_so() -> None:
    _, notes = arranged(MemoryService(manages_policies=False))
    assert "may not manage policies" in notes[-1].text


def test_nothing_expires_but_what_can_be_had_again() -> None:
    for bucket in wanted(NAMES, [], Keep(), drops_parts=True):
        for rule in bucket.rules:
            assert not rule.days or (bucket.name, rule.prefix) in {
                ("kinora-work", "sources/"),
                ("kinora-work", "tails/"),
            }
            assert not rule.noncurrent_days or bucket.name == "kinora-uploads"


def test_what_a_job_reads_outlives_the_longest_job() -> None:
    import msgspec

    schema = msgspec.json.schema(Options)["$defs"]["Options"]["properties"]
    assert Keep().sources * 86400 > schema["deadline_s"]["maximum"]
