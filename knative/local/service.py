"""A Knative Service as a value: what one function process is, and how many there may be.

`serving.knative.dev/v1`. What Knative's webhook refuses is refused here, with the field's path;
what means nothing on one machine (images, volumes, security contexts) is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from knative.autoscaling.scaling import Scaling
from knative.field import Field
from knative.local.broker.manifest import head

GROUP: Final = "serving.knative.dev/v1"
MAX_TIMEOUT_S: Final = 600
"""`max-revision-timeout-seconds` of an untouched installation."""
_DEFAULT_TIMEOUT_S: Final = 300
_MAX_CONCURRENCY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One function as it is to be run."""

    namespace: str
    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Plain values only."""
    secrets: tuple[str, ...] = ()
    """Variables whose value comes from elsewhere, like a Secret: their names."""
    container_concurrency: int = 0
    """Requests at a time in one process; 0: as many as come."""
    timeout_s: int = _DEFAULT_TIMEOUT_S
    """From a request's arrival, time in the queue included, to the end of its answer."""
    ready_path: str = "/health/ready"
    cpu_request: float = 0.0
    """Cores that one process keeps busy."""
    scaling: Scaling = field(default_factory=Scaling)

    @property
    def key(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"

    @property
    def revision(self) -> str:
        """There is one revision at a time: a new manifest is a new runtime."""
        return f"{self.name}-00001"

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> Service:
        """Read a `kind: Service` of Serving. Raises Invalid naming the field."""
        root, namespace, name = head(document, "Service", GROUP)
        template = root["spec"]["template"]
        spec = template["spec"]
        containers = spec["containers"].items()
        if len(containers) != 1:
            raise spec["containers"].invalid("a function is exactly one container")
        container = containers[0]
        concurrency = spec["containerConcurrency"].count(0)
        if concurrency > _MAX_CONCURRENCY:
            raise spec["containerConcurrency"].invalid(f"must be at most {_MAX_CONCURRENCY}")
        return cls(
            namespace=namespace,
            name=name,
            command=_command(container),
            env=_environment(container["env"]),
            secrets=tuple(
                entry["name"].text() for entry in container["env"].items() if entry["valueFrom"]
            ),
            container_concurrency=concurrency,
            timeout_s=_timeout_s(spec),
            ready_path=container["readinessProbe"]["httpGet"]["path"].text("/health/ready"),
            cpu_request=container["resources"]["requests"]["cpu"].cores(),
            scaling=Scaling.parse(template["metadata"]["annotations"], concurrency),
        )


def _command(container: Field) -> tuple[str, ...]:
    words = [*container["command"].items(), *container["args"].items()]
    if not container["command"].items():
        raise container["command"].invalid("is required: an image's own is not known here")
    return tuple(word.text() for word in words)


def _environment(env: Field) -> dict[str, str]:
    values = {}
    for entry in env.items():
        if entry["valueFrom"]:
            continue
        value = entry["value"].value
        if value is not None and not isinstance(value, str):
            raise entry["value"].invalid(f"must be text, not {value!r}: quote it")
        values[entry["name"].text()] = value or ""
    return values


def _timeout_s(spec: Field) -> int:
    timeout_s = spec["timeoutSeconds"].count(_DEFAULT_TIMEOUT_S)
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise spec["timeoutSeconds"].invalid(f"must be 1 to {MAX_TIMEOUT_S}, not {timeout_s}")
    # Knative fills 300 where this one is missing, and cuts whoever has not answered by then.
    start_s = spec["responseStartTimeoutSeconds"].count(min(timeout_s, _DEFAULT_TIMEOUT_S))
    if start_s > timeout_s:
        raise spec["responseStartTimeoutSeconds"].invalid("must not be above timeoutSeconds")
    return min(timeout_s, start_s)
