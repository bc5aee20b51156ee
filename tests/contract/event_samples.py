"""One payload of every event, and the wire files that say how it looks under way."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eventing import codec
from eventing import contract as c
from eventing.cloudevent import CloudEvent
from eventing.envelope import wrap

JOB: Final = "0af7651916cd43dd8448eb211c80319c"
TIME: Final = "2026-11-21T08:30:00.125Z"
CAUSE: Final = "b7ad6b7169203331b7ad6b7169203331"

SAMPLES: Final[tuple[c.Event, ...]] = (
    c.ObjectCreated(
        bucket="uploads",
        key='acme/Prüfung 100 % "final".mp4',
        etag="9a0364b9e99bb480dd25e1f0284c8555",
        version="3",
        size_bytes=1_234_567,
    ),
    c.JobAccepted(job=JOB, tenant="acme"),
    c.SourcePrepared(job=JOB, generation=1),
    c.TaskReady(job=JOB, generation=2, task="v0003-b", accelerator="gpu", length="long"),
    c.TaskCompleted(job=JOB, generation=2, task="v0003-b"),
    c.TaskFailed(
        job=JOB,
        generation=2,
        task="a1",
        attempt=3,
        code="decode_failed",
        reason="The sound could not be decoded: no frame after 12 s. Export it again.",
        final=True,
    ),
    c.JobEncoded(job=JOB, generation=2),
    c.JobCompleted(
        job=JOB,
        tenant="acme",
        master=f"media/{JOB}/master.m3u8",
        manifest=f"media/{JOB}/manifest.mpd",
        report=f"media/{JOB}/report.json",
    ),
    c.JobRejected(job=JOB, tenant="acme", code="source_empty", reason="The file is empty."),
    c.JobFailed(job=JOB, tenant="acme", code="deadline", reason="No result within 24 h."),
    c.JobCancelled(job=JOB, tenant="acme", reason="Cancelled by request."),
    c.WebhookDue(tenant="acme", message=JOB, due_ms=1_800_000_000_000),
)

FOLDER: Final = Path(__file__).parent / "events"
MODES: Final[tuple[codec.Mode, ...]] = ("binary", "structured")


def event_of(payload: c.Event) -> CloudEvent:
    return wrap(payload, producer="sample", time=TIME, cause=CAUSE)


def wire_file(payload: c.Event, mode: codec.Mode) -> Path:
    return FOLDER / f"{payload.type.removeprefix('dev.kinora.')}.{mode}.http"


def to_wire(message: codec.Message) -> bytes:
    """As in HTTP/1.1: a header a line, an empty line, the body; lines end in LF here."""
    head = "".join(f"{name}: {value}\n" for name, value in message.headers.items())
    return head.encode("ascii") + b"\n" + message.body


def from_wire(wire: bytes) -> codec.Message:
    head, _, body = wire.partition(b"\n\n")
    lines = head.decode("ascii").splitlines()
    return codec.Message(dict(line.split(": ", 1) for line in lines), body)
