"""Amounts as Kubernetes writes them."""

from __future__ import annotations

from typing import Final

_FACTORS: Final = {
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


def quantity(said: str | int | float) -> float:
    """`100m`, `1Gi`, 2 in the plain unit: cores, bytes, pieces. Raises ValueError for no amount."""
    text = str(said)
    for suffix in (text[-2:], text[-1:]):
        if suffix in _FACTORS:
            return float(text.removesuffix(suffix)) * _FACTORS[suffix]
    return float(text)
