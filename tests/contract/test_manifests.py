"""The manifests of the base: they fit together, and an untouched Knative takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from eventing import serve
from eventing.topology import FUNCTIONS
from functions.adapters.s3.account import Account
from functions.gateway.edge.readiness import DEADLINE_S
from knative.local import environment
from knative.local.manifests import BASE, documents, load
from knative.local.overlay import Overlay
from knative.local.service import Service
from tests import kustomized

LONGEST_PLANNED_TASK_S = 120
SETTINGS = (BASE.parents[1] / "docs/settings.md").read_text()
MAY_BE_EMPTY = {"data.public-url", "data.store-public-endpoint", "data.webhook-allow"}
"""Settings that say nothing until an installation says something."""
EMPTY = {"KINORA_PUBLIC_URL", "KINORA_S3_PUBLIC_ENDPOINT", "KINORA_WEBHOOK_ALLOW"}
FILLING: Any = yaml.safe_load((BASE.parent / "components/settings/kustomization.yaml").read_text())
"""What copies settings to where they are read."""
UNFILLED = ("", "0", 0)
"""What stands where a setting goes; a bound of scale cannot be read when it is empty."""
OBJECTS: list[Any] = list(documents(BASE))
BROUGHT: list[Any] = [
    found
    for name in ("long-tasks/jobsink.yaml", "keda-encoder/scaledjob.yaml")
    for found in yaml.safe_load_all((BASE.parent / "components" / name).read_text())
]
"""What components bring that reads settings as Services do."""
SERVICES: list[Any] = [found for found in OBJECTS if "serving.knative.dev" in found["apiVersion"]]
FOUND = load(BASE)
NAMES = [service.name for service in FOUND.services]
GATEWAY = "gateway"
"""The one that is no host of events: it serves itself, and the outside reaches it."""


def pod_of(service: Any) -> Any:
    return service["spec"]["template"]["spec"]


def container_of(service: Any) -> Any:
    (container,) = pod_of(service)["containers"]
    return container


def test_every_function_of_the_topology_has_its_service() -> None:
    assert set(NAMES) == {function.name for function in FUNCTIONS}
    for service in FOUND.services:
        main = f"functions.{service.name}.main"
        program = (main,) if service.name == GATEWAY else ("eventing.host", main)
        assert service.command == ("python", "-m", *program)


def test_the_broker_waits_longer_than_the_revision_whoever_it_delivers_to() -> None:
    timeouts_s = {service.name: service.timeout_s for service in FOUND.services}
    for trigger in FOUND.triggers:
        delivery = trigger.delivery_under(FOUND.broker)
        assert delivery.timeout_s is not None and delivery.dead_letter_sink is not None
        assert delivery.timeout_s > timeouts_s[trigger.subscriber.name]
        assert delivery.timeout_s > timeouts_s[delivery.dead_letter_sink.name]


# Knative fills in 300 s where the second is missing, and refuses it above the first.
@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_whoever_may_take_long_may_also_take_long_to_begin_an_answer(service: Any) -> None:
    pod = pod_of(service)
    assert pod["timeoutSeconds"] == pod.get("responseStartTimeoutSeconds", pod["timeoutSeconds"])
    assert pod["timeoutSeconds"] < 300 or "responseStartTimeoutSeconds" in pod
    # A pod that is ended waits 30 s for stragglers, within this time.
    assert pod["timeoutSeconds"] > 30


@pytest.mark.parametrize("encoders", [1, 2, 3, 4, 7, 10, 16, 100])
def test_the_last_task_admitted_is_answered_before_the_timeout(encoders: int) -> None:
    service = next(service for service in FOUND.services if service.name == "encoder")
    service = Overlay(cores=2, encoders=encoders).apply(service)
    parallel = service.scaling.max_scale * service.container_concurrency
    admitted = parallel + 2
    rounds = -(-admitted // parallel) + 1
    assert rounds * LONGEST_PLANNED_TASK_S < service.timeout_s


def test_no_process_is_sent_more_at_once_than_it_handles_at_once() -> None:
    handled = serve.Settings.read({}).concurrency
    for service in FOUND.services:
        if service.name != GATEWAY:
            assert 0 < service.container_concurrency <= handled


def test_the_sweeper_can_be_gone_between_two_ticks() -> None:
    (sweeper,) = (service for service in FOUND.services if service.name == "sweeper")
    assert sweeper.scaling.window_ms < 60_000


def test_no_service_but_the_gateway_can_be_reached_from_outside() -> None:
    local = {
        service["metadata"]["name"]
        for service in SERVICES
        # Of the Route.
        if service["metadata"].get("labels", {}).get("networking.knative.dev/visibility")
        == "cluster-local"
    }
    assert local == set(NAMES) - {GATEWAY}


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_no_service_runs_as_root(service: Any) -> None:
    security = container_of(service)["securityContext"]
    assert security["runAsNonRoot"] and security["readOnlyRootFilesystem"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod_of(service)["automountServiceAccountToken"] is False


def plain(service: Any) -> list[Any]:
    """The variables that hold their values themselves."""
    return [entry for entry in container_of(service)["env"] if "valueFrom" not in entry]


def test_secrets_are_named_and_nowhere_written_down() -> None:
    named = {
        (service["metadata"]["name"], entry["name"]): entry["valueFrom"]["secretKeyRef"]
        for service in SERVICES
        for entry in container_of(service)["env"]
        if "valueFrom" in entry
    }
    for (function, variable), ref in named.items():
        # Nobody has the keys of another function.
        own = f"kinora-store-{function}" if variable.startswith("AWS_") else "kinora-secrets"
        assert ref["name"] == own
    for service in SERVICES:
        for entry in plain(service):
            assert not re.search("KEY|TOKEN|SECRET|PASSWORD", entry["name"])


# Everything else is refused by Serving's webhook, or needs a feature flag that is off by default.
POD = {
    "containerConcurrency",
    "timeoutSeconds",
    "responseStartTimeoutSeconds",
    "enableServiceLinks",
    "automountServiceAccountToken",
    "containers",
    "volumes",
}
CONTAINER = {
    "name",
    "image",
    "command",
    "env",
    "readinessProbe",
    "livenessProbe",
    "resources",
    "securityContext",
    "volumeMounts",
}


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_an_untouched_installation_allows_every_field(service: Any) -> None:
    assert set(service["spec"]["template"]) == {"metadata", "spec"}
    assert set(pod_of(service)) <= POD
    assert set(container_of(service)) <= CONTAINER
    assert all(set(volume) == {"name", "emptyDir"} for volume in pod_of(service)["volumes"])
    mounted = {mount["name"] for mount in container_of(service)["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod_of(service)["volumes"]}


def selected(select: dict[str, str]) -> list[Any]:
    """As kustomize does it for replacements: by equality, not by pattern."""
    return [
        found
        for found in (*OBJECTS, *BROUGHT)
        if select.get("kind") in (None, found["kind"])
        and select.get("group") in (None, found["apiVersion"].partition("/")[0])
        and select.get("name") in (None, found.get("metadata", {}).get("name"))
    ]


def reached_by(target: Any) -> list[Any]:
    rejected = [each for select in target.get("reject", ()) for each in selected(select)]
    return [found for found in selected(target["select"]) if found not in rejected]


def steps(path: str) -> Iterator[str]:
    """The members of a field path; a member in brackets may hold dots."""
    while path:
        if path.startswith("["):
            step, _, path = path[1:].partition("]")
            path = path.removeprefix(".")
        else:
            step, _, path = path.partition(".")
        yield step


def at(value: Any, path: str) -> Any:
    """What a field path leads to; fails where it leads nowhere."""
    for step in steps(path):
        if isinstance(value, list):
            name, _, wanted = step.partition("=")
            (value,) = (item for item in value if item[name] == wanted)
        else:
            value = value[step]
    return value


@pytest.mark.parametrize("replacement", FILLING["replacements"])
def test_every_replacement_leads_from_a_value_to_places_that_wait_for_one(replacement: Any) -> None:
    source = dict(replacement["source"])
    path = source.pop("fieldPath")
    (origin,) = selected(source)
    assert at(origin, path) or path in MAY_BE_EMPTY
    for target in replacement["targets"]:
        reached = reached_by(target)
        assert reached, target["select"]
        for place in target["fieldPaths"]:
            assert all(at(found, place) in UNFILLED for found in reached)


def test_no_setting_is_left_empty_that_no_replacement_fills() -> None:
    filled = {
        (found["metadata"]["name"], place)
        for replacement in FILLING["replacements"]
        for target in replacement["targets"]
        for found in reached_by(target)
        for place in target["fieldPaths"]
    }
    for service in SERVICES:
        for entry in plain(service):
            place = (
                f"spec.template.spec.containers.[name=function].env.[name={entry['name']}].value"
            )
            assert entry["value"] or (service["metadata"]["name"], place) in filled


def test_a_value_that_is_filled_in_reaches_every_function_that_reads_it() -> None:
    filled: dict[str, set[str]] = {}
    for replacement in FILLING["replacements"]:
        for target in replacement["targets"]:
            for place in target["fieldPaths"]:
                reached = {found["metadata"]["name"] for found in reached_by(target)}
                for variable in re.findall(r"\.env\.\[name=(\w+)\]", place):
                    filled.setdefault(variable, set()).update(reached)
    for variable, reached in filled.items():
        assert reached >= readers_of(variable), variable
    assert filled["KINORA_WEBHOOK_ALLOW"] == {"gateway", "notifier"}


def readers_of(variable: str) -> set[str]:
    """The functions that the settings' document names for a variable; it is made from the code."""
    rows = [line.split("|") for line in SETTINGS.splitlines() if line.startswith("| `")]
    named = [row[2].split(",") for row in rows if row[1].strip() == f"`{variable}`"]
    return {name.strip() for each in named for name in each} & set(NAMES)


