"""How a runtime starts processes of its Services: what each is told, and nothing besides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from knative.local import environment
from knative.local.home import Home
from knative.local.listen import Listen
from knative.local.port import ReservedPort
from knative.local.process import FunctionProcess, Launch, spawn
from knative.local.service import Service
from knative.local.stores import Stores

OPEN_TO: Final = "local"
"""The tenant of whoever reaches a gateway that listens on this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Starts processes for one runtime."""

    home: Home
    stores: Stores
    broker_url: str
    encoders: int
    secrets: Mapping[str, str]
    """By variable; a process gets those that its manifest names."""
    extra_env: Mapping[str, str] = field(default_factory=dict)

    def start(
        self, service: Service, count: int, *, port: ReservedPort | None = None
    ) -> FunctionProcess:
        """Start the n-th process of `service`, on `port` where one is given. See `spawn`."""
        name = f"{service.revision}-{count}"
        scratch = self.home.scratch / name
        own = {
            "K_SINK": self.broker_url,
            "KINORA_WORKER": name,
            "KINORA_SCRATCH": str(scratch),
            "KINORA_CONCURRENCY": str(service.container_concurrency or 8),
            "KINORA_TIMEOUT_S": str(service.timeout_s),
        }
        if port is not None:
            own |= _door(port)
        launch = Launch(
            name=name,
            command=service.command,
            env=environment.build(
                service,
                inherited={
                    variable: value
                    for variable, value in os.environ.items()
                    if variable not in self.secrets
                },
                shared={**self._shared(), **self._secrets_of(service), **self.extra_env},
                own=own,
            ),
            scratch=scratch,
            log=self.home.logs / f"{service.name}.log",
            ready_path=service.ready_path,
        )
        return spawn(launch, port=port)

    def _shared(self) -> dict[str, str]:
        account = {
            variable: value for variable, value in os.environ.items() if variable.startswith("AWS_")
        }
        return {
            "KINORA_STORE": self.home.objects_at(self.stores),
            "KINORA_STATE": self.home.state_at(self.stores),
            "KINORA_ENCODERS": str(self.encoders),
            # Only what works on a bucket has to do with the account at its service.
            **(account if self.stores.shared_objects else {}),
        }

    def _secrets_of(self, service: Service) -> dict[str, str]:
        return {
            variable: self.secrets[variable]
            for variable in service.secrets
            if variable in self.secrets
        }


def open_to(listen: Listen) -> str:
    """The tenant of whoever reaches a gateway there without a key, "" where everybody needs one.

    KINORA_OPEN_TO says who. Where it is not set, nobody needs one on an address of this machine's
    own, unless a name in KINORA_PUBLIC_URL says that others reach it by a proxy.
    """
    public = urlsplit(os.environ.get("KINORA_PUBLIC_URL", "")).hostname
    own = listen.is_loopback and (not public or Listen(public, 0).is_loopback)
    return os.environ.get("KINORA_OPEN_TO", OPEN_TO if own else "")


def _door(port: ReservedPort) -> dict[str, str]:
    """What lets a gateway listen there."""
    return {
        "KINORA_HOST": port.address,
        "KINORA_OPEN_TO": open_to(Listen(port.address, port.number)),
    }
