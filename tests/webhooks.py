"""Endpoints as the gateway makes them, for tests of whoever delivers to them."""

from __future__ import annotations

from typing import Final

from functions.jobs import layout, record
from functions.jobs.seal import Seal
from functions.ports import ObjectStore
from functions.webhooks.endpoint import Endpoint, Secret, about

SEAL: Final = Seal((bytes(32),))
SECRET: Final = bytes(range(32))


def put_endpoint(
    store: ObjectStore, name: str, *events: str, tenant: str = "t1", seal: Seal = SEAL
) -> Endpoint:
    """An endpoint as the gateway makes one, with SECRET."""
    sealed = seal.seal(SECRET, about=about(tenant, name), nonce=bytes(12))
    endpoint = Endpoint(
        id=name,
        tenant=tenant,
        url=f"https://{name}.example/hook",
        events=events,
        secrets=(Secret(scheme="v1", sealed=sealed, created_s=0),),
    )
    store.put(layout.endpoint(tenant, name), record.dump(endpoint))
    return endpoint
