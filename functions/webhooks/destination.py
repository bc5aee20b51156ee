"""Where deliveries may go: judges a URL, and every address that its host name stands for. Pure.

The same at registration and at every attempt. What is refused gets a sentence that says why; it
stands in the answer and in the delivery log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

URL_CHARS: Final = 2048
_PORTS: Final = {"http": 80, "https": 443}

_URL: Final = re.compile(
    r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)"
    r"(?P<fragment>#.*)?"
)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]*))?")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")

# RFC 6890 and its successors, IANA's registries of special-purpose addresses; what `is_global` of
# this Python's `ipaddress` knows is asked besides.
_NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "192.0.0.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # Teredo, ORCHID and others
        "2002::/16",  # 6to4 carries any IPv4 address
        "3fff::/20",
    )
)
_CARRIER_NAT: Final = IPv4Network("100.64.0.0/10")
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: how an IPv4 address is written where there is no IPv4."""


class Forbidden(Exception):
    """Nothing is delivered there; the message is a sentence for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL taken apart."""

    scheme: str
    host: str
    """Lower-case name or address, without the brackets of IPv6."""
    port: int
    target: str
    """Path and query, at least `/`."""

    @property
    def authority(self) -> str:
        """What stands in the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """In one way of writing it."""
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """What an operator lets through besides public addresses by https."""

    networks: tuple[Network, ...] = ()
    """KINORA_WEBHOOK_ALLOW: networks (`10.1.0.0/16`) and host names, separated by commas, to which
    webhooks go although they are private, and by http as well. Default: none."""
    hosts: frozenset[str] = frozenset()

    @classmethod
    def read(cls, env: Mapping[str, str]) -> AllowList:
        """Raises ValueError for what is neither a network nor a name."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for given in (env.get("KINORA_WEBHOOK_ALLOW") or "").split(","):
            text = given.strip().lower()
            if not text:
                continue
            try:
                networks.append(ip_network(text))
            except ValueError:
                if not _is_name(text):
                    raise ValueError(
                        "KINORA_WEBHOOK_ALLOW names networks (10.1.0.0/16) and hosts, not"
                        f" {given.strip()!r}"
                    ) from None
                hosts.add(text)
        return cls(networks=tuple(networks), hosts=frozenset(hosts))

    def choose(self, destination: Destination, addresses: Sequence[str]) -> tuple[str, ...]:
        """The addresses to connect to: all of them, or Forbidden because of any of them."""
        if not addresses:
            raise Forbidden(f"The host name {destination.host} has no address.")
        named = destination.host in self.hosts
        for text in addresses:
            address = _address(text)
            inside = named or any(address in network for network in self.networks)
            if inside:
                continue
            if why := _not_public(address):
                meant = f"stands for {text}, which is" if destination.host != text else "is"
                raise Forbidden(
                    f"{destination.host} {meant} {why}: nothing is delivered"
                    " there unless an operator allows it (KINORA_WEBHOOK_ALLOW)."
                )
            if destination.scheme == "http":
                raise Forbidden(
                    "Deliveries go by https; http is for hosts and networks that an operator"
                    " allows (KINORA_WEBHOOK_ALLOW)."
                )
        return tuple(addresses)


def parse(url: str) -> Destination:
    """The URL taken apart. Raises Forbidden for what is no URL that anything is delivered to."""
    if len(url) > URL_CHARS:
        raise Forbidden(f"The URL is longer than {URL_CHARS} characters.")
    if not all("!" <= char <= "~" for char in url) or "\\" in url:
        raise Forbidden(
            "The URL has characters that no URL may have: write them percent-encoded, and names in"
            " other scripts as xn--…"
        )
    match = _URL.fullmatch(url)
    if match is None or match["scheme"].lower() not in ("http", "https"):
        raise Forbidden("The URL does not begin with https://.")
    if "@" in match["authority"]:
        raise Forbidden("The URL holds a user name or a password, which would be logged.")
    if match["fragment"] is not None:
        raise Forbidden("The URL has a fragment (#…), which is never sent.")
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise Forbidden("The URL has no host name that can be read.")
    scheme = match["scheme"].lower()
    target = match["target"]
    return Destination(
        scheme=scheme,
        host=_host(authority["host"].lower()),
        port=_port(authority["port"], scheme),
        target=target if target.startswith("/") else f"/{target}",
    )


def _host(host: str) -> str:
    if host.startswith("["):
        try:
            if "%" in host:
                raise ValueError("a zone is of one machine alone")
            return str(IPv6Address(host[1:-1]))
        except ValueError:
            raise Forbidden(f"{host} is no IPv6 address.") from None
    if not host:
        raise Forbidden("The URL has no host name.")
    try:
        return str(IPv4Address(host))
    except ValueError:
        pass
    if host.endswith("."):
        raise Forbidden("The host name ends with a dot: write it without.")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        # Some resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for addresses, others do not.
        raise Forbidden(f"{host} is no host name: an address is written as four decimal numbers.")
    if not _is_name(host):
        raise Forbidden(f"{host} is no host name.")
    return host


def _is_name(host: str) -> bool:
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.split("."))


def _port(text: str | None, scheme: str) -> int:
    if not text:
        return _PORTS[scheme]
    port = int(text[:6])
    if not 1 <= port <= 65535:
        raise Forbidden(f"There is no port {text[:6]}.")
    return port


def _address(text: str) -> Address:
    """The address meant: one of IPv4 that is written as IPv6 is judged as what it is."""
    # A resolver may add the zone of a link-local address; such a one is refused in any case.
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _not_public(address: Address) -> str:
    """What it is instead, "" for an address that anybody on the internet may have."""
    if address.is_loopback:
        return "this machine itself"
    if address.is_link_local:
        return "an address of the local link"
    if address.is_multicast:
        return "an address of many"
    if address.is_unspecified:
        return "no address"
    if address.is_private or address in _CARRIER_NAT:
        return "a private address"
    special = any(address in network for network in _NOT_PUBLIC)
    elsewhere = isinstance(address, IPv6Address) and address not in _PUBLIC_6
    if special or elsewhere or not address.is_global:
        return "not a public address"
    return ""
