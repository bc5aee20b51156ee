"""What Kinora stands on: the same for an ordinary cluster and for the one that tests run on."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from knative.operating.diagnosis.features import flags_of
from tests import kustomized

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
PLATFORM: Final = INFRA / "platform"
CLUSTER: Final = INFRA / "cluster"
SETTINGS: Final = tuple(sorted((PLATFORM / "knative/settings").glob("*/*.yaml")))
OF_TESTS: Final = tuple(sorted((CLUSTER / "manifests/knative").glob("config-*.yaml")))
PODS: Final = (PLATFORM / "storage/minio.yaml", PLATFORM / "redis/redis.yaml")
UNTOUCHED: Final = {"as-upstream-has-it": "yes"}
REPOSITORIES: Final[Mapping[str, str]] = {
    "knative/serving": "knative.dev/serving",
    "knative/eventing": "knative.dev/eventing",
    "knative-extensions/net-kourier": "knative.dev/net-kourier",
}
"""The module in which each publishes what it releases."""
_URL: Final = re.compile(
    r"https://github\.com/([\w-]+/[\w-]+)/releases/download/knative-v1\.(\d+)\.(\d+)/[\w-]+\.yaml"
)
_KEY: Final = re.compile(r"^  [\w.-]+: ")


def remote() -> list[str]:
    """Every address that an installation of Knative is fetched from."""
    folders = (PLATFORM / "knative/crds", PLATFORM / "knative")
    found = [yaml.safe_load((each / "kustomization.yaml").read_text()) for each in folders]
    return [address for each in found for address in each["resources"]]


def modules() -> dict[str, str]:
    """Versions of the modules that the test cluster is built from."""
    text = (CLUSTER / "knative/go.mod").read_text()
    return dict(re.findall(r"^\t(knative\.dev/\S+) (\S+)$", text, re.MULTILINE))


def documents(path: Path) -> list[Any]:
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


def controllers() -> Iterator[Any]:
    """Whatever has pods in the platform."""
    for path in PODS:
        for found in documents(path):
            if found["kind"] in ("Deployment", "StatefulSet"):
                yield found


def test_what_is_installed_elsewhere_is_what_tests_run_on() -> None:
    versions = modules()
    for address in remote():
        known = _URL.fullmatch(address)
        assert known is not None, address
        # Release 1.22 of Knative is version 0.49 of its modules, and so on.
        expected = f"v0.{int(known[2]) + 27}.{known[3]}"
        assert versions[REPOSITORIES[known[1]]] == expected, address
    assert {address.split("/releases/")[0].split("github.com/")[1] for address in remote()} == set(
        REPOSITORIES
    )


def test_definitions_come_before_what_is_defined() -> None:
    first = yaml.safe_load((PLATFORM / "knative/crds/kustomization.yaml").read_text())["resources"]
    assert all(address.endswith("-crds.yaml") for address in first)
    assert not any("crds" in address for address in remote() if address not in first)


def test_every_patch_of_the_settings_is_applied() -> None:
    component = yaml.safe_load((PLATFORM / "knative/settings/kustomization.yaml").read_text())
    listed = {each["path"] for each in component["patches"]}
    assert listed == {str(each.relative_to(PLATFORM / "knative/settings")) for each in SETTINGS}


@pytest.mark.parametrize("path", (*SETTINGS, *OF_TESTS), ids=lambda path: "-".join(path.parts[-3:]))
def test_each_value_has_its_reason(path: Path) -> None:
    lines = path.read_text().partition("\ndata:\n")[2].splitlines()
    assert sum(bool(_KEY.match(line)) for line in lines) == len(documents(path)[0]["data"])
    # A comment is the reason of the keys below it, up to the next one.
    assert lines[0].startswith("  # ")
    assert all(_KEY.match(line) or line.startswith("  # ") for line in lines)


@kustomized.needs_kubectl
def test_serving_lets_in_whatever_a_service_with_any_component_has() -> None:
    path = PLATFORM / "knative/settings/serving/config-features.yaml"
    allowed = {
        key.removeprefix("kubernetes.podspec-")
        for key, value in documents(path)[0]["data"].items()
        if value == "enabled"
    }
    # What is on by itself.
    allowed.add("volumes-emptydir")
    most = [each for each in kustomized.combinations() if len(each[1]) > 1]
    assert most
    for combination in most:
        found = kustomized.objects(*combination)
        for service in kustomized.of_kind(found, "Service", "serving.knative.dev"):
            assert flags_of(service) <= allowed, service["metadata"]["name"]


def test_no_image_is_another_one_tomorrow() -> None:
    for found in controllers():
        (container,) = found["spec"]["template"]["spec"]["containers"]
        name, _, tag = container["image"].partition(":")
        assert "." in name.split("/")[0], "without a registry its name depends on the node"
        assert re.fullmatch(r"[\w.-]*\d[\w.-]*", tag), container["image"]


def test_pods_of_the_platform_are_bounded_probed_and_have_no_rights() -> None:
    for found in controllers():
        pod = found["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        security = {**pod["securityContext"], **container["securityContext"]}
        assert security["runAsNonRoot"] and security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
        assert not pod["automountServiceAccountToken"] and not pod["enableServiceLinks"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        assert {"readinessProbe", "livenessProbe"} <= set(container)
        for volume in pod["volumes"]:
            assert "sizeLimit" in volume["emptyDir"], volume["name"]


def test_secrets_stand_in_no_manifest() -> None:
    for path in PODS:
        assert all(found["kind"] != "Secret" for found in documents(path))
    for found in controllers():
        (container,) = found["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env", []):
            if re.search("PASSWORD|TOKEN|USER", variable["name"]):
                assert "secretKeyRef" in variable["valueFrom"], variable["name"]


def test_what_redis_holds_is_lost_with_its_pod_and_what_minio_holds_is_not() -> None:
    stores = {found["metadata"]["name"]: found for found in controllers()}
    volumes = stores["redis"]["spec"]["template"]["spec"]["volumes"]
    assert volumes and all("emptyDir" in each for each in volumes)
    (claim,) = stores["minio"]["spec"]["volumeClaimTemplates"]
    env = stores["minio"]["spec"]["template"]["spec"]["containers"][0]["env"]
    queue = {each["name"]: each.get("value") for each in env}[
        "MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_KINORA"
    ]
    mounts = stores["minio"]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    (mount,) = [each for each in mounts if each["name"] == claim["metadata"]["name"]]
    assert queue.startswith(f"{mount['mountPath']}/")


@kustomized.needs_kubectl
def test_the_test_cluster_has_the_platform_as_it_is_but_for_images_and_a_volume(
    laid_out: Path,
) -> None:
    built = {
        (found["kind"], found["metadata"]["name"]): found
        for found in build(laid_out / "manifests/cluster/kinora")
    }
    volume = built.pop(("PersistentVolume", "minio"))
    claim = volume["spec"]["claimRef"]
    for path in (PLATFORM / "namespace/namespace.yaml", *PODS):
        for found in documents(path):
            mapped = built.pop((found["kind"], found["metadata"]["name"]))
            if found["kind"] in ("Deployment", "StatefulSet"):
                (theirs,) = mapped["spec"]["template"]["spec"]["containers"]
                (ours,) = found["spec"]["template"]["spec"]["containers"]
                assert theirs["image"] == f"dev.local/{found['metadata']['name']}:cluster"
                ours["image"] = theirs["image"]
            if found["kind"] == "StatefulSet":
                (wanted,) = found["spec"]["volumeClaimTemplates"]
                name = f"{wanted['metadata']['name']}-{found['metadata']['name']}-0"
                assert claim == {"namespace": found["metadata"]["namespace"], "name": name}
            assert mapped == found
    assert built == {}


@kustomized.needs_kubectl
def test_both_kinds_of_cluster_get_the_same_settings(laid_out: Path) -> None:
    manifests = laid_out / "manifests"
    ordinary = config_maps(build(manifests / "platform/knative"))
    ours = config_maps(build(manifests / "cluster/knative"))
    assert set(ordinary) == set(ours)
    added = {identity(found): found["data"] for each in OF_TESTS for found in documents(each)}
    for path in SETTINGS:
        (found,) = documents(path)
        key = identity(found)
        assert ordinary[key] == {**UNTOUCHED, **found["data"]}
        assert ours[key] == {**ordinary[key], **added.get(key, {})}


def identity(found: Any) -> tuple[str, str]:
    return found["metadata"]["namespace"], found["metadata"]["name"]


def config_maps(built: list[Any]) -> dict[tuple[str, str], dict[str, str]]:
    return {identity(each): each["data"] for each in built if each["kind"] == "ConfigMap"}


@pytest.fixture
def laid_out(tmp_path: Path) -> Path:
    """The manifests as `infra/cluster/up` lays them out, over little of what upstream has."""
    shutil.copytree(CLUSTER / "manifests", tmp_path / "manifests/cluster")
    shutil.copytree(PLATFORM, tmp_path / "manifests/platform")
    maps = {identity(found): found for each in (*SETTINGS, *OF_TESTS) for found in documents(each)}
    upstream: dict[str, list[Any]] = {"serving": [], "eventing": [], "kourier": [GATEWAY]}
    for (namespace, _), found in maps.items():
        upstream[namespace.removeprefix("knative-")].append({**found, "data": UNTOUCHED})
    for folder, found in upstream.items():
        into = tmp_path / "upstream" / folder
        into.mkdir(parents=True)
        (into / "all.yaml").write_text(yaml.safe_dump_all(found))
        (into / "kustomization.yaml").write_text("resources: [all.yaml]\n")
    # Tests fetch nothing: the same little instead of what is released.
    ordinary = tmp_path / "manifests/platform/knative/kustomization.yaml"
    wanted = yaml.safe_load(ordinary.read_text())
    wanted["resources"] = [f"../../../upstream/{folder}" for folder in upstream]
    ordinary.write_text(yaml.safe_dump(wanted))
    return tmp_path


GATEWAY: Final = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "3scale-kourier-gateway", "namespace": "kourier-system"},
    "spec": {"template": {"spec": {"containers": [{"name": "gateway", "lifecycle": {}}]}}},
}


def build(folder: Path) -> list[Any]:
    ran = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return [found for found in yaml.safe_load_all(ran.stdout) if found]
