"""Chromium as people use it, for tests of the page: what it complains of fails a test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    CDPSession,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.clips import ffmpeg
from tests.e2e.command import Desk, interrupt, until
from tests.servers import ROOT, free_port

Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
WIDTHS: Final = (360, 1280)
SCREENSHOTS: Final = ROOT / "build" / "screenshots"
_GATEWAY: Final = ROOT / "functions" / "gateway"
_AXE: Final = _GATEWAY / "assets" / "node_modules" / "axe-core" / "axe.min.js"
_PLAYER: Final = _GATEWAY / "static" / "vendor" / "hls" / "hls.js"
_ARGUMENTS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --autoplay-policy=no-user-gesture-required"
)
WAIT_MS: Final = 30_000
ENDED_MS: Final = 120_000
"""How long a job of a test may take."""


def required(path: Path, by: str) -> Path:
    if path.is_file():
        return path
    reason = f"{path.name} is not here; `make {by}` brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Browser]:
    program = required(Path(shutil.which("chromium") or "chromium"), "servers")
    required(_AXE, "assets")
    required(_PLAYER, "assets")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program), args=_ARGUMENTS.split(), timeout=60_000
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page, and everything that was wrong with it."""

    page: Page
    base: str
    files: Path
    """Of the person before it."""
    wrong: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of complaints that a test provokes."""
    bucket: str = ""
    """Another place that the page may ask."""

    network: CDPSession | None = None

    def throttle(self, upload_bytes_s: int = -1, *, offline: bool = False) -> None:
        """Let its connection be so slow, or lost; without arguments as it is."""
        # Each session has conditions of its own, and the strictest counts: so there is one.
        self.network = self.network or self.page.context.new_cdp_session(self.page)
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1}
        self.network.send(
            "Network.emulateNetworkConditions",
            {**conditions, "uploadThroughput": upload_bytes_s},
        )

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def choose(self, data: bytes, name: str) -> None:
        """A file of this name, for a small profile."""
        # By its path: a large one takes long on its way to the browser.
        (self.files / name).write_bytes(data)
        self.page.select_option("#profile", "tiny")
        self.page.set_input_files("#files", self.files / name)

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._complain(f"{message.type}: {message.text} ({message.location.get('url')})")

    def on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and f"{parts.scheme}://{parts.netloc}" not in (
            self.base,
            self.bucket,
        ):
            self._complain(f"asks elsewhere: {request.url}")

    def _complain(self, what: str) -> None:
        if not any(part in what for part in self.expected):
            self.wrong.append(what)


@contextmanager
def tab(
    browser: Browser, base: str, *, scheme: Scheme = "light", width: int = 1280, **options: Any
) -> Iterator[Tab]:
    """A page of a browser that nobody used before. Fails for an error, a warning, and a request
    to any other place than `base`."""
    with (
        TemporaryDirectory() as files,
        browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 800}, **options
        ) as context,
    ):
        context.set_default_timeout(WAIT_MS)
        found = Tab(context.new_page(), base, Path(files))
        found.page.on("console", found.on_console)
        found.page.on("pageerror", lambda error: found.wrong.append(f"uncaught: {error}"))
        found.page.on("request", found.on_request)
        yield found
        assert not found.wrong, "\n".join(found.wrong)


def wait(page: Page, expression: str, *, within_ms: float = WAIT_MS) -> Any:
    """Until the expression is true in the page; its value. Playwright's own way would have to
    evaluate text in the page, which its policy forbids."""
    end_s = time.monotonic() + within_ms / 1000
    while not (value := page.evaluate(expression)):
        if time.monotonic() > end_s:
            raise AssertionError(f"did not become true: {expression}")
        page.wait_for_timeout(20)
    return value


def look(tab: Tab, name: str, *, scheme: Scheme, width: int) -> None:
    """Keep a picture of the page for people, and let axe find nothing serious in it."""
    page = tab.page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = SCREENSHOTS / f"{name}-{scheme}-{width}.png"
    page.screenshot(path=picture, full_page=True, animations="disabled")
    page.evaluate(_AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    serious = [
        (each["id"], [node["html"][:160] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]
    assert not serious, json.dumps(serious, indent=1)
    wider = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"{name} scrolls sideways by {wider} at {width}"


@contextmanager
def up(desk: Desk, folder: Path) -> Iterator[str]:
    """A runtime with a page, in `folder`; where that is."""
    port = free_port()
    words = ("up", "--dir", "site", "--listen", f"127.0.0.1:{port}", "--tick", "1")
    with desk.started(*words, cwd=folder, KINORA_WEBHOOK_ALLOW="127.0.0.0/8") as process:
        until("the page answers", lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"
        interrupt(process)
        process.communicate(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def job_page(page: Page, name: str) -> str:
    """Go to the page of the newest job of a file of this name."""
    page.locator(".job-name", has_text=name).first.click()
    page.wait_for_url("**/jobs/*")
    expect(page.locator("h1")).to_have_text(name)
    return page.url[page.url.index("/jobs/") :]


def plays(page: Page) -> None:
    """Play, and see that the picture moves."""
    wait(page, "document.getElementById('video').readyState > 2")
    page.evaluate("document.getElementById('video').play()")
    wait(page, "document.getElementById('video').currentTime > 1")
    assert page.evaluate("document.getElementById('video').videoWidth") > 0


def make_film(path: Path, length_s: int) -> Path:
    """What takes about as long to encode with the default profile as it lasts."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=854x480:rate=25:duration={length_s}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={length_s}",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-shortest", str(path),
    )  # fmt: skip
    return path
