"""Which methods a path has: RFC 9110, section 10.2.1, wants them all in `Allow`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path


class Allowed:
    """The paths of an application. A route of FastAPI knows its own methods alone."""

    def __init__(self, app: FastAPI) -> None:
        self._literal: dict[str, set[str]] = {}
        self._others: list[tuple[re.Pattern[str], set[str]]] = []
        for each in iter_route_contexts(app.routes):
            methods = set(each.methods or ())
            if each.path is None:
                continue
            if "{" in each.path:
                self._others.append((compile_path(each.path)[0], methods))
            else:
                self._literal.setdefault(each.path, set()).update(methods)

    def at(self, path: str) -> Sequence[str]:
        """In alphabetical order; none where there is nothing."""
        found = set(self._literal.get(path, ()))
        # What has a path of its own is no instance of another's.
        for pattern, methods in () if found else self._others:
            if pattern.match(path):
                found |= methods
        return sorted(found)
