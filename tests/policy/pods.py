"""What holds for every pod."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from tests.policy import Objects, Rule
from tests.policy.workload import services, workloads

_IMAGE: Final = re.compile(r"[a-z0-9.-]+(/[a-z0-9-]+)+(:(?P<tag>[\w.-]+)|@sha256:[0-9a-f]{64})")
_VOLUMES: Final = {"emptyDir", "secret", "configMap", "projected"}
"""What an untouched Serving and the strictest level of pod security let in."""


def containers_are_bounded(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        resources = each.container.get("resources", {})
        for kind, amounts in (("requests", ("cpu", "memory")), ("limits", ("memory",))):
            for amount in amounts:
                if amount not in resources.get(kind, {}):
                    yield f"{each.name}: no {amount} in its {kind}"
        for volume in each.pod.get("volumes", []):
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{each.name}: volume {volume['name']} may fill the node's disk"


def pods_have_no_rights(found: Objects) -> Iterator[str]:
    wanted: dict[str, Any] = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for each in workloads(found):
        security = each.container.get("securityContext", {})
        for field, value in wanted.items():
            if security.get(field) != value:
                yield f"{each.name}: {field} is {security.get(field)!r}, not {value!r}"
        if not security.get("runAsUser"):
            yield f"{each.name}: no user by number"
        for field in ("hostNetwork", "hostPID", "hostIPC", "initContainers"):
            if each.pod.get(field):
                yield f"{each.name}: {field}"


def pods_have_no_account(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        if each.pod.get("automountServiceAccountToken") is not False:
            yield f"{each.name}: gets a token for the API server"
        if "serviceAccountName" in each.pod:
            yield f"{each.name}: runs in the name of {each.pod['serviceAccountName']}"
        if each.pod.get("enableServiceLinks") is not False:
            yield f"{each.name}: gets a variable for each Service"


def volumes_are_known_and_mounted(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        volumes = each.pod.get("volumes", [])
        for volume in volumes:
            if not set(volume) - {"name"} <= _VOLUMES:
                yield f"{each.name}: volume {volume['name']} is of no kind that is allowed"
        mounts = [mount["name"] for mount in each.container.get("volumeMounts", [])]
        if sorted(mounts) != sorted(volume["name"] for volume in volumes):
            yield f"{each.name}: volumes and mounts differ"


def images_are_exact(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        image = each.container["image"]
        known = _IMAGE.fullmatch(image)
        if known is None or known["tag"] == "latest":
            yield f"{each.name}: {image} may be another one tomorrow"


def services_are_probed(found: Objects) -> Iterator[str]:
    for each in services(found):
        for probe in ("readinessProbe", "livenessProbe"):
            if "path" not in each.container.get(probe, {}).get("httpGet", {}):
                yield f"{each.name}: no {probe} by HTTP"


def jobs_end(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        if not each.is_service:
            for field in ("backoffLimit", "activeDeadlineSeconds"):
                if field not in each.job:
                    yield f"{each.name}: no {field}"
            if each.pod.get("restartPolicy") != "Never":
                yield f"{each.name}: a pod that fails is not kept"


def programs_get_signals_themselves(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        if each.container.get("command", ["sh"])[0] in ("sh", "bash", "/bin/sh"):
            yield f"{each.name}: a shell stands between"


RULES: Final[tuple[Rule, ...]] = (
    containers_are_bounded,
    pods_have_no_rights,
    pods_have_no_account,
    volumes_are_known_and_mounted,
    images_are_exact,
    services_are_probed,
    jobs_end,
    programs_get_signals_themselves,
)
