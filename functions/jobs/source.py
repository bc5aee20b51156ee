"""What the first bytes of a source decide: its container, or why it is refused."""

from __future__ import annotations

from functions.jobs.refusal import refuse
from functions.media.source import sniff


def container_of(head: bytes) -> sniff.Container:
    """The container of a source that starts with `head`, see `sniff.sniff`. Raises Rejected."""
    try:
        return sniff.sniff(head)
    except sniff.Playlist:
        raise refuse("source_is_playlist") from None
    except sniff.NotMedia as error:
        raise refuse("source_not_media", found=error.found, supported=sniff.SUPPORTED) from None
