"""Writes docs/brokers.md: `python -m tests.delivery`."""

from __future__ import annotations

from tests.delivery.page import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
