"""What has to be true of everything that an installation consists of.

A rule takes the objects of an installation and yields a sentence for each that breaks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Objects = tuple[Any, ...]
Rule = Callable[[Objects], Iterator[str]]


def name_of(found: Any) -> str:
    """`<kind>/<name>`."""
    return f"{found['kind']}/{found['metadata']['name']}"


def named(found: Iterable[Any], kind: str, name: str, group: str = "") -> bool:
    """True where such an object is among them."""
    return any(
        each["kind"] == kind
        and each["metadata"]["name"] == name
        and each["apiVersion"].startswith(group)
        for each in found
    )
