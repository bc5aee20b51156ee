"""The folder of an embedded runtime, as commands beside it see it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from functions.jobs import layout, naming
from knative.cli.complaint import Complaint
from knative.local.home import Home

if TYPE_CHECKING:
    from eventing.contract import ObjectCreated
    from functions.ports import ObjectStore, StateStore
    from knative.local.stores import Stores

DEFAULT: Final = Path("kinora-data")

Directory = Annotated[
    Path,
    typer.Option(
        "--dir",
        envvar="KINORA_DIR",
        file_okay=False,
        help="Folder of the runtime: uploads, work and media lie in it.",
    ),
]

_JOB: Final = re.compile(r"[0-9a-f]{32}")
_RECENT_S: Final = 3600.0
"""What was uploaded before that has a job, or is none; clocks may differ by a part of it."""
_PREFIX: Final = re.compile(r"[0-9a-f]{1,32}")


class NotBegun(Complaint):
    """The job's file lies in the uploads and was not taken yet."""

    def __init__(self, told: ObjectCreated) -> None:
        super().__init__(
            f"The job {told.job} has not begun: its file lies in the uploads, where a running "
            "runtime takes it within seconds. Try again; `kinora watch` waits for it."
        )
        self.told = told


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything of one runtime lies."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> Site:
        """Raises Complaint where no runtime has ever been."""
        if not root.is_dir():
            raise Complaint(
                f"There is no folder {root}. Start a runtime with `kinora up --dir {root}`, "
                "or name its folder with --dir."
            )
        if not any((root / name).is_dir() for name in ("work", "uploads", "runtime")):
            raise Complaint(
                f"{root} is not the folder of a runtime: it has neither uploads nor work. "
                "Name the right one with --dir."
            )
        return cls(root.resolve())

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def media(self) -> str:
        """Where streams are, as people find them."""
        stores = self.home.stores
        if not stores.shared_objects:
            return str(self.root / layout.MEDIA)
        from functions.adapters.s3.account import Buckets

        return f"s3://{Buckets.at(stores.objects).real(layout.MEDIA)}"

    def starts(self, directory: Path) -> str:
        """What starts a runtime on the same objects again; `directory` as it was typed."""
        stores = self.home.stores
        return f"kinora up --dir {directory}" + (
            f" --store {stores.objects}" if stores.shared_objects else ""
        )

    def store(self) -> ObjectStore:
        return self.objects_of(self.home.stores)

    def state(self) -> StateStore | None:
        """None while no runtime has made one."""
        stores = self.home.stores
        if not stores.shared_state and not self.home.state.is_file():
            return None
        return self.state_of(stores)

    def objects_of(self, stores: Stores) -> ObjectStore:
        """Raises Complaint for an address, or an account in the environment, that is of no use."""
        from functions.adapters.connect import object_store

        try:
            return object_store(self.home.objects_at(stores))
        except ValueError as error:
            raise Complaint(f"The objects cannot be reached: {error}.") from None

    def state_of(self, stores: Stores) -> StateStore:
        """Raises Complaint for an address that is of no use."""
        from functions.adapters.connect import state_store

        try:
            return state_store(self.home.state_at(stores))
        except ValueError as error:
            raise Complaint(f"The state cannot be reached: {error}.") from None


def is_job(text: str) -> bool:
    """True if `text` is a whole job's id."""
    return _JOB.fullmatch(text) is not None


def job_ids(store: ObjectStore, prefix: str = "") -> Iterator[str]:
    """Every job whose id begins so, by id: one look at the listing a job."""
    beneath = layout.JOBS_PREFIX
    after = ""
    while True:
        found = next(store.list(beneath + prefix, after=after), None)
        if found is None:
            return
        job = found.key[len(beneath) :].partition("/")[0]
        if is_job(job):
            yield job
        after = f"{beneath}{job}/\U0010ffff"


def find_job(store: ObjectStore, wanted: str) -> str:
    """The one job whose id begins with `wanted`. Raises Complaint for none and for several,
    and NotBegun for one that is to come."""
    prefix = wanted.lower()
    if not _PREFIX.fullmatch(prefix):
        raise Complaint(
            f"`{wanted}` is not a job's id: 32 hex digits, or the first few of them. "
            "`kinora jobs` lists the jobs."
        )
    found = []
    for job in job_ids(store, prefix):
        found.append(job)
        if len(found) > 1:
            raise Complaint(
                f"`{wanted}` begins more than one job's id ({found[0][:12]}…, {found[1][:12]}…). "
                "Type more digits of it."
            )
    if found:
        return found[0]
    if (told := next(_waiting(store, prefix), None)) is not None:
        raise NotBegun(told)
    raise Complaint(f"There is no job `{wanted}` here. `kinora jobs` lists the jobs.")


def _waiting(store: ObjectStore, prefix: str) -> Iterator[ObjectCreated]:
    """What is told of each upload that becomes a job whose id begins so."""
    from functions.jobs.manifest import SourceObject

    beneath = f"{layout.UPLOADS}/"
    recent_s = time.time() - _RECENT_S
    for listed in store.list(beneath):
        key = listed.key[len(beneath) :]
        if not naming.is_source(key):
            continue
        # The version makes the job's id, where there are any, and no listing tells it.
        info = store.head(listed.key) if listed.modified_s > recent_s else listed
        if info is None:
            continue
        with suppress(ValueError):  # of a name that cannot be told
            told = SourceObject.of(info).created
            if told.job.startswith(prefix):
                yield told
