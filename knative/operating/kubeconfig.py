"""Which cluster is meant, and in whose name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes import client, config

from knative.operating.refused import NotConnected

_USUAL: Final = "~/.kube/config"
_IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def read(context: str) -> tuple[Any, str]:
    """How to connect by KUBECONFIG or ~/.kube/config, and the name of the context: this one, or
    the current one. Without either of them a pod's own account, and "".

    Raises NotConnected, which says what is wrong with what is there.
    """
    configuration = client.Configuration()
    file = os.environ.get("KUBECONFIG", "")
    try:
        if not (context or file) and _IN_CLUSTER.is_file():
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            return configuration, ""
        contexts, current = config.list_kube_config_contexts(file or _USUAL)  # type: ignore[no-untyped-call]
        names = [each["name"] for each in contexts]
        if context and context not in names:
            raise NotConnected(
                f"The kubeconfig has no context `{context}`. "
                f"Use one of: {', '.join(sorted(names))}."
            )
        if not context and not current:
            raise NotConnected("The kubeconfig has no current context. Name one with --context.")
        chosen = context or current["name"]
        config.load_kube_config(  # type: ignore[no-untyped-call]
            file or _USUAL,
            context=chosen,
            client_configuration=configuration,
            persist_config=False,
        )
    except config.ConfigException as error:
        raise NotConnected(
            f"No cluster is configured: {str(error).rstrip('.')}. Set KUBECONFIG to a "
            "kubeconfig, or name a context of ~/.kube/config with --context."
        ) from None
    except OSError as error:
        raise NotConnected(
            f"The kubeconfig cannot be used: {error.filename}: {error.strerror}. Mend it, or set "
            "KUBECONFIG to another."
        ) from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError):
        raise NotConnected(f"{file or _USUAL} is no kubeconfig. Set KUBECONFIG.") from None
    return configuration, chosen
