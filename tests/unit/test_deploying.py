"""What a deploy decides: the order, the Secrets, who is ready, which images run."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.jobs.seal import Seal
from knative.cli.main import app
from knative.operating.deploying import keyring, order, readiness, rendering
from knative.operating.deploying.unsettled import unsettled
from tests.kustomized import needs_kubectl


def thing(kind: str, api: str = "v1", name: str = "x", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": "kinora", "generation": 2}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **more}


def knative(status: str, *, seen: int = 2, **more: Any) -> dict[str, Any]:
    said = {"type": "Ready", "status": status, "reason": "RevisionMissing", "message": "Not yet."}
    conditions = [said, *more.get("conditions", ())]
    return thing(
        "Service",
        "serving.knative.dev/v1",
        status={"observedGeneration": seen, "conditions": conditions},
    )


def test_whoever_needs_something_comes_after_it() -> None:
    kinds = [
        ("Trigger", "eventing.knative.dev/v1"),
        ("Service", "serving.knative.dev/v1"),
        ("PingSource", "sources.knative.dev/v1"),
        ("Broker", "eventing.knative.dev/v1"),
        ("Job", "batch/v1"),
        ("Deployment", "apps/v1"),
        ("ConfigMap", "v1"),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
        ("Namespace", "v1"),
    ]
    found = order.stages([thing(kind, api) for kind, api in kinds])
    assert [[each["kind"] for each in stage.objects] for stage in found] == [
        ["Namespace"],
        ["CustomResourceDefinition"],
        ["ConfigMap"],
        ["Deployment"],
        ["Job"],
        ["Broker"],
        ["Service"],
        ["Trigger", "PingSource"],
    ]
    waited = {each["kind"] for stage in found if stage.waits for each in stage.objects}
    assert waited == {"Namespace", "CustomResourceDefinition", "Deployment", "Job"}


def test_what_knative_says_of_its_own_object_is_believed() -> None:
    assert readiness.of(knative("True")).state == "ready"
    waiting = readiness.of(knative("False"))
    assert (waiting.state, waiting.why) == ("waiting", "RevisionMissing: Not yet.")


def test_the_state_before_a_change_is_not_that_after_it() -> None:
    assert readiness.of(knative("True", seen=1)).state == "waiting"
    rolled = {"observedGeneration": 1, "updatedReplicas": 1, "readyReplicas": 1}
    old = thing("Deployment", "apps/v1", spec={"replicas": 1}, status=rolled)
    assert readiness.of(old).state == "waiting"
    old["status"]["observedGeneration"] = 2
    assert readiness.of(old).state == "ready"


def test_an_object_that_nobody_looked_at_is_waited_for_and_a_plain_one_is_not() -> None:
    assert readiness.of(thing("Broker", "eventing.knative.dev/v1")).state == "waiting"
    assert readiness.of(thing("ConfigMap")).state == "ready"
    assert readiness.of(None).state == "waiting"


def test_a_job_that_failed_is_not_waited_for() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    found = readiness.of(thing("Job", "batch/v1", status={"conditions": [failed]}))
    assert (found.state, found.why) == ("failed", "BackoffLimitExceeded")


def test_a_service_is_given_up_by_what_knative_says_of_its_newest_revision() -> None:
    failed = {"type": "ConfigurationsReady", "status": "False"}
    assert readiness.is_given_up(knative("False", conditions=[failed]))
    starts = {"type": "ConfigurationsReady", "status": "Unknown"}
    assert not readiness.is_given_up(knative("False", conditions=[starts]))
    assert not readiness.is_given_up(knative("False"))
    assert not readiness.is_given_up(thing("Service", status={"conditions": [failed]}))


def pod(**spec: Any) -> dict[str, Any]:
    return thing("Service", "serving.knative.dev/v1", spec={"template": {"spec": spec}})


def test_secrets_are_found_wherever_pods_refer_to_them() -> None:
    found = keyring.references(
        [
            pod(
                containers=[
                    {
                        "env": [
                            {"valueFrom": {"secretKeyRef": {"name": "a", "key": "one"}}},
                            {"valueFrom": {"secretKeyRef": {"name": "a", "key": "two"}}},
                            {
                                "valueFrom": {
                                    "secretKeyRef": {"name": "o", "key": "k", "optional": True}
                                }
                            },
                        ],
                        "envFrom": [{"secretRef": {"name": "b"}}],
                    }
                ],
                volumes=[
                    {"secret": {"secretName": "c"}},
                    {
                        "projected": {
                            "sources": [{"secret": {"name": "d", "items": [{"key": "three"}]}}]
                        }
                    },
                    {"secret": {"secretName": "given"}},
                ],
                imagePullSecrets=[{"name": "registry"}],
            ),
            thing("Secret", name="given"),
        ]
    )
    assert {each.name: set(each.keys) for each in found} == {
        "a": {"one", "two"},
        "b": set(),
        "c": set(),
        "d": {"three"},
        "registry": {".dockerconfigjson"},
    }
    assert {each.namespace for each in found} == {"kinora"}


def test_secrets_that_are_made_are_of_use_and_never_the_same() -> None:
    ours = keyring.made("kinora-secrets")
    assert ours is not None
    assert len(base64.b64decode(ours["master-key"])) == 32
    Seal.read({"KINORA_MASTER_KEY": ours["master-key"]})
    assert keyring.made("kinora-secrets") != ours
    store = keyring.made("kinora-store-deadletter")
    assert store is not None
    assert 3 <= len(store["access-key"]) <= 20  # what MinIO takes
    assert 8 <= len(store["secret-key"]) <= 40
    assert keyring.made("registry") is None


def test_what_a_secret_lacks_is_told_without_its_contents() -> None:
    needed = keyring.Reference(namespace="n", name="s", keys=frozenset({"a", "b"}), by="Job/x")
    assert keyring.lacking(needed, thing("Secret", data={"a": "cHJpdmF0ZQ=="})) == ["b"]


def test_an_image_is_replaced_by_its_name_wherever_it_comes_from() -> None:
    objects = [pod(containers=[{"image": "dev.local/kinora-media:dev"}, {"image": "other:1"}])]
    changed = rendering.with_images(objects, {"kinora-media": "host:5000/kinora-media@sha256:0"})
    assert rendering.images(changed) == {"host:5000/kinora-media@sha256:0", "other:1"}
    assert rendering.images(objects) == {"dev.local/kinora-media:dev", "other:1"}


@pytest.mark.parametrize(
    "image", ["kinora-media", "h:5000/t/kinora-media", "h:5000/kinora-media:1@sha256:0"]
)
def test_an_images_name_is_what_remains_without_place_tag_and_digest(image: str) -> None:
    assert rendering.image_name(image) == "kinora-media"


def test_an_overlay_is_one_of_ours_or_a_folder(tmp_path: Path) -> None:
    assert rendering.folder_of("local") == rendering.OVERLAYS / "local"
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    assert rendering.folder_of(str(tmp_path)) == tmp_path
    with pytest.raises(rendering.NotRendered, match="local"):
        rendering.folder_of("nowhere")
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n")
    with pytest.raises(rendering.NotRendered, match=r"gone\.yaml"):
        asyncio.run(rendering.render(tmp_path))


@pytest.mark.parametrize(
    "spec",
    [
        {"env": [{"valueFrom": {"secretKeyRef": {"name": "a"}}}]},
        {"env": [{"valueFrom": {"secretKeyRef": {"name": 1, "key": "b"}}}]},
        {"imagePullSecrets": ["a", {}]},
        {"imagePullSecrets": "a"},
        {"secretTargetRef": [{"key": "b"}]},
        {"volumes": [{"secret": {"secretName": "a", "items": [{}]}}]},
    ],
)
def test_a_reference_that_names_no_secret_is_left_for_the_cluster_to_refuse(spec: Any) -> None:
    assert keyring.references([thing("Service", "serving.knative.dev/v1", spec=spec)]) == []


@needs_kubectl
def test_an_overlay_without_objects_is_none(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(rendering.NotRendered, match="There is no object"):
        asyncio.run(rendering.render(tmp_path))


def functioning(**variables: str) -> dict[str, Any]:
    env = [{"name": name, "value": value} for name, value in variables.items()]
    spec = {"template": {"spec": {"containers": [{"name": "function", "env": env}]}}}
    return thing("Service", "serving.knative.dev/v1", spec=spec)


def test_a_function_that_knows_no_store_is_told_of_before_it_is_deployed() -> None:
    settled = functioning(K_SINK="http://x", KINORA_STORE="s3://x", AWS_ENDPOINT_URL_S3="")
    assert unsettled([settled, thing("ConfigMap")]) == {}
    found = unsettled([functioning(KINORA_STORE="", KINORA_STATE="redis://x", K_SINK="")])
    assert found == {"Service/x": ["KINORA_STORE", "K_SINK"]}


@needs_kubectl
def test_an_overlay_without_its_settings_is_told_to_list_them(tmp_path: Path) -> None:
    (overlay := tmp_path / "overlay").mkdir()
    base = os.path.relpath((rendering.OVERLAYS.parent / "base").resolve(), overlay.resolve())
    (overlay / "kustomization.yaml").write_text(f"resources: [{base}]\n")
    result = CliRunner().invoke(app, ["deploy", "--overlay", str(overlay)])
    assert result.exit_code == 2
    assert "List the component `settings` last" in " ".join(result.stderr.split())


@needs_kubectl
def test_a_value_is_the_text_that_kustomize_takes_it_for(tmp_path: Path) -> None:
    data = "{a: =, b: 2026-01-01, c: on, d: '='}"
    (tmp_path / "kustomization.yaml").write_text("resources: [map.yaml]\n")
    (tmp_path / "map.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {data}\n"
    )
    (found,) = asyncio.run(rendering.render(tmp_path))
    assert all(isinstance(value, str) for value in found["data"].values())
    assert (found["data"]["a"], found["data"]["c"]) == ("=", "on")


@needs_kubectl
def test_what_kustomize_refuses_is_told_without_its_log(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    with pytest.raises(rendering.NotRendered) as told:
        asyncio.run(rendering.render(tmp_path))
    assert "nowhere.yaml" in str(told.value)
    assert "command failed" not in str(told.value)
