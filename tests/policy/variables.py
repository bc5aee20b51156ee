"""What processes are told: enough for each to start, nothing that is secret, from one place."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventing import serve
from knative.operating.deploying import keyring
from tests.kustomized import of_kind
from tests.policy import Objects, Rule, name_of
from tests.policy.names import OWNED
from tests.policy.workload import Workload, services, workloads

_SECRET: Final = re.compile("KEY|TOKEN|SECRET|PASSWORD")
_REFERENCE: Final = re.compile(r"\$\((\w+)\)")
_PASSWORD: Final = re.compile(r"//[^/@]*:(?!\$\(\w+\)@)[^/@]+@")
"""In an address, where it is not filled in from another variable."""


def nothing_secret_is_written_down(found: Objects) -> Iterator[str]:
    for each in of_kind(found, "Secret"):
        yield f"{name_of(each)}: a Secret lies among the manifests"
    for workload in workloads(found):
        for variable, value in workload.env.items():
            plain = isinstance(value, str)
            if plain and _SECRET.search(variable):
                yield f"{workload.name}: {variable} is there in plain text"
            if plain and _PASSWORD.search(value):
                yield f"{workload.name}: {variable} holds a password"
    for settings in of_kind(found, "ConfigMap"):
        for key, value in settings["data"].items():
            if _PASSWORD.search(value):
                yield f"{name_of(settings)}: {key} holds a password"


def keys_are_those_of_the_function(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            secret = each.env.get(variable, {}).get("secretKeyRef", {}).get("name")
            allowed = f"kinora-store-{each.function}" if each.function else "minio-root"
            if secret not in (allowed, None):
                yield f"{each.name}: has the keys of {secret}"


def functions_can_read_their_settings(found: Objects) -> Iterator[str]:
    for each in workloads(found):
        if not each.function:
            continue
        try:
            env = filled(each)
            settings = importlib.import_module(f"functions.{each.function}.settings").Settings
            settings.read(env)
            serve.Settings.read(env)
        except (KeyError, ValueError) as wrong:
            yield f"{each.name}: {wrong}"


def what_settings_say_has_arrived(found: Objects) -> Iterator[str]:
    (settings,) = (
        each["data"]
        for each in of_kind(found, "ConfigMap")
        if each["metadata"]["name"] == "kinora-settings"
    )
    for each in workloads(found):
        for variable, key in (
            ("K_SINK", "sink"),
            ("KINORA_STORE", "store"),
            ("AWS_ENDPOINT_URL_S3", "store-endpoint"),
            ("AWS_REGION", "store-region"),
            ("KINORA_S3_PUBLIC_ENDPOINT", "store-public-endpoint"),
            ("KINORA_STATE", "state"),
            ("KINORA_PUBLIC_URL", "public-url"),
            ("KINORA_WEBHOOK_ALLOW", "webhook-allow"),
            ("KINORA_ENCODERS", "encoders"),
            ("KINORA_GPU_ENCODERS", "gpus"),
        ):
            if each.env.get(variable, settings[key]) != settings[key]:
                yield f"{each.name}: {variable} is not `{key}`"
    bounds = {"encoder": "encoders", "encoder-gpu": "gpus"}
    for each in services(found):
        bound = bounds.get(each.found["metadata"]["name"])
        annotations = each.template["metadata"]["annotations"]
        if bound and annotations["autoscaling.knative.dev/max-scale"] != settings[bound]:
            yield f"{each.name}: scales not to `{bound}`"
    for each in of_kind(found, "ScaledJob"):
        if str(each["spec"]["maxReplicaCount"]) != settings["encoders"]:
            yield f"{name_of(each)}: scales not to `encoders`"


def whoever_counts_encoders_counts_those_with_gpus(found: Objects) -> Iterator[str]:
    if not any(each.found["metadata"]["name"] == "encoder-gpu" for each in services(found)):
        return
    for each in workloads(found):
        if "KINORA_ENCODERS" in each.env and "KINORA_GPU_ENCODERS" not in each.env:
            yield f"{each.name}: knows of no GPU"


def filled(workload: Workload) -> dict[str, str]:
    """The environment as a pod has it, with Secrets as `kinora deploy` makes them.

    Raises KeyError for what cannot be had.
    """
    env: dict[str, str] = {}
    # In their order: what a value refers to has to stand before it.
    for variable, value in workload.env.items():
        env[variable] = (
            _REFERENCE.sub(lambda name: env[name[1]], value)
            if isinstance(value, str)
            else _secret(value)
        )
    return env


def _secret(source: Mapping[str, Any]) -> str:
    ref = source["secretKeyRef"]
    contents = keyring.made(ref["name"])
    if contents is None:
        contents = dict.fromkeys(OWNED[ref["name"]], "of-its-owner")
    return contents[ref["key"]]


RULES: Final[tuple[Rule, ...]] = (
    nothing_secret_is_written_down,
    keys_are_those_of_the_function,
    functions_can_read_their_settings,
    what_settings_say_has_arrived,
    whoever_counts_encoders_counts_those_with_gpus,
)
