"""Where a runtime lets the outside in, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from knative.cli import checkup
from knative.local.launcher import open_to
from knative.local.listen import Listen

if TYPE_CHECKING:
    from knative.local.runtime import Runtime
    from knative.local.stores import Stores

PAGE: Final = Listen("127.0.0.1", 8080)
NOTIFICATIONS: Final = Listen("127.0.0.1", 8081)
OFF: Final = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    page: Listen | None
    notifications: Listen | None

    @classmethod
    def choose(cls, listen: str, notifications: str, *, on_s3: bool) -> Doors:
        """What `--listen` and `--notifications` mean. Raises ValueError for what is no address.

        The usual port where none is named, or a free one where somebody has that.
        """
        told = NOTIFICATIONS if on_s3 and not notifications else None
        if notifications not in ("", OFF):
            told = Listen.parse(notifications)
        if listen == OFF:
            return cls(page=None, notifications=told)
        return cls(page=Listen.parse(listen) if listen else _usual(), notifications=told)

    def words(self, runtime: Runtime, directory: Path, stores: Stores) -> Iterator[str]:
        """What somebody who started a runtime wants to know."""
        from functions.jobs import layout

        if stores.shared_objects:
            yield f"Working on the buckets of {stores.objects}. Ctrl-C ends."
        else:
            uploads = directory / layout.UPLOADS
            yield (f"Watching {uploads}/<tenant>/, for example {uploads / 'local'}/. Ctrl-C ends.")
        if runtime.page_url and self.page is not None:
            who = (
                "for everybody on this machine, without a key"
                if open_to(self.page)
                else "with a key: `kinora keys create`"
            )
            yield f"The page and REST are at {runtime.page_url}/, {who}."
            if (player := checkup.player()).advice:
                yield f"The page's player is {player.found}: {player.advice}"
        if runtime.notifications_url:
            yield (
                f"Notifications of buckets are taken at {runtime.notifications_url}/; their token "
                f"is KINORA_SOURCE_TOKEN, or in {runtime.home.secrets}."
            )

    def taken(self) -> str:
        """What to say where somebody has one of the addresses already."""
        asked = {"--listen": self.page, "--notifications": self.notifications}
        wanted = {
            option: f"{place.host}:{place.port}"
            for option, place in asked.items()
            if place is not None and place.port
        }
        return (
            f"Another program listens at {' or '.join(wanted.values())} already. "
            f"End it, or name another address with {' or '.join(wanted)}."
        )


def _usual() -> Listen:
    from knative.local.port import ReservedPort

    try:
        ReservedPort(address=PAGE.host, number=PAGE.port).release()
    except OSError:
        return Listen(PAGE.host, 0)
    return PAGE
