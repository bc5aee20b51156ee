"""Runs a Python module in a process whose host names stand for what a file says.

    python names.py <module> [argument …]

KINORA_NAMES is a JSON file of `{"<name>": ["<address>", …]}`; each look-up of such a name gives
one of its addresses, any of them, as the file is in that moment. Other names are looked up as
ever. This is how a test changes what a name stands for, between two look-ups and in the middle.
"""

from __future__ import annotations

import json
import os
import random
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

_look_up = socket.getaddrinfo


def _rebound(host: Any, *others: Any, **named: Any) -> Any:
    names = json.loads(Path(os.environ["KINORA_NAMES"]).read_text())
    return _look_up(random.choice(names[host]) if host in names else host, *others, **named)


if __name__ == "__main__":
    socket.getaddrinfo = _rebound
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
