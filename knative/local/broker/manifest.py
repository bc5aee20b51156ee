"""Brokers and Triggers as values, read from the documents that a cluster would get.

`eventing.knative.dev/v1`. What Knative's webhook refuses is refused here, and so is what this
broker cannot do; `Invalid` names the field. Fields without meaning on one machine are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from knative.field import Field, Invalid
from knative.local.broker import filters

GROUP: Final = "eventing.knative.dev/v1"
NAMESPACE: Final = "default"
KINDS: Final = ("Service", "Broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where something is delivered to: an object by name, or a URI."""

    kind: str = ""
    """"Service" or "Broker"; "" when only `uri` says where."""
    namespace: str = NAMESPACE
    name: str = ""
    uri: str = ""
    """Absolute without a name; with one, a path on it, or ""."""

    @property
    def url(self) -> str:
        """The address that a cluster would have resolved it to."""
        if not self.kind:
            return self.uri
        if self.kind == "Broker":
            return (
                "http://broker-ingress.knative-eventing.svc.cluster.local"
                f"/{self.namespace}/{self.name}"
            )
        return f"http://{self.name}.{self.namespace}.svc.cluster.local{self.uri}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How hard to try. The defaults are what a `delivery` gets that does not say."""

    retry: int = 0
    """Attempts after the first."""
    backoff_policy: str = ""
    """"exponential", "linear", or "" for no wait."""
    backoff_delay_s: float = 0.0
    timeout_s: float | None = None
    """Of one attempt; None: as long as it takes."""
    structured: bool = False
    """`format: json`: structured content mode instead of binary."""
    dead_letter_sink: Destination | None = None


DEFAULT_DELIVERY: Final = Delivery(retry=10, backoff_policy="exponential", backoff_delay_s=0.2)
"""What Knative's `config-br-defaults` gives a Broker without a `delivery`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    namespace: str = NAMESPACE
    name: str
    delivery: Delivery = DEFAULT_DELIVERY

    @property
    def key(self) -> str:
        """`<namespace>/<name>`: also the path of its ingress."""
        return f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> Broker:
        """Read a `kind: Broker`. Raises Invalid."""
        root, namespace, name = head(document, "Broker", GROUP)
        spec = root["spec"]
        spec.only("config", "delivery")
        delivery = _delivery(spec["delivery"], namespace) or DEFAULT_DELIVERY
        return cls(namespace=namespace, name=name, delivery=delivery)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    namespace: str = NAMESPACE
    name: str
    broker: str
    """The name of a Broker in the same namespace."""
    subscriber: Destination
    filter: filters.Filter = filters.EVERYTHING
    delivery: Delivery | None = None

    @property
    def key(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.namespace}/{self.name}"

    @classmethod
    def parse(cls, document: Mapping[str, object]) -> Trigger:
        """Read a `kind: Trigger`. Raises Invalid."""
        root, namespace, name = head(document, "Trigger", GROUP)
        spec = root["spec"]
        spec.only("broker", "filter", "filters", "subscriber", "delivery")
        return cls(
            namespace=namespace,
            name=name,
            broker=spec["broker"].text(),
            subscriber=destination(spec["subscriber"], namespace),
            filter=filters.parse(spec),
            delivery=_delivery(spec["delivery"], namespace),
        )

    def delivery_under(self, broker: Broker) -> Delivery:
        """What holds for this Trigger: its own `delivery` replaces the Broker's as a group.

        A Trigger that sets only `timeout` thus gets no retries. Only the dead-letter sink falls
        back to the Broker's.
        """
        if self.delivery is None:
            return broker.delivery
        if self.delivery.dead_letter_sink is not None:
            return self.delivery
        return replace(self.delivery, dead_letter_sink=broker.delivery.dead_letter_sink)


def head(document: Mapping[str, object], kind: str, group: str) -> tuple[Field, str, str]:
    """The document as a field named after its object, with its namespace and name."""
    metadata = document.get("metadata")
    known = metadata if isinstance(metadata, Mapping) else {}
    root = Field(f"{kind} {known.get('name', '?')}", document)
    if document.get("kind") != kind:
        raise root["kind"].invalid(f"must be {kind}")
    if document.get("apiVersion") != group:
        raise root["apiVersion"].invalid(f"must be {group}")
    name = root["metadata"]["name"].text()
    namespace = root["metadata"]["namespace"].text(NAMESPACE)
    if "/" in name or "/" in namespace:
        raise root["metadata"].invalid("a name or namespace has no slash")
    return root, namespace, name


def destination(field: Field, namespace: str) -> Destination:
    """A `{ref, uri}`: one of both, or a ref with a path. Refs without namespace get `namespace`."""
    field.only("ref", "uri", "CACerts", "audience")
    ref, uri = field["ref"], field["uri"].text("")
    if not ref and not uri:
        raise field.invalid("needs a ref or a uri")
    if not ref:
        if urlsplit(uri).scheme not in ("http", "https") or not urlsplit(uri).netloc:
            raise field["uri"].invalid(f"must be an absolute http address, not {uri!r}")
        return Destination(uri=uri, namespace=namespace)
    if uri and not uri.startswith("/"):
        raise field["uri"].invalid(f"beside a ref it must be a path, not {uri!r}")
    ref.only("apiVersion", "kind", "namespace", "name", "group")
    kind = ref["kind"].text()
    if kind not in KINDS:
        raise ref["kind"].invalid(f"only {' and '.join(KINDS)} can be delivered to here")
    return Destination(
        kind=kind,
        namespace=ref["namespace"].text(namespace),
        name=ref["name"].text(),
        uri=uri,
    )


def _delivery(field: Field, namespace: str) -> Delivery | None:
    if not field:
        return None
    known = (
        "retry",
        "backoffPolicy",
        "backoffDelay",
        "timeout",
        "deadLetterSink",
        "format",
    )
    field.only(*known)
    timeout_s = field["timeout"].duration_s(None)
    if timeout_s == 0:
        raise field["timeout"].invalid("must be longer than nothing")
    sink = field["deadLetterSink"]
    return Delivery(
        retry=field["retry"].count(0),
        backoff_policy=field["backoffPolicy"].choice("exponential", "linear", default=""),
        backoff_delay_s=field["backoffDelay"].duration_s(0.0) or 0.0,
        timeout_s=timeout_s,
        structured=field["format"].choice("binary", "json", default="binary") == "json",
        dead_letter_sink=destination(sink, namespace) if sink else None,
    )


__all__ = [
    "DEFAULT_DELIVERY",
    "Broker",
    "Delivery",
    "Destination",
    "Invalid",
    "Trigger",
    "destination",
    "head",
]
