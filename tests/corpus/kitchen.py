"""Where the corpus is made: clips, a film that nobody may read, an address that nobody may ask."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.corpus.bases import Bases

SECRET: Final = b"only the owner of this film may see it"


@dataclass(frozen=True)
class Kitchen:
    bases: Bases
    _listener: socket.socket
    secret: bytes = SECRET

    def asked(self) -> list[str]:
        """A complaint if anybody connected since the last call."""
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            return []
        connection.close()
        return ["somebody asked at the address in a file"]


@contextmanager
def kitchen(folder: Path) -> Iterator[Kitchen]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        bases = Bases(folder, port=listener.getsockname()[1])
        # A film, so that whoever opens it can copy it; the words lie in a packet of no stream.
        packet = b"\x47\x1f\xff\x10" + SECRET
        bases.secret.write_bytes(bases.ts + packet.ljust(188, b"\xff"))
        yield Kitchen(bases, listener)
