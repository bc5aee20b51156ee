"""Putting a file where a runtime takes files from, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from functions.jobs import layout, naming
from functions.ports import ObjectStore
from knative.cli.complaint import Complaint


def drop(
    source: Path, uploads: Path, *, tenant: str, name: str, options: Mapping[str, object]
) -> str:
    """The key of `source` beneath `uploads`, once it is there with its options beside it.

    Raises Complaint for a name that no source can have and for one that is taken.
    """
    key = _key(tenant, name)
    target = uploads / key
    if target.exists():
        raise _there(target)
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
        raise _there(target) from None
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


def put(
    source: Path, store: ObjectStore, *, tenant: str, name: str, options: Mapping[str, object]
) -> str:
    """The same in the bucket of `store` that uploads are in, where no half of an object is seen."""
    key = _key(tenant, name)
    target = f"{layout.UPLOADS}/{key}"
    if store.head(target) is not None:
        raise _there(target)
    if options:
        store.put(naming.sidecar(target), json.dumps(dict(options)).encode())
    if not store.create(target, source):
        raise _there(target)
    return key


def _key(tenant: str, name: str) -> str:
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
    return key


def _there(target: object) -> Complaint:
    return Complaint(f"There is a file {target} already. Give this one another name with --name.")


def _is_name(name: str) -> bool:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return False
    return "/" not in name and "\0" not in name and length <= 200 and naming.is_source(name)
