"""A port of this machine that leads into a pod through the API server."""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from kubernetes.client.exceptions import ApiException
from kubernetes.stream.ws_client import portforward_call

from eventing.errors import Unavailable
from knative.operating import kinds
from knative.operating.cluster import Cluster
from knative.operating.pod import Pod

if TYPE_CHECKING:
    from types import TracebackType

_PIECE_BYTES: Final = 65536


class Tunnel:
    """To one pod of a Service while it is entered. Raises Unavailable where none is ready."""

    def __init__(self, cluster: Cluster, namespace: str, service: str, port: int) -> None:
        self._cluster = cluster
        self._path = f"{kinds.POD.path(namespace, _pod(cluster, namespace, service))}/portforward"
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._open: list[socket.socket] = []

    @property
    def address(self) -> str:
        """Host and port on this machine."""
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Closing alone would not wake who waits for the next connection.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(near)
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        """Everything that either side says, until one has nothing more to say."""
        with near:
            try:
                configuration, headers = self._cluster.credentials()
                url = f"{configuration.host}{self._path}?ports={self._port}"
                forward: Any = portforward_call(  # type: ignore[no-untyped-call]
                    configuration, "GET", url, headers=headers
                )
            except ApiException:
                return  # the connection ends, as it does where nobody listens
            far = forward.socket(self._port)
            with suppress(OSError), selectors.DefaultSelector() as both:
                both.register(near, selectors.EVENT_READ, far)
                both.register(far.fileno(), selectors.EVENT_READ, near)
                while _passed(both, near, far):
                    pass
            far.close()


def _passed(both: selectors.BaseSelector, near: socket.socket, far: Any) -> bool:
    """Hands on what there is; False once a side has ended."""
    for key, _ in both.select():
        source, sink = (near, far) if key.fileobj is near else (far, near)
        piece = source.recv(_PIECE_BYTES)
        if not piece:
            return False
        sink.sendall(piece)
    return True


def _pod(cluster: Cluster, namespace: str, service: str) -> str:
    found = cluster.get(kinds.CORE_SERVICE, service, namespace)
    chosen = (found or {}).get("spec", {}).get("selector") or {}
    labels = ",".join(f"{name}={value}" for name, value in chosen.items())
    pods = cluster.list(kinds.POD, namespace, labels=labels) if labels else []
    for each in pods:
        if Pod.of(each).state == "ready":
            return str(each["metadata"]["name"])
    raise Unavailable(f"the Service {service} in {namespace} has no pod that is ready")
