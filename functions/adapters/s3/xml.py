"""The XML that S3 takes and answers; its names are in a namespace, or in none, by service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from eventing.errors import Unavailable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def parsed(body: bytes, name: str) -> Element:
    """A document of this name. Raises Unavailable for anything else: it is not S3 that answers."""
    # Most functions only read and write objects, and start sooner without it.
    from xml.etree import ElementTree

    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        root = ElementTree.Element("")
    if root.tag.rpartition("}")[2] != name:
        raise Unavailable(
            f"what is taken for an S3 service answers with something else than {name}"
        )
    return root


def completion(parts: Iterable[tuple[int, str]]) -> bytes:
    """Says of which parts an object is made, by number and etag."""
    from xml.sax.saxutils import escape

    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
        for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def text(node: Element, name: str) -> str:
    """What is in the child called `name`, "" where there is none."""
    return node.findtext(f"{{*}}{name}") or ""
