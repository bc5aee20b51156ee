"""The folder of an embedded runtime, as commands beside it see it."""

from __future__ import annotations

import re
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
        if not (root / "work").is_dir() and not (root / "uploads").is_dir():
            raise Complaint(
                f"{root} is not the folder of a runtime: it has neither uploads nor work. "
                "Name the right one with --dir."
            )
        return cls(root.resolve())

    @property
    def home(self) -> Home:
        return Home(self.root)

    def store(self) -> ObjectStore:
        from functions.adapters.connect import object_store

        return object_store(str(self.root))

    def state(self) -> StateStore | None:
        """None while no runtime has made one."""
        if not self.home.state.is_file():
            return None
        from functions.adapters.connect import state_store

        return state_store(str(self.home.state))


def is_job(text: str) -> bool:
    """True if `text` is a whole job's id."""
    return _JOB.fullmatch(text) is not None


def job_ids(store: ObjectStore, prefix: str = "") -> Iterator[str]:
    """Every job whose id begins so, by id: one look at the listing a job."""
    beneath = f"{layout.WORK}/jobs/"
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
    from eventing.contract import ObjectCreated

    beneath = f"{layout.UPLOADS}/"
    for info in store.list(beneath):
        key = info.key[len(beneath) :]
        if not naming.is_source(key):
            continue
        with suppress(ValueError):  # of a name that cannot be told
            told = ObjectCreated(
                bucket=layout.UPLOADS, key=key, etag=info.etag, version=info.version
            )
            if told.job.startswith(prefix):
                yield told
