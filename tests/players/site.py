"""A page with a player, the players and streams, on one loopback address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

_HERE: Final = Path(__file__).parent
NPM: Final = _HERE / "node_modules"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
}

Change = Callable[[str, bytes], bytes | None]
"""What a file is served as, by its path within the folder; None: it is not there (yet)."""


@dataclass
class Site:
    """Serves each folder under its name."""

    base: str
    folders: dict[str, Path] = field(default_factory=lambda: {"page": _HERE, "npm": NPM})
    changes: dict[str, Change] = field(default_factory=dict)

    @property
    def page(self) -> str:
        return "/page/page.html"

    def add(self, name: str, folder: Path, change: Change | None = None) -> str:
        """Serve a folder; its address."""
        self.folders[name] = folder
        if change is not None:
            self.changes[name] = change
        return f"{self.base}/{name}"

    def read(self, path: str) -> bytes | None:
        _, name, *rest = PurePosixPath(path).parts or ("", "")
        if name not in self.folders or ".." in rest:
            return None
        file = self.folders[name].joinpath(*rest)
        if not file.is_file():
            return None
        data: bytes | None = file.read_bytes()
        if data is not None and name in self.changes:
            data = self.changes[name]("/".join(rest), data)
        return data


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Players hang up on what they do not need any more; anything else is missed by them."""


@contextmanager
def served() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            data = site.read(path)
            self.send_response(HTTPStatus.NOT_FOUND if data is None else HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(Path(path).suffix, "text/plain"))
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
