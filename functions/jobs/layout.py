"""Where everything lies in the object store: the one place that spells keys.

The first segment of a key names the bucket: `uploads`, `work` or `media`.
"""

from __future__ import annotations

from typing import Final

from functions.media.encoding.rendition import PLAYLIST

UPLOADS: Final = "uploads"
WORK: Final = "work"
MEDIA: Final = "media"
BUCKETS: Final = (MEDIA, UPLOADS, WORK)
"""Ours, in the order of their names. Others (KINORA_TENANTS) hold sources like `uploads`."""

_LATEST_MS: Final = 10**15 - 1

JOBS_PREFIX: Final = f"{WORK}/jobs/"
READY: Final = f"{WORK}/ready"
"""Nothing is there: whoever asks for it knows that the store answers."""
OPEN_PREFIX: Final = f"{WORK}/open/"
PARKED_PREFIX: Final = f"{WORK}/parked/"
RATES: Final = f"{WORK}/rates.json"
"""What jobs found work to cost."""


def open_marker(job: str) -> str:
    """Exists while the job has no verdict that somebody was told of: what a sweep looks at."""
    return f"{OPEN_PREFIX}{job}"


def records_prefix(job: str) -> str:
    """What the key of every record of a job starts with: copies, failures, manifest, plans,
    receipts and verdict, in this order."""
    return f"{JOBS_PREFIX}{job}/"


def manifest(job: str) -> str:
    return f"{records_prefix(job)}job.json"


def plan(job: str, generation: int) -> str:
    return f"{plans_prefix(job)}{generation}.json"


def plans_prefix(job: str) -> str:
    """What the key of every generation's plan starts with; the generation and `.json` follow."""
    return f"{records_prefix(job)}plan-"


def receipts_prefix(job: str, generation: int) -> str:
    return f"{records_prefix(job)}receipts/{generation}/"


def receipt(job: str, generation: int, task: str) -> str:
    return f"{receipts_prefix(job, generation)}{task}"


def failures_prefix(job: str, generation: int, task: str) -> str:
    return f"{records_prefix(job)}failures/{generation}/{task}/"


def failure(job: str, generation: int, task: str, attempt: int) -> str:
    return f"{failures_prefix(job, generation, task)}{attempt}"


def copy(job: str, generation: int, task: str) -> str:
    """A task that was issued a second time, while its first attempt went on."""
    return f"{records_prefix(job)}copies/{generation}/{task}"


def verdict(job: str) -> str:
    return f"{records_prefix(job)}verdict.json"


def index(source: str) -> str:
    """The packet index of a source object, shared by every job that reads it."""
    return f"{WORK}/sources/{source}/index"


def mezzanine(source: str) -> str:
    return f"{WORK}/sources/{source}/mezzanine"


def parked(job: str, event: str) -> str:
    """An event that could not be delivered; `job` is `none` where the event names none."""
    return f"{PARKED_PREFIX}{job or 'none'}/{event}"


def sweep(bucket: str) -> str:
    """How far the sweeper has looked through a bucket that is too large for one tick."""
    return f"{WORK}/sweeps/{bucket}"


def tenant_jobs_prefix(tenant: str) -> str:
    return f"{WORK}/tenants/{tenant}/jobs/"


def tenant_job(tenant: str, accepted_s: float, job: str) -> str:
    """Empty, one for every job of a tenant: how its jobs are listed, the newest first.

    Beside the manifest, by whoever accepts the job; the first digits count down."""
    return f"{tenant_jobs_prefix(tenant)}{_LATEST_MS - round(accepted_s * 1000):015d}-{job}"


def keys_prefix(tenant: str) -> str:
    return f"{WORK}/tenants/{tenant}/keys/"


def key(tenant: str, key_id: str) -> str:
    """An API key: hashed, with its scopes."""
    return f"{keys_prefix(tenant)}{key_id}"


def endpoints_prefix(tenant: str) -> str:
    return f"{WORK}/tenants/{tenant}/endpoints/"


def endpoint(tenant: str, endpoint_id: str) -> str:
    return f"{endpoints_prefix(tenant)}{endpoint_id}"


def outbox_prefix(tenant: str) -> str:
    return f"{WORK}/tenants/{tenant}/outbox/"


def outbox(tenant: str, message: str) -> str:
    """A message to a tenant's endpoints, and how far its deliveries are."""
    return f"{outbox_prefix(tenant)}{message}"


def attempts_prefix(tenant: str, endpoint_id: str) -> str:
    """The delivery log of an endpoint."""
    return f"{WORK}/tenants/{tenant}/attempts/{endpoint_id}/"


def attempt(tenant: str, endpoint_id: str, at_s: float, name: str) -> str:
    """An entry of that log; the first digits count down, so that the newest is listed first."""
    return f"{attempts_prefix(tenant, endpoint_id)}{_LATEST_MS - round(at_s * 1000):015d}-{name}"


DUE_PREFIX: Final = f"{WORK}/due/"


def due(due_ms: int, tenant: str, message: str) -> str:
    """Empty; says that deliveries of a message are due: a sweep lists no further than now."""
    return f"{DUE_PREFIX}{due_ms:015d}/{tenant}/{message}"


UPLOADING_PREFIX: Final = f"{WORK}/uploading/"


def uploading(tenant: str, upload: str) -> str:
    """An upload by the gateway that is not complete."""
    return f"{UPLOADING_PREFIX}{tenant}/{upload}"


TAILS_PREFIX: Final = f"{WORK}/tails/"


def tails_prefix(tenant: str, upload: str) -> str:
    """Bytes of an upload that are too few for a part."""
    return f"{TAILS_PREFIX}{tenant}/{upload}/"


def tail(tenant: str, upload: str, name: str) -> str:
    return f"{tails_prefix(tenant, upload)}{name}"


def uploaded_prefix(tenant: str, upload: str) -> str:
    """Where the object of an upload by the gateway is, and its sidecar: nothing else is there."""
    return f"{UPLOADS}/{tenant}/{upload}/"


def idempotency(tenant: str, key_sha256: str) -> str:
    """What a request with this Idempotency-Key was answered."""
    return f"{WORK}/tenants/{tenant}/idempotency/{key_sha256}"


def media(job: str, name: str) -> str:
    """An output beside the manifests: `master.m3u8`, `720p/playlist.m3u8`, `report.json` …"""
    return f"{MEDIA}/{job}/{name}"


def init_segment(job: str, rendition: str, sha256: str) -> str:
    return media(job, f"{rendition}/init-{sha256[:16]}.mp4")


def media_segment(job: str, rendition: str, number: int, sha256: str) -> str:
    """Carries its content's hash: attempts that race never overwrite each other."""
    return media(job, f"{rendition}/{number:05d}-{sha256[:16]}.m4s")


def media_playlist(job: str, rendition: str) -> str:
    return media(job, f"{rendition}/{PLAYLIST}")


def progressive(job: str, sha256: str) -> str:
    """The one MP4 of a job that asked for it; it carries its content's hash, like a segment."""
    return media(job, f"progressive-{sha256[:16]}.mp4")


MASTER: Final = "master.m3u8"
EARLY_MASTER: Final = "early.m3u8"
MANIFEST: Final = "manifest.mpd"
REPORT: Final = "report.json"
