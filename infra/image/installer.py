"""Write how this machine gets packages into FOLDER, as `pip` (a configuration) and `certificates`.

Both are empty where pip needs neither. They hold addresses and maybe passwords: they are for a
build's secrets, and for no layer.
"""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys
from pathlib import Path

IN_A_BUILD = "/run/secrets/certificates"
ABOUT_THE_WAY = {"index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries"}
FILES_BEFORE_ENVIRONMENT = ("global.", "install.", ":env:.")


def configured(listing: str) -> dict[str, str]:
    """Option → value of `pip config list`, the later of FILES_BEFORE_ENVIRONMENT winning."""
    found: dict[str, str] = {}
    for prefix in FILES_BEFORE_ENVIRONMENT:
        for line in listing.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(prefix):
                found[name.removeprefix(prefix)] = str(ast.literal_eval(value))
    return found


def main(folder: Path) -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    found = configured(listing)
    options = {name: value for name, value in found.items() if name in ABOUT_THE_WAY}
    bundle = found.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE", "")
    if bundle:
        options["cert"] = IN_A_BUILD
    written = configparser.RawConfigParser()
    written["global"] = options
    with (folder / "pip").open("w") as opened:
        if options:
            written.write(opened)
    (folder / "certificates").write_bytes(Path(bundle).read_bytes() if bundle else b"")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
