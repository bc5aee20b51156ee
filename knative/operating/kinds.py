"""The kinds of objects that operating asks for, and how the API server calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version of its group."""

    api: str
    """Group and version as `apiVersion` says it: `v1`, `serving.knative.dev/v1`."""
    name: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "") -> str:
        """Where the API server has them all, those of a namespace, or one."""
        root = f"/apis/{self.api}" if "/" in self.api else f"/api/{self.api}"
        within = f"/namespaces/{quote(namespace, safe='')}" if self.namespaced and namespace else ""
        return f"{root}{within}/{self.plural}" + (f"/{quote(name, safe='')}" if name else "")


NAMESPACE: Final = Kind("v1", "Namespace", "namespaces", namespaced=False)
NODE: Final = Kind("v1", "Node", "nodes", namespaced=False)
POD: Final = Kind("v1", "Pod", "pods")
HAPPENING: Final = Kind("v1", "Event", "events")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
SECRET: Final = Kind("v1", "Secret", "secrets")
CORE_SERVICE: Final = Kind("v1", "Service", "services")
QUOTA: Final = Kind("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE: Final = Kind("v1", "LimitRange", "limitranges")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
STATEFUL_SET: Final = Kind("apps/v1", "StatefulSet", "statefulsets")
JOB: Final = Kind("batch/v1", "Job", "jobs")
CRD: Final = Kind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False
)
RUNTIME_CLASS: Final = Kind("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", False)

SERVICE: Final = Kind("serving.knative.dev/v1", "Service", "services")
REVISION: Final = Kind("serving.knative.dev/v1", "Revision", "revisions")
AUTOSCALER: Final = Kind(
    "autoscaling.internal.knative.dev/v1alpha1", "PodAutoscaler", "podautoscalers"
)
BROKER: Final = Kind("eventing.knative.dev/v1", "Broker", "brokers")
TRIGGER: Final = Kind("eventing.knative.dev/v1", "Trigger", "triggers")
PING_SOURCE: Final = Kind("sources.knative.dev/v1", "PingSource", "pingsources")
JOB_SINK: Final = Kind("sinks.knative.dev/v1alpha1", "JobSink", "jobsinks")
