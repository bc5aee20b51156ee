"""One measured figure beside its limit."""

from __future__ import annotations

from typing import Any


def at_most(figure: str, measured: float, limit: float) -> dict[str, Any]:
    return {
        "figure": figure,
        "measured": measured,
        "limit": f"≤ {limit:g}",
        "holds": measured <= limit,
    }


def at_least(figure: str, measured: float, limit: float) -> dict[str, Any]:
    return {
        "figure": figure,
        "measured": measured,
        "limit": f"≥ {limit:g}",
        "holds": measured >= limit,
    }


def plain(figure: str, measured: float | str) -> dict[str, Any]:
    """A figure without a limit, to be read beside the others."""
    return {"figure": figure, "measured": measured}
