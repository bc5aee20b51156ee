"""Names of the leases: who holds one saves others the work; correctness never rests on it."""

from __future__ import annotations


def planning(job: str) -> str:
    """Held while somebody indexes the source and writes the next plan."""
    return f"plan:{job}"


def task(job: str, generation: int, task_id: str) -> str:
    """Held, and renewed, while an encoder works on the task."""
    return f"task:{job}/{generation}/{task_id}"


def assembly(job: str) -> str:
    """Held while the manifests and the verdict of an encoded job are written."""
    return f"assemble:{job}"
