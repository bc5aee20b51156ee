"""Other bounds for a function's pods: which objects change, in which order, and how an overlay
says the same. Pure.

How many encoders there may be is also what admission counts by: whoever has KINORA_ENCODERS (or
KINORA_GPU_ENCODERS) is changed together with them, so that never more tasks are in flight than
encoders can take.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knative.encoders import COUNTED, SETTINGS, Counted
from knative.operating.revision import SCALE, Service
from knative.operating.rollout import running


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is to become of a function's scale; None stays as it is."""

    min: int | None = None
    max: int | None = None
    """0 is without limit."""
    target: float | None = None
    """Requests that a pod shall have in flight on average."""
    utilization: int | None = None
    """Percent of that, or of `concurrency`, at which another pod is wanted."""
    concurrency: int | None = None
    """Requests that a pod takes at most, 0 for any number."""
    window_s: int | None = None

    @property
    def annotations(self) -> dict[str, str]:
        """Of the template, with the values that change."""
        values = {
            "min-scale": self.min,
            "max-scale": self.max,
            "target": None if self.target is None else f"{self.target:g}",
            "target-utilization-percentage": self.utilization,
            "window": None if self.window_s is None else f"{self.window_s}s",
        }
        return {f"{SCALE}{name}": str(value) for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One Service that becomes another revision."""

    function: str
    says: tuple[str, ...]
    """What changes, as `name: old -> new`."""
    patch: Mapping[str, Any]
    """To be merged into the Service."""


def wrong(service: Service, bounds: Bounds) -> str:
    """Why these bounds are none, "" where they are good."""
    now = _annotations(service)
    least = int(now.get(f"{SCALE}min-scale", 0)) if bounds.min is None else bounds.min
    most = int(now.get(f"{SCALE}max-scale", 0)) if bounds.max is None else bounds.max
    if most and least > most:
        return f"at least {least} pods and at most {most} cannot both be"
    if service.name in COUNTED and bounds.max == 0:
        return "an encoder needs a limit: admission counts by it"
    return ""


def changes(services: Sequence[Service], function: str, bounds: Bounds) -> list[Change]:
    """What has to be patched, in this order; nothing where everything is so already.

    Encoders come before the work for them, and the work stops before they go.
    """
    service = next(each for each in services if each.name == function)
    found = {each.name: change_of(each, function, bounds) for each in services}
    own = [change] if (change := found.pop(function)) else []
    others = [change for change in found.values() if change is not None]
    now = int(_annotations(service).get(f"{SCALE}max-scale", 0))
    grows = bounds.max is None or bounds.max >= now
    return [*own, *others] if grows else [*others, *own]


def rolling(services: Iterable[Service], found: Iterable[Change]) -> str:
    """A function that would get another revision in the middle of a rollout, "" for none."""
    changed = {change.function for change in found}
    names = (each.name for each in services if each.name in changed and running(each) is not None)
    return next(names, "")


def change_of(service: Service, function: str, bounds: Bounds) -> Change | None:
    """What one Service becomes by new bounds of `function`; None where it is so already."""
    counted = counted_of(function, bounds)
    counts = {} if counted is None else {counted.variable: str(bounds.max)}
    if service.name != function:
        return _change(service, {}, None, counts)
    return _change(service, bounds.annotations, bounds.concurrency, counts)


def counted_of(function: str, bounds: Bounds) -> Counted | None:
    """Where else the new bound has to stand, None for nowhere."""
    return None if bounds.max is None else COUNTED.get(function)


def overlay(function: str, bounds: Bounds) -> str:
    """What an overlay's kustomization.yaml has to say, or the next deploy takes it back."""
    lines: list[str] = []
    values = bounds.annotations
    if (counted := counted_of(function, bounds)) is not None:
        values.pop(f"{SCALE}max-scale")
        lines += [
            "configMapGenerator:",
            f"  - name: {SETTINGS}",
            "    behavior: merge",
            "    literals:",
            f"      - {counted.setting}={bounds.max}",
            "    options: {disableNameSuffixHash: true}",
        ]
    if values or bounds.concurrency is not None:
        lines += [
            "patches:",
            f"  - target: {{group: serving.knative.dev, kind: Service, name: {function}}}",
            "    patch: |-",
            "      apiVersion: serving.knative.dev/v1",
            "      kind: Service",
            f"      metadata: {{name: {function}}}",
            "      spec:",
            "        template:",
        ]
        if values:
            lines += ["          metadata:", "            annotations:"]
            lines += [f'              {name}: "{value}"' for name, value in values.items()]
        if bounds.concurrency is not None:
            lines += ["          spec:", f"            containerConcurrency: {bounds.concurrency}"]
    return "\n".join(lines) + "\n" if lines else ""


def bounds_of(service: Service) -> str:
    """The bounds as they are: `0 to 10 pods`."""
    now = _annotations(service)
    most = now.get(f"{SCALE}max-scale", "0")
    return f"{now.get(f'{SCALE}min-scale', '0')} to {'any number of' if most == '0' else most} pods"


def _change(
    service: Service,
    annotations: Mapping[str, str],
    concurrency: int | None,
    variables: Mapping[str, str],
) -> Change | None:
    """None where the Service is so already."""
    spec = service.template.get("spec", {})
    now = _annotations(service)
    says = [
        f"{name.removeprefix(SCALE)}: {now.get(name, 'default')} -> {value}"
        for name, value in annotations.items()
        if now.get(name) != value
    ]
    template: dict[str, Any] = {}
    if says:
        template["metadata"] = {"annotations": dict(annotations)}
    if concurrency is not None and concurrency != int(spec.get("containerConcurrency") or 0):
        says.append(f"concurrency: {spec.get('containerConcurrency') or 0} -> {concurrency}")
        template.setdefault("spec", {})["containerConcurrency"] = concurrency
    containers, told = _with(spec["containers"], variables)
    if told:
        says += told
        template.setdefault("spec", {})["containers"] = containers
    if not says:
        return None
    return Change(
        function=service.name,
        says=tuple(says),
        patch={
            "metadata": {"resourceVersion": service.version},
            "spec": {"template": template},
        },
    )


def _with(
    containers: Iterable[Mapping[str, Any]], variables: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The containers with these values where they have such variables, and what changed."""
    told: list[str] = []
    changed: list[dict[str, Any]] = []
    for container in containers:
        env = [dict(each) for each in container.get("env", ())]
        for each in env:
            value = variables.get(each["name"], each.get("value"))
            if value is not None and value != each.get("value"):
                told.append(f"{each['name']}: {each.get('value', '')} -> {value}")
                each["value"] = value
        changed.append({**container, "env": env} if env else dict(container))
    return changed, told


def _annotations(service: Service) -> Mapping[str, str]:
    found: Mapping[str, str] = service.template.get("metadata", {}).get("annotations", {})
    return found
