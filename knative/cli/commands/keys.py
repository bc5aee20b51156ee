"""`kinora keys`: who may use the gateway, and for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli import site
from knative.cli.command import AsJson, Command
from knative.cli.complaint import Complaint

if TYPE_CHECKING:
    from functions.jobs.apikey import ApiKey
    from functions.ports import ObjectStore

keys = typer.Typer(
    help="API keys for the gateway: create, list, revoke.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Tenant = Annotated[str, typer.Option("--tenant", "-t", help="Whose key it is.")]


def create(
    tenant: Tenant,
    name: Annotated[str, typer.Option("--name", help="What it is for, for people.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it may do; several times for several (default: all)."),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Days until it expires (default: never).")
    ] = None,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its hash is kept.

    It works at once, in every gateway over this store. KINORA_STORE names a store other than
    that of --dir.
    """
    import secrets
    import time

    from functions.jobs import apikey
    from knative.cli import output

    now_s = time.time()
    try:
        text, key = apikey.issue(
            tenant,
            id_bytes=secrets.token_bytes(apikey.ID_BYTES),
            secret=secrets.token_bytes(apikey.SECRET_BYTES),
            scopes=scope or apikey.SCOPES,  # type: ignore[arg-type] # checked there
            name=name,
            now_s=now_s,
            expires_s=None if days is None else now_s + days * 86400,
        )
    except ValueError as error:
        raise Complaint(f"It cannot be made: {error}.") from None
    apikey.keep(_store(directory), key)
    if as_json:
        output.write_json({"key": text, **_as_json(key, now_s)})
        return
    output.show(text)
    output.tell(f"Key {key.id} of {tenant}. It is shown this once; keep it in a safe place.")


def show(
    tenant: Tenant,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """List a tenant's keys, also those that were revoked or have expired."""
    import time

    from functions.jobs import apikey
    from knative.cli import output

    now_s = time.time()
    found = sorted(apikey.of_tenant(_store(directory), tenant), key=lambda key: key.created_s)
    if as_json:
        output.write_json([_as_json(key, now_s) for key in found])
    elif found:
        output.show(_table(found, now_s))
    else:
        output.tell(f"{tenant} has no keys. `kinora keys create --tenant {tenant}` makes one.")


def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as `list` shows it.")],
    tenant: Tenant,
    directory: site.Directory = site.DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Let a key, and the browsers that signed in with it, be good for nothing within seconds."""
    import time

    from functions.jobs import apikey
    from knative.cli import output

    now_s = time.time()
    try:
        found = apikey.revoke(_store(directory), tenant, key, now_s=now_s)
    except ValueError:
        found = None
    if found is None:
        raise Complaint(f"{tenant} has no key `{key}`. `kinora keys list` lists them.")
    if as_json:
        output.write_json(_as_json(found, now_s))
    else:
        output.show(f"Revoked {found.id}.")


for name, command in (("create", create), ("list", show), ("revoke", revoke)):
    keys.command(name, cls=Command)(command)


def _store(directory: Any) -> ObjectStore:
    import os

    from functions.adapters.connect import object_store

    if not (location := os.environ.get("KINORA_STORE")):
        return site.Site.open(directory).store()
    try:
        return object_store(location)
    except ValueError as error:
        raise Complaint(f"KINORA_STORE: {error}.") from None


def _state(key: ApiKey, now_s: float) -> str:
    if key.revoked_s is not None:
        return "revoked"
    return "expired" if key.is_expired(now_s) else "active"


def _as_json(key: ApiKey, now_s: float) -> dict[str, Any]:
    from eventing.cloudevent import timestamp

    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "state": _state(key, now_s),
        "scopes": list(key.scopes),
        "created": timestamp(key.created_s),
        "expires": None if key.expires_s is None else timestamp(key.expires_s),
        "revoked": None if key.revoked_s is None else timestamp(key.revoked_s),
    }


def _table(found: list[ApiKey], now_s: float) -> Any:
    from rich.table import Table
    from rich.text import Text

    from eventing.cloudevent import timestamp
    from knative.cli import wording

    table = Table(box=None, pad_edge=False)
    for heading in ("key", "state", "name", "scopes", "created", "expires"):
        table.add_column(heading, overflow="fold")
    for key in found:
        table.add_row(
            key.id,
            _state(key, now_s),
            Text(wording.plain(key.name)),
            " ".join(key.scopes),
            timestamp(key.created_s)[:10],
            "never" if key.expires_s is None else timestamp(key.expires_s)[:10],
        )
    return table
