"""A command that runs in the cluster has another function's keys, and no more than it needs."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from knative.operating import inside
from knative.operating.revision import Service
from tests.unit import cluster_samples as samples

ARGUMENTS = ["knative", "replay", "--json"]


def manifest() -> dict[str, object]:
    gateway = samples.service("gateway", env={"KINORA_STORE": "s3://x", "SECRET": "gateway's"})
    spec = gateway["spec"]["template"]["spec"]
    spec["containers"][0] |= {
        "image": "dev.local/kinora-gateway:one",
        "securityContext": {"readOnlyRootFilesystem": True},
        "readinessProbe": {"httpGet": {"path": "/health/ready"}},
    }
    spec["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    sweeper = samples.service("sweeper", env={"KINORA_STORE": "s3://x", "K_SINK": "http://b/"})
    return inside.job(Service.of(gateway), Service.of(sweeper), ARGUMENTS)


def test_it_has_the_gateways_image_and_the_lenders_variables() -> None:
    pod = manifest()["spec"]["template"]["spec"]  # type: ignore[index]
    (container,) = pod["containers"]
    assert container["image"] == "dev.local/kinora-gateway:one"
    assert container["command"][-3:] == ARGUMENTS
    names = [each["name"] for each in container["env"]]
    assert names == ["KINORA_STORE", "K_SINK", "HOME"]
    assert container["securityContext"] == {"readOnlyRootFilesystem": True}
    assert "readinessProbe" not in container
    assert pod["volumes"] == [{"name": "scratch", "emptyDir": {}}]


def test_it_may_do_nothing_in_the_cluster_and_is_not_run_twice() -> None:
    spec = manifest()["spec"]
    pod = spec["template"]["spec"]  # type: ignore[index]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["restartPolicy"], spec["backoffLimit"]) == ("Never", 0)  # type: ignore[index]


def test_results_are_told_from_remarks() -> None:
    text = 'kinora: hello {"a": 1}\n{\n  "b": [1,\n 2]\n}\n{"c": 3}\nkinora: bye\n[4]'
    assert list(inside.values(text)) == [{"b": [1, 2]}, {"c": 3}, [4]]
    assert list(inside.values("{ not json\n")) == []


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())), st.booleans())
def test_whatever_is_printed_is_read_back(printed: list[dict[str, object]], indent: bool) -> None:
    text = "".join(json.dumps(each, indent=2 if indent else None) + "\n" for each in printed)
    assert list(inside.values(text)) == printed
