"""`kinora evidence`: everything there is to read, in one archive, without secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from knative.cli import reach, site
from knative.cli.command import AsJson
from knative.cli.complaint import FAILED, Complaint

if TYPE_CHECKING:
    from knative.evidence.archive import Archived
    from knative.evidence.exhibit import Piece
    from knative.local.home import Home
    from knative.operating.cluster import Cluster


def evidence(
    job: Annotated[
        str, typer.Argument(metavar="[JOB]", help="A job's id, or its first digits.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", dir_okay=False, help="The archive; a new name here."),
    ] = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Of an installation in a cluster.")
    ] = False,
    context: reach.Context = "",
    namespace: reach.Namespace = reach.NAMESPACE,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Collect what there is to read into one archive.

    State, logs and events of an installation, and of a job its records, its history, what is parked
    and its report. Secrets are taken out: their values, and whatever looks like one. Look through
    it all the same before it goes to anybody: names of files and tenants are in it.
    """
    import time

    from knative.cli import output, wording

    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    file = out or Path(f"kinora-evidence-{stamp}.tar.gz")
    if not file.parent.is_dir():
        raise Complaint(f"There is no folder {file.parent}. Make it, or name another with --out.")
    if file.exists() and not file.is_file():
        # The archive takes the place of what is there: a device would be gone for everybody.
        raise Complaint(f"{file} is no file and is left alone. Name a new one with --out.")
    if cluster:
        archived = _of_cluster(file, job, context, namespace)
    else:
        archived = _of_runtime(file, job, directory)
    if not archived.files:
        raise Complaint("There is nothing to collect.", exit_code=FAILED, code="nothing")
    if as_json:
        output.write_json(
            {
                "archive": str(file),
                "size_bytes": archived.size_bytes,
                "files": list(archived.files),
                "gaps": [{"what": gap.what, "why": gap.why} for gap in archived.gaps],
            }
        )
        return
    output.show(str(file))
    output.tell(f"{len(archived.files)} files, {wording.size(archived.size_bytes)}.")
    for gap in archived.gaps:
        output.tell(f"Not in it: {gap.what}: {gap.why}")


def _of_runtime(file: Path, job: str, directory: Path) -> Archived:
    from functions.jobs import layout
    from knative.evidence import archive, records, runtime
    from knative.evidence.redaction import Redactor

    place = site.Site.open(directory)
    store = place.store()
    found = site.find_job(store, job) if job else ""

    def pieces() -> Iterator[Piece]:
        yield from _versions()
        yield from runtime.of_runtime(place.home, os.environ)
        yield from records.open_jobs(store)
        yield from records.parked(store)
        if found:
            yield from records.of_job(store, found)
            yield from records.one(store, layout.media(found, layout.REPORT), "job/report.json")
            yield from _deliveries(place.home, found)

    return archive.write(file, pieces(), Redactor(runtime.secrets(place.home, os.environ)))


def _deliveries(home: Home, job: str) -> Iterator[Piece]:
    """The job's events as the runtime's broker delivered them."""
    from knative.cli import eventtree
    from knative.evidence.exhibit import Exhibit, Gap
    from knative.local.broker.history import History

    try:
        nodes = eventtree.grow(History(home.events).of(job))
    except FileNotFoundError as error:
        yield Gap("job/events.json", str(error))
        return
    yield Exhibit.of_json("job/events.json", eventtree.as_json(nodes))


def _of_cluster(file: Path, job: str, context: str, namespace: str) -> Archived:
    from knative.evidence import archive
    from knative.evidence.redaction import Redactor
    from knative.operating import remains

    with reach.cluster(context) as cluster:
        secret = remains.secrets(cluster, namespace)
        return archive.write(file, _pieces(cluster, namespace, job), Redactor(secret))


def _pieces(cluster: Cluster, namespace: str, job: str) -> Iterator[Piece]:
    from eventing.errors import Unavailable
    from knative.evidence.exhibit import Gap
    from knative.operating import remains

    yield from _versions()
    yield from remains.everything(cluster, namespace)
    try:
        yield from _records(cluster, namespace, job)
    except Unavailable as error:
        if job:
            raise
        yield Gap("parked", error.reason)


def _records(cluster: Cluster, namespace: str, job: str) -> Iterator[Piece]:
    from functions.jobs import layout
    from knative.evidence import records
    from knative.operating import storage

    with storage.store(cluster, namespace) as store:
        found = site.find_job(store, job) if job else ""
        yield from records.open_jobs(store)
        yield from records.parked(store)
        if not found:
            return
        yield from records.of_job(store, found)
    with storage.store(cluster, namespace, storage.REPORTER) as outputs:
        yield from records.one(outputs, layout.media(found, layout.REPORT), f"job/{layout.REPORT}")


def _versions() -> Iterator[Piece]:
    import platform
    import time
    from importlib.metadata import version

    from eventing.cloudevent import timestamp
    from knative.evidence.exhibit import Exhibit

    facts = {
        "collected": timestamp(time.time()),
        "kinora": version("kinora"),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    yield Exhibit.of_json("about.json", facts)
