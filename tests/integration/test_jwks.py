"""Key sets from files and servers, and whether somebody answers at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eventing.errors import Unavailable
from functions.adapters import jwks, knock
from tests.servers import free_port


@contextmanager
def serving(status: int, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> Iterator[str]:
    """The address of a server that answers everything so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (*headers, ("content-length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_key_set_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(b"{}")
    assert jwks.at(str(tmp_path / "keys.json"))() == b"{}"
    assert jwks.at(f"file://{tmp_path}/keys.json")() == b"{}"
    with pytest.raises(Unavailable, match="cannot be read"):
        jwks.at(str(tmp_path / "none.json"))()


def test_a_key_set_is_read_from_a_server() -> None:
    with serving(200, b"{}") as url:
        assert jwks.at(url)() == b"{}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_no_key_set_is_not_taken_for_one(status: int) -> None:
    elsewhere = (("location", "http://127.0.0.1:1/"),)
    with serving(status, b"{}", elsewhere) as url, pytest.raises(Unavailable, match=str(status)):
        jwks.at(url)()


def test_a_key_set_is_not_read_without_end() -> None:
    with (
        serving(200, b"x" * (jwks.MAX_BYTES + 1)) as url,
        pytest.raises(Unavailable, match="larger"),
    ):
        jwks.at(url)()


def test_nobody_there_is_unavailable() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(Unavailable):
        jwks.at(nowhere)()
    with pytest.raises(Unavailable):
        knock.at(nowhere)()


@pytest.mark.parametrize("status", [200, 404, 405, 500])
def test_whoever_answers_is_there_whatever_they_say(status: int) -> None:
    with serving(status, b"") as url:
        knock.at(url)()
