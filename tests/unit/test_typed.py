from __future__ import annotations

import subprocess
import sys

# Many threads meet a type that msgspec does not know yet; each process can show it only once.
RACE = """
import sys
import threading
from dataclasses import make_dataclass
from typing import Annotated

import msgspec

from eventing.typed import ready

sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
fields = {f"field{n}": Annotated[int, msgspec.Meta(ge=0)] for n in range(40)}
text = msgspec.json.encode(dict.fromkeys(fields, 1))
wrong = []


def use(kind):
    together.wait()
    try:
        msgspec.json.decode(text, type=ready(kind))
    except Exception as error:
        wrong.append(error)


for n in range(30):
    kind = make_dataclass(f"Kind{n}", fields.items(), frozen=True)
    if n % 2:
        kind = msgspec.defstruct(f"Kind{n}", fields.items(), frozen=True)
    threads = [threading.Thread(target=use, args=(kind,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
sys.exit(f"{wrong}" if wrong else 0)
"""


def test_threads_that_meet_a_new_type_at_once_all_decode_it() -> None:
    for _ in range(3):
        ran = subprocess.run([sys.executable, "-c", RACE], capture_output=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