def filled_in(*settings: str) -> dict[str, dict[str, str]]:
    """The variables of every Service, as kustomize builds an installation with these settings."""
    return {
        found["metadata"]["name"]: {entry["name"]: entry["value"] for entry in plain(found)}
        for found in kustomized.of_kind(
            kustomized.objects("local", (), settings), "Service", "serving.knative.dev"
        )
    }


@kustomized.needs_kubectl
def test_kustomize_fills_in_every_setting() -> None:
    for name, env in filled_in().items():
        assert {variable for variable, value in env.items() if not value} <= EMPTY, name


@kustomized.needs_kubectl
def test_what_an_installation_sets_reaches_whoever_reads_it() -> None:
    there = "10.1.0.0/16,hooks.internal"
    got = filled_in(f"webhook-allow={there}")
    assert {
        name: env["KINORA_WEBHOOK_ALLOW"]
        for name, env in got.items()
        if env.get("KINORA_WEBHOOK_ALLOW")
    } == {"gateway": there, "notifier": there}


@kustomized.needs_kubectl
def test_the_encoder_scales_to_the_number_that_admission_counts_by() -> None:
    found = kustomized.objects("local", (), ("encoders=7",))
    (encoder,) = (each for each in found if each["metadata"]["name"] == "encoder")
    annotations = encoder["spec"]["template"]["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/max-scale"] == "7"
    counted = {env.get("KINORA_ENCODERS") for env in filled_in("encoders=7").values()}
    assert counted == {"7", None}


@pytest.mark.parametrize("service", FOUND.services, ids=NAMES)
def test_on_one_machine_the_account_of_the_operator_counts(service: Service) -> None:
    account = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "me",
    }
    env = environment.build(service, inherited={}, shared=account, own={})
    read = Account.read(env)
    assert read.endpoint == read.public_endpoint == "http://127.0.0.1:9000"
    assert (read.region, read.access_key) == ("eu-west-1", "me")


def test_whether_the_gateway_is_ready_may_take_as_long_as_it_looks() -> None:
    (gateway,) = (service for service in SERVICES if service["metadata"]["name"] == GATEWAY)
    probe = container_of(gateway)["readinessProbe"]
    assert probe["timeoutSeconds"] > DEADLINE_S
    # Serving refuses a timeout where there is no period, and a period without a threshold.
    assert probe["periodSeconds"] > 0 and probe["failureThreshold"] > 0
