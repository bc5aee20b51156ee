"""The page over MinIO, in Chromium: files go straight to the bucket, or by the gateway."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, expect

from tests.e2e import browser as browsers
from tests.e2e import services
from tests.e2e.browser import ENDED_MS, Tab, job_page, plays, tab, wait
from tests.e2e.services import Town

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.slow]

SLOW_BYTES_S = 6_000_000


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with services.town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def opened(chromium: Browser, town: Town) -> Iterator[Tab]:
    with tab(chromium, town.url) as found:
        found.bucket = f"http://127.0.0.1:{town.minio.port}"
        found.open("/")
        yield found


@pytest.fixture(scope="module")
def parts(clip: Path) -> bytes:
    """A film of several parts of the smallest size; most of it is a hole."""
    hole_bytes = 48_000_000
    return clip.read_bytes() + struct.pack(">I4s", hole_bytes, b"free") + bytes(hole_bytes - 8)


def asked(opened: Tab, method: str) -> list[str]:
    """Addresses of requests by this method from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if request.method == method:
            found.append(request.url)

    opened.page.on("request", note)
    return found


def test_a_file_goes_straight_to_the_bucket_and_on_after_a_pause(opened: Tab, parts: bytes) -> None:
    page = opened.page
    put, patched = asked(opened, "PUT"), asked(opened, "PATCH")
    opened.throttle(SLOW_BYTES_S)
    opened.choose(parts, "straight.mp4")
    wait(page, "document.querySelector('.upload progress')?.value > 0.65")
    page.get_by_role("button", name="Pause straight.mp4").click()
    expect(page.locator(".upload")).to_contain_text("paused")
    before = len(put)
    opened.throttle()
    page.get_by_role("button", name="Resume straight.mp4").click()
    job_page(page, "straight.mp4")
    assert all(url.startswith(opened.bucket) for url in put)
    assert not patched
    # What the bucket had is not sent again.
    numbers = [url.partition("partNumber=")[2].partition("&")[0] for url in put]
    assert before and len(set(numbers[before:])) < len(set(numbers))
    expect(page.locator("#state")).to_have_text("Ready", timeout=ENDED_MS)
    plays(page)


def test_a_bucket_that_the_browser_cannot_reach_is_gone_around(opened: Tab, clip: Path) -> None:
    page = opened.page
    opened.expected = ("ERR_FAILED",)
    page.route(f"{opened.bucket}/**", lambda route: route.abort())
    patched = asked(opened, "PATCH")
    opened.choose(clip.read_bytes(), "around.mp4")
    job_page(page, "around.mp4")
    assert patched
    expect(page.locator("#state")).to_have_text("Ready", timeout=ENDED_MS)
