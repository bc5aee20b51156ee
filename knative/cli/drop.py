"""Putting a file where a runtime takes files from, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from functions.jobs import naming
from knative.cli.complaint import Complaint


def drop(
    source: Path, uploads: Path, *, tenant: str, name: str, options: Mapping[str, object]
) -> str:
    """The key of `source` beneath `uploads`, once it is there with its options beside it.

    Raises Complaint for a name that no source can have and for one that is taken.
    """
    key = f"{tenant}/{name}"
    if not naming.tenant_of("", key, {}) or "/" in tenant:
        raise Complaint(
            f"`{tenant}` is not a tenant's name. Use lower-case letters, digits and hyphens."
        )
    if not _is_name(name):
        raise Complaint(
            f"A file called `{name.encode(errors='replace').decode()}` would not be taken: hidden "
            "files, .json and unfinished downloads are left alone. Call it otherwise with --name."
        )
    target = uploads / key
    if target.exists():
        raise Complaint(
            f"There is a file {target} already. Give this one another name with --name."
        )
    # Hidden, so nobody takes it; in the same folder, so that the last step is one rename.
    staged = target.with_name(f".{name}.{os.getpid()}")
    sidecar = Path(naming.sidecar(str(target)))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, staged)
        if options:
            sidecar.write_text(json.dumps(dict(options)) + "\n")
        os.link(staged, target)
    except FileExistsError:
        raise Complaint(
            f"There is a file {target} already. Give this one another name with --name."
        ) from None
    except OSError as error:
        with suppress(OSError):
            sidecar.unlink()
        raise Complaint(
            f"The file cannot be put into {target.parent}: {error.strerror}. "
            "Check the folder and the space on its disk."
        ) from error
    finally:
        with suppress(OSError):
            staged.unlink()
    return key


def _is_name(name: str) -> bool:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return "/" not in name and "\0" not in name and length <= 200 and naming.is_source(name)
