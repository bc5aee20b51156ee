"""A connection to a cluster's API server. Objects go in and come out as JSON has them.

Every method raises Unavailable when the server cannot be reached, and Refused when it says no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast
from urllib.parse import urlencode

import urllib3
from kubernetes import client

from eventing.errors import Unavailable
from knative.operating import kubeconfig
from knative.operating.kinds import POD, Kind
from knative.operating.refused import Refused

FIELD_MANAGER: Final = "kinora"
"""Who owns the fields that we apply."""
_TIMEOUT_S: Final = 30.0
_PAGE: Final = 500

Object = dict[str, Any]


class Cluster:
    """One API server, in somebody's name."""

    def __init__(self, configuration: Any, context: str = "") -> None:
        self.context = context
        """The context's name in the kubeconfig, "" within a cluster."""
        self._api = client.ApiClient(configuration)
        self._kinds: dict[str, list[Object]] = {}

    @classmethod
    def connect(cls, context: str = "") -> Cluster:
        """By KUBECONFIG or ~/.kube/config, in this context or the current one; else as a pod.

        Raises NotConnected where neither says how. Asks the server nothing.
        """
        return cls(*kubeconfig.read(context))

    @property
    def server(self) -> str:
        """The API server's address, without a name and password in it."""
        return re.sub(r"//[^/@]*@", "//", str(self._api.configuration.host))

    def version(self) -> str:
        """Kubernetes' own, like `v1.34.4`."""
        return str(self._ask("GET", "/version", has="gitVersion")["gitVersion"])

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        """None where there is none of the name, or no such kind in this cluster."""
        try:
            return self._ask("GET", kind.path(namespace, name))
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def list(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All of a namespace, or of all; none where the cluster has no such kind.

        `labels` and `fields` are selectors as `kubectl get -l` takes them.
        """
        found: list[Object] = []
        query = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
        while True:
            try:
                page = self._ask("GET", kind.path(namespace), query, has="items")
            except Refused as refused:
                if refused.status == 404:
                    return []
                raise
            for item in page["items"]:
                # Lists leave out what each of their items is.
                found.append({"apiVersion": kind.api, "kind": kind.name, **item})
            if not (rest := page["metadata"].get("continue")):
                return found
            query["continue"] = rest

    def kind_of(self, manifest: Mapping[str, Any]) -> Kind | None:
        """The kind of a manifest, None where the cluster does not know it."""
        api = str(manifest["apiVersion"])
        if api not in self._kinds:
            try:
                at = f"/apis/{api}" if "/" in api else f"/api/{api}"
                known = self._ask("GET", at, has="resources")
                self._kinds[api] = known["resources"]
            except Refused as refused:
                if refused.status != 404:
                    raise
                return None  # not remembered: it may come with what is applied next
        for each in self._kinds[api]:
            if each["kind"] == manifest["kind"] and "/" not in each["name"]:
                return Kind(api, each["kind"], each["name"], each["namespaced"])
        self._kinds.pop(api)
        return None

    def apply(self, manifest: Object, *, dry: bool = False) -> Object:
        """Server-side apply: fields that we set become so, others stay. What it is now.

        With `dry` the server judges it, webhooks and all, and keeps nothing.
        """
        kind = self.kind_of(manifest)
        if kind is None:
            raise Refused(404, "NotFound", f"the cluster knows no {manifest['kind']}", "")
        meta = manifest["metadata"]
        query = {"fieldManager": FIELD_MANAGER, "force": "true", "dryRun": "All" if dry else ""}
        return self._ask(
            "PATCH",
            kind.path(meta.get("namespace", ""), meta["name"]),
            query,
            manifest,
            "application/apply-patch+yaml",
        )

    def create(self, kind: Kind, manifest: Object, namespace: str = "") -> Object:
        """Refused with status 409 where there is one already."""
        return self._ask("POST", kind.path(namespace), {"fieldManager": FIELD_MANAGER}, manifest)

    def patch(
        self, kind: Kind, name: str, change: Mapping[str, Any], namespace: str = ""
    ) -> Object:
        """Merge `change` into it (RFC 7396: null removes)."""
        path = kind.path(namespace, name)
        query = {"fieldManager": FIELD_MANAGER}
        return self._ask("PATCH", path, query, change, "application/merge-patch+json")

    def delete(self, kind: Kind, name: str, namespace: str = "") -> bool:
        """Begins to delete it, and what it owns first. False where there is none."""
        try:
            owned_first = {"propagationPolicy": "Foreground"}
            self._ask("DELETE", kind.path(namespace, name), owned_first)
        except Refused as refused:
            if refused.status == 404:
                return False
            raise
        return True

    def log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        lines: int = 0,
        timestamps: bool = False,
    ) -> str:
        """What a container wrote, its last `lines` or all; "" where there is nothing to read.

        `previous` is the one that ran before it, in the same pod.
        """
        query = {
            "container": container,
            "previous": "true" if previous else "",
            "tailLines": str(lines) if lines else "",
            "timestamps": "true" if timestamps else "",
        }
        try:
            with self._answered("GET", f"{POD.path(namespace, pod)}/log", query) as answer:
                return str(answer.data.decode(errors="replace"))
        except Refused as refused:
            if refused.status in (400, 404):  # not started, or gone
                return ""
            raise

    def post_to(
        self,
        namespace: str,
        service: str,
        port: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
    ) -> tuple[int, bytes]:
        """Post to a Service through the API server, which reaches it where we do not.

        The status and body of whoever answered: also the API server itself, where it could not.
        """
        at = f"/api/v1/namespaces/{namespace}/services/http:{service}:{port}/proxy{path}"
        answer = self._send("POST", at, {}, body, dict(headers), timeout_s)
        return answer.status, answer.data

    def fetch(
        self, namespace: str, pod: str, port: int, path: str, *, timeout_s: float = _TIMEOUT_S
    ) -> str | None:
        """What a pod answers to a GET, through the API server; None where it does not say 200."""
        at = f"/api/v1/namespaces/{namespace}/pods/http:{pod}:{port}/proxy{path}"
        answer = self._send("GET", at, {}, None, {}, timeout_s)
        return answer.data.decode(errors="replace") if answer.status == 200 else None

    def credentials(self) -> tuple[Any, dict[str, str]]:
        """How to connect, and the headers that say who we are, for what is no request."""
        _, _, headers, *_ = self._api.param_serialize("GET", "/", auth_settings=["BearerToken"])
        return self._api.configuration, headers

    def close(self) -> None:
        self._api.close()  # type: ignore[no-untyped-call]

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        *,
        has: str = "kind",
    ) -> Object:
        """What is answered; `has` is the field by which it is known to be Kubernetes' own."""
        sent = None if body is None else json.dumps(body).encode()
        with self._answered(method, path, query or {}, sent, content_type) as answer:
            try:
                said = json.loads(answer.data)
            except ValueError:
                said = None
            if isinstance(said, dict) and has in said:
                return cast("Object", said)
            # A proxy's page for a login, or another server behind the same address.
            raise Unavailable(
                f"{self.server} answers, but not as an API server of Kubernetes does; is that the "
                "right address in the kubeconfig?"
            )

    @contextmanager
    def _answered(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        answer = self._send(method, path, query, body, headers, _TIMEOUT_S)
        if answer.status >= 400:
            raise Refused.of(answer.status, answer.data, f"{method} {path}")
        yield answer

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        headers: dict[str, str],
        timeout_s: float,
    ) -> urllib3.BaseHTTPResponse:
        asked = urlencode({name: value for name, value in query.items() if value})
        try:
            # The client knows how this kubeconfig proves who we are, and renews what expires.
            _, url, signed, *_ = self._api.param_serialize(
                method, path, header_params=headers, auth_settings=["BearerToken"]
            )
            answer: urllib3.BaseHTTPResponse = self._api.rest_client.pool_manager.request(
                method,
                f"{url}?{asked}" if asked else url,
                body=body,
                headers=signed,
                timeout=urllib3.Timeout(connect=5.0, read=timeout_s),
                retries=False,
            )
            return answer
        except (urllib3.exceptions.HTTPError, OSError) as error:
            why = str(getattr(error, "reason", error)).rpartition(": ")[2]
            raise Unavailable(
                f"the API server {self.server} does not answer: {why or type(error).__name__}"
            ) from error
