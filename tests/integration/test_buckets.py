"""`kinora buckets` on a real MinIO: what it makes, leaves alone, and complains of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from minio import Minio, MinioAdmin
from minio.commonconfig import ENABLED, Filter
from minio.credentials.providers import StaticProvider
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.notificationconfig import (
    NotificationConfig,
    PrefixFilterRule,
    QueueConfig,
    SuffixFilterRule,
)
from typer.testing import CliRunner, Result

from knative.buckets.access import GRANTS
from knative.buckets.wanted import CREATING
from knative.cli.main import app
from tests import servers
from tests.contract.notifications.record import ARN, client, wait_for_target, webhook

pytestmark = pytest.mark.servers

OTHER = "arn:minio:sqs::OTHER:webhook"
TENANTS = {"KINORA_TENANTS": '{"acme-in": "acme"}'}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Minio]:
    """One that knows two targets, neither of which is there."""
    other = {
        name.replace("_KINORA", "_OTHER"): value
        for name, value in webhook("http://127.0.0.1:9/").items()
    }
    env = {**webhook("http://127.0.0.1:9/"), **other}
    with servers.minio(tmp_path_factory.mktemp("minio"), env=env) as started:
        minio = client(started)
        minio.make_bucket(bucket_name="probe")
        wait_for_target(minio, "probe")
        yield started


def kinora(server: servers.Minio, *arguments: str, env: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(
        app, ["buckets", *arguments], env={**server.environment, **TENANTS, **(env or {})}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def at(prefix: str) -> dict[str, str]:
    return {"KINORA_STORE": f"s3://{prefix}"}


def changes(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.output
    found: list[dict[str, str]] = json.loads(result.stdout)["changes"]
    return found


def test_the_first_time_makes_everything_and_the_second_nothing(server: servers.Minio) -> None:
    first = kinora(server, "init", env=at("twice"))
    assert first.exit_code == 0, first.output
    assert "twice-uploads: keeps versions" in first.stdout
    minio = client(server)
    for bucket in ("twice-uploads", "acme-in"):
        assert minio.get_bucket_versioning(bucket_name=bucket).status == ENABLED
        (told,) = minio.get_bucket_notification(bucket_name=bucket).queue_config_list
        assert (told.queue, sorted(told.events)) == (ARN, sorted(CREATING))
    assert minio.get_bucket_versioning(bucket_name="twice-work").status is None
    lifecycle = minio.get_bucket_lifecycle(bucket_name="twice-work")
    assert lifecycle is not None
    assert {rule.rule_filter.prefix for rule in lifecycle.rules if rule.rule_filter} == {
        "sources/",
        "tails/",
    }
    assert minio.get_bucket_lifecycle(bucket_name="twice-media") is None
    second = kinora(server, "init", env=at("twice"))
    assert "Everything is as it has to be." in second.stdout
    assert changes(kinora(server, "init", "--json", env=at("twice"))) == []


def test_a_trial_and_a_check_change_nothing(server: servers.Minio) -> None:
    trial = changes(kinora(server, "init", "--dry-run", "--json", env=at("trial")))
    checked = kinora(server, "check", "--json", env=at("trial"))
    assert (checked.exit_code, json.loads(checked.stdout)["changes"]) == (4, trial)
    assert not client(server).bucket_exists(bucket_name="trial-uploads")
    assert changes(kinora(server, "init", "--json", env=at("trial"))) == trial
    assert kinora(server, "check", env=at("trial")).exit_code == 0


def test_what_others_have_set_stays(server: servers.Minio) -> None:
    minio = client(server)
    minio.make_bucket(bucket_name="shared-work")
    minio.make_bucket(bucket_name="shared-uploads")
    theirs = Rule(
        status=ENABLED,
        rule_filter=Filter(prefix="theirs/"),
        rule_id="theirs",
        expiration=Expiration(days=3),
    )
    minio.set_bucket_lifecycle(bucket_name="shared-work", config=LifecycleConfig([theirs]))
    told = QueueConfig(
        queue=OTHER,
        events=["s3:ObjectRemoved:Delete"],
        config_id="theirs",
        prefix_filter_rule=PrefixFilterRule("a/"),
        suffix_filter_rule=SuffixFilterRule(".mp4"),
    )
    minio.set_bucket_notification(
        bucket_name="shared-uploads", config=NotificationConfig(queue_config_list=[told])
    )
    assert kinora(server, "init", env=at("shared")).exit_code == 0
    found = minio.get_bucket_notification(bucket_name="shared-uploads").queue_config_list
    assert told in found
    assert {each.queue for each in found} == {OTHER, ARN}
    lifecycle = minio.get_bucket_lifecycle(bucket_name="shared-work")
    assert lifecycle is not None
    assert theirs in lifecycle.rules
    assert len(lifecycle.rules) == 3
    assert changes(kinora(server, "init", "--json", env=at("shared"))) == []


def test_days_can_be_changed_and_rules_taken_back(server: servers.Minio) -> None:
    assert kinora(server, "init", env=at("days")).exit_code == 0
    longer = changes(kinora(server, "init", "--sources-days", "60", "--json", env=at("days")))
    assert [each["where"] for each in longer] == ["days-work"]
    none = ("--sources-days", "0", "--noncurrent-days", "0", "--parts-days", "0")
    assert kinora(server, "init", *none, env=at("days")).exit_code == 0
    assert client(server).get_bucket_lifecycle(bucket_name="days-work") is None
    assert changes(kinora(server, "init", *none, "--json", env=at("days"))) == []


def test_policies_can_be_had_as_files(server: servers.Minio, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    assert kinora(server, "init", "--policies", str(folder), env=at("files")).exit_code == 0
    assert {file.stem for file in folder.iterdir()} == {f"files-{name}" for name in GRANTS}
    again = kinora(server, "init", "--policies", str(folder), "--json", env=at("files"))
    assert changes(again) == []


WRONG: list[tuple[str, dict[str, str], list[str], str]] = [
    ("a key that is none", {"AWS_ACCESS_KEY_ID": "nobody"}, [], "does not know these keys"),
    ("a wrong secret", {"AWS_SECRET_ACCESS_KEY": "guessed-it"}, [], "does not know these keys"),
    ("no keys", {"AWS_ACCESS_KEY_ID": ""}, [], "Set AWS_ACCESS_KEY_ID"),
    (
        "a target that the server does not know",
        {},
        ["--arn", "arn:minio:sqs::NOBODY:webhook"],
        "MINIO_NOTIFY_WEBHOOK_ENDPOINT_NOBODY",
    ),
    ("a store that is no S3", {"KINORA_STORE": "/tmp"}, [], "an S3 store is"),
    ("a name that no bucket can have", {"KINORA_STORE": "s3://K_K"}, [], "KINORA_STORE=s3://"),
    ("nobody there", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, [], "cannot be reached"),
    ("no endpoint", {"AWS_ENDPOINT_URL": "minio:9000"}, [], "an S3 endpoint is"),
]


@pytest.mark.parametrize(("_", "env", "options", "complaint"), WRONG)
def test_mistakes_end_in_a_sentence(
    server: servers.Minio, _: str, env: dict[str, str], options: list[str], complaint: str
) -> None:
    result = kinora(server, "init", *options, env={**at("wrong"), **env})
    assert result.exit_code in (2, 4)
    assert complaint in result.stderr
    assert "Traceback" not in result.output


def test_keys_that_may_do_nothing_are_told_so(server: servers.Minio) -> None:
    admin = MinioAdmin(
        endpoint=f"127.0.0.1:{server.port}",
        credentials=StaticProvider(servers.ACCESS_KEY, servers.SECRET_KEY),
        region="us-east-1",
        secure=False,
    )
    admin.user_add("powerless", "powerless-secret")
    keys = {"AWS_ACCESS_KEY_ID": "powerless", "AWS_SECRET_ACCESS_KEY": "powerless-secret"}
    result = kinora(server, "init", env={**at("denied"), **keys})
    assert result.exit_code == 4
    assert "does not let these keys do that" in result.stderr


def keys_in(folder: Path, **secrets: str) -> Path:
    """Keys of functions as Secrets are mounted; access keys are named after them."""
    for function, secret in secrets.items():
        (folder / function).mkdir(parents=True, exist_ok=True)
        (folder / function / "access-key").write_text(f"{folder.parent.name[:8]}-{function}")
        (folder / function / "secret-key").write_text(secret)
    return folder


def test_each_function_becomes_a_user_who_may_do_what_it_does_and_no_more(
    server: servers.Minio, tmp_path: Path
) -> None:
    folder = keys_in(tmp_path / "keys", encoder="e" * 20, deadletter="d" * 20)
    made = changes(kinora(server, "init", "--users", str(folder), "--json", env=at("users")))
    said = [each["what"] for each in made]
    assert "user made, for encoder" in said and "has the policy users-encoder" in said
    assert changes(kinora(server, "init", "--users", str(folder), "--json", env=at("users"))) == []
    name = (folder / "encoder" / "access-key").read_text()
    encoder = Minio(f"127.0.0.1:{server.port}", name, "e" * 20, secure=False, region="us-east-1")
    encoder.put_object("users-media", "j/720p/x", io.BytesIO(b"x"), 1)
    with pytest.raises(S3Error, match="AccessDenied"):
        encoder.put_object("users-uploads", "acme/x", io.BytesIO(b"x"), 1)


def test_a_user_follows_the_secret_and_one_who_was_replaced_is_named(
    server: servers.Minio, tmp_path: Path
) -> None:
    folder = keys_in(tmp_path / "keys", notifier="one-" * 5)
    kinora(server, "init", "--users", str(folder), env=at("follow"))
    keys_in(folder, notifier="two-" * 5)
    trial = kinora(server, "init", "--users", str(folder), "--dry-run", env=at("follow"))
    assert "secret changed, for notifier (not done)" in trial.stdout
    assert (
        "secret changed" in kinora(server, "init", "--users", str(folder), env=at("follow")).stdout
    )
    old = (folder / "notifier" / "access-key").read_text()
    (folder / "notifier" / "access-key").write_text(f"{old}2")
    replaced = kinora(server, "init", "--users", str(folder), env=at("follow"))
    assert f"{old}2: user made, for notifier" in replaced.stdout
    assert f"The user {old} has a policy of ours" in " ".join(replaced.stderr.split())


def test_keys_of_nobody_are_a_mistake(server: servers.Minio, tmp_path: Path) -> None:
    folder = keys_in(tmp_path / "keys", nobody="n" * 20)
    result = kinora(server, "init", "--users", str(folder), env=at("nobody"))
    assert result.exit_code == 2
    assert "no function that uses the store" in " ".join(result.stderr.split())
