"""One cluster, one installation, for all tests here. `make cluster-test` has started the first."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.cluster import clips
from tests.cluster.installation import NAMESPACE, NEIGHBOUR, TENANT, Installation
from tests.cluster.kube import HOME, HOST, Kube
from tests.e2e.inbox import Receiver, receiver

_FIGURES: Final = pytest.StashKey[list[str]]()
OVERLAY: Final = Path(__file__).parent / "overlay"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[_FIGURES]:
        terminalreporter.section("measured on the cluster")
        for told in config.stash[_FIGURES]:
            terminalreporter.write_line(told)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> list[str]:
    """What is told at the end, passed or failed."""
    return pytestconfig.stash[_FIGURES]


@pytest.fixture(scope="session")
def cluster() -> Kube:
    """The namespace `default` of a cluster that is up."""
    if not (HOME / "env").is_file():
        reason = "there is no cluster; `make cluster-up` starts one"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return Kube("default")


@pytest.fixture(scope="session")
def installation(
    cluster: Kube, tmp_path_factory: pytest.TempPathFactory, figures: list[str]
) -> Installation:
    """Deployed from the overlay of the tests, which stands on `local`."""
    found = Installation(cluster.within(NAMESPACE), tmp_path_factory.mktemp("installation"))
    began_s = time.monotonic()
    found.deploy(OVERLAY)
    figures.append(f"deployed and ready after {time.monotonic() - began_s:.0f} s")
    return found


@pytest.fixture(scope="session")
def inboxes(installation: Installation) -> Iterator[dict[str, Receiver]]:
    """An endpoint of each tenant on this machine, by tenant."""
    with ExitStack() as stack:
        found = {tenant: stack.enter_context(receiver(HOST)) for tenant in (TENANT, NEIGHBOUR)}
        for tenant, inbox in found.items():
            stack.enter_context(installation.telling(inbox, tenant))
        yield found


@pytest.fixture(scope="session")
def inbox(inboxes: dict[str, Receiver]) -> Receiver:
    return inboxes[TENANT]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds: six chunks."""
    return clips.small(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=6)


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds: two chunks."""
    return clips.small(tmp_path_factory.mktemp("short") / "short.mp4", seconds=2)
