"""Names of the leases: who holds one saves others the work; correctness never rests on it."""

from __future__ import annotations

from typing import Final

WANTED: Final = "wanted"
"""Who holds the lease of a task's second attempt until an encoder takes it."""


def planning(job: str) -> str:
    """Held while somebody indexes the source and writes the next plan."""
    return f"plan:{job}"


def task(job: str, generation: int, task_id: str, copy: int = 0) -> str:
    """Held, and renewed, while an encoder works on the task; by two, where one takes too long."""
    return f"task:{job}/{generation}/{task_id}" + ("/copy" if copy else "")


def attempts(job: str, generation: int, task_id: str) -> tuple[str, str]:
    """The leases of a task: of its first attempt, and of a second one."""
    return task(job, generation, task_id), task(job, generation, task_id, 1)


def holder(worker: str, began_s: float, token: str) -> str:
    """An attempt at a task by a worker: no two have the same name."""
    return f"{worker}/{round(began_s * 1000):x}-{token}"


def worker_of(holder: str) -> str:
    """Whose attempt it is."""
    return holder.rpartition("/")[0] or holder


def began_s(holder: str) -> float | None:
    """POSIX time at which the attempt began, by its worker's clock; None where it does not say."""
    text, dash, _ = holder.rpartition("/")[2].partition("-")
    try:
        return int(text, 16) / 1000 if dash else None
    except ValueError:
        return None


def assembly(job: str) -> str:
    """Held while the manifests and the verdict of an encoded job are written."""
    return f"assemble:{job}"


def message(tenant: str, message_id: str) -> str:
    """Held while somebody delivers what is due of a message, so that nobody else does as well."""
    return f"message:{tenant}/{message_id}"


def line(tenant: str, endpoint: str, number: int) -> str:
    """One of the few deliveries that may be under way to an endpoint at a time."""
    return f"line:{tenant}/{endpoint}/{number}"


def breaker(tenant: str, endpoint: str) -> str:
    """Held for a while after an endpoint failed: nobody waits for it meanwhile."""
    return f"breaker:{tenant}/{endpoint}"


def moving(tenant: str, endpoint: str) -> str:
    """Held for a moment after a delivery to the endpoint began."""
    return f"moving:{tenant}/{endpoint}"


def proven(tenant: str, endpoint: str) -> str:
    """Held for a while after an endpoint took a delivery: it may get several at a time."""
    return f"proven:{tenant}/{endpoint}"


def uploading(upload: str) -> str:
    """Held, and renewed, while a request writes to the upload."""
    return f"upload:{upload}"


def upload_wanted(upload: str) -> str:
    """Held by who would write to an upload that a request holds: it may be one whose client has
    gone without a word."""
    return f"wanted:{upload}"
