"""Figures as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.media.cutting.timeline import Timeline


def size(size_bytes: int) -> str:
    """`734 B`, `1.2 MB`: decimal, as players and disks count."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def span(duration_s: float) -> str:
    """`0.4 s`, `12 s`, `3:05`, `1:02:09`."""
    if duration_s < 10:
        return f"{duration_s:.1f} s"
    whole = round(duration_s)
    if whole < 60:
        return f"{whole} s"
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def bitrate(bits_per_s: float) -> str:
    """`128 kb/s`, `4.5 Mb/s`."""
    if bits_per_s < 1_000_000:
        return f"{bits_per_s / 1000:.0f} kb/s"
    return f"{bits_per_s / 1_000_000:.1f} Mb/s"


def rate(line: Timeline) -> str:
    """`23.976`, or `about 24.2` where frames keep times of their own."""
    return "about " * line.variable + f"{float(line.rate):.6g}"


def count(number: int) -> str:
    return f"{number:,}"


def short(job: str) -> str:
    """The part of a job's id that people type: twelve digits never meet in practice."""
    return job[:12]


def plain(text: str) -> str:
    """Text from a file's name or tags without what a terminal would act on."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
