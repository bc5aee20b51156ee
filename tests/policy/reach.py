"""What the network policies of an installation let through, as the API defines it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from tests.kustomized import of_kind
from tests.policy import Objects
from tests.policy.names import NAMESPACE, selects


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody at one end of a connection: a pod, or with an address something outside."""

    namespace: str = NAMESPACE
    labels: dict[str, str] = field(default_factory=dict)
    address: str = ""


def allowed(found: Objects, from_: Party, to: Party, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is let out of the one and into the other.

    Ends in other namespaces let everything through: their policies are not ours.
    """
    return _passes(found, from_, to, port, protocol, "Egress") and _passes(
        found, to, from_, port, protocol, "Ingress"
    )


def _passes(
    found: Objects, own: Party, other: Party, port: int, protocol: str, direction: str
) -> bool:
    if own.address or own.namespace != NAMESPACE:
        return True
    policies = [
        each["spec"]
        for each in of_kind(found, "NetworkPolicy")
        if direction in each["spec"]["policyTypes"]
        and selects(each["spec"]["podSelector"], own.labels)
    ]
    if not policies:
        return True
    member, peers = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(
        _names(rule, port, protocol) and any(_is(peer, other) for peer in rule[peers])
        for policy in policies
        for rule in policy.get(member, [])
    )


def _names(rule: Any, port: int, protocol: str) -> bool:
    ports = rule.get("ports")
    return ports is None or any(
        each["port"] == port and each["protocol"] == protocol for each in ports
    )


def _is(peer: Any, other: Party) -> bool:
    if "ipBlock" in peer:
        return bool(other.address) and _within(peer["ipBlock"], other.address)
    if other.address:
        return False
    if "namespaceSelector" in peer:
        own = {"kubernetes.io/metadata.name": other.namespace}
        if not selects(peer["namespaceSelector"], own):
            return False
    elif other.namespace != NAMESPACE:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def _within(block: Any, address: str) -> bool:
    there = ipaddress.ip_address(address)
    if there not in ipaddress.ip_network(block["cidr"]):
        return False
    return not any(there in ipaddress.ip_network(each) for each in block.get("except", []))
