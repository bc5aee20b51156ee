"""Sending files from the page, in Chromium, over a connection that is slow and breaks."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import browser as browsers
from tests.e2e.browser import Tab, tab, up, wait
from tests.e2e.command import Desk

pytestmark = [pytest.mark.browser]

SLOW_BYTES_S = 1_500_000


# Not for the session: while Playwright runs, its thread has an event loop that others would meet.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def base(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page of a runtime is."""
    with up(desk, tmp_path_factory.mktemp("page")) as address:
        yield address


@pytest.fixture
def opened(chromium: Browser, base: str) -> Iterator[Tab]:
    with tab(chromium, base) as found:
        found.open("/")
        yield found


def long(clip: Path, size_bytes: int) -> bytes:
    """The clip with a hole at its end: takes long to send and plays as before."""
    return clip.read_bytes() + struct.pack(">I4s", size_bytes, b"free") + bytes(size_bytes - 8)


def wait_sent(page: Page, more_than: float) -> None:
    wait(page, f"document.querySelector('.upload progress')?.value > {more_than}")


def test_a_file_may_be_dropped_anywhere_on_the_page(opened: Tab, clip: Path) -> None:
    page = opened.page
    page.select_option("#profile", "tiny")
    transfer = page.evaluate_handle(
        """([name, data]) => {
          const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: "video/mp4" }));
          return transfer;
        }""",
        ["dropped.mp4", base64.b64encode(clip.read_bytes()).decode()],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("footer", event, {"dataTransfer": transfer})
    expect(page.locator(".job-name", has_text="dropped.mp4")).to_be_visible()
    expect(page.locator("#uploads")).to_be_hidden()


def test_an_upload_is_paused_and_goes_on_where_it_was(opened: Tab, clip: Path) -> None:
    page = opened.page
    opened.throttle(SLOW_BYTES_S)
    opened.choose(long(clip, 12_000_000), "paused.mp4")
    wait_sent(page, 0.1)
    page.get_by_role("button", name="Pause paused.mp4").press("Enter")
    expect(page.locator(".upload")).to_contain_text("paused")
    # Whoever presses by keyboard stays on the button that takes it back.
    expect(page.get_by_role("button", name="Resume paused.mp4")).to_be_focused()
    with page.expect_request(lambda request: request.method == "PATCH") as again:
        page.keyboard.press("Enter")
    opened.throttle()
    assert int(again.value.headers["upload-offset"]) > 0
    expect(page.locator(".job-name", has_text="paused.mp4")).to_be_visible()


def test_an_upload_goes_on_after_a_lost_connection(opened: Tab, clip: Path) -> None:
    page = opened.page
    opened.expected = ("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK")
    opened.throttle(SLOW_BYTES_S)
    opened.choose(long(clip, 12_000_000), "lost.mp4")
    wait_sent(page, 0.1)
    opened.throttle(offline=True)
    expect(page.locator(".upload")).to_contain_text("the connection is lost")
    opened.throttle()
    expect(page.locator(".job-name", has_text="lost.mp4")).to_be_visible()


def test_an_upload_goes_on_after_the_page_was_left(opened: Tab, clip: Path, tmp_path: Path) -> None:
    page = opened.page
    # A real file: its time tells it from others of its name.
    film = tmp_path / "left.mp4"
    film.write_bytes(long(clip, 12_000_000))
    opened.throttle(SLOW_BYTES_S)
    page.select_option("#profile", "tiny")
    page.set_input_files("#files", film)
    wait_sent(page, 0.2)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator(".upload")).to_contain_text("Choose the same file")
    with page.expect_request(lambda request: request.method == "PATCH") as again:
        opened.throttle()
        page.set_input_files("#files", film)
    assert int(again.value.headers["upload-offset"]) > 0
    expect(page.locator(".job-name", has_text="left.mp4")).to_be_visible()


def test_an_upload_that_is_cancelled_leaves_nothing(opened: Tab, clip: Path) -> None:
    page = opened.page
    opened.throttle(SLOW_BYTES_S)
    opened.choose(long(clip, 12_000_000), "cancelled.mp4")
    wait_sent(page, 0.1)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        page.get_by_role("button", name="Cancel cancelled.mp4").click()
        page.get_by_role("button", name="Stop sending").click()
    assert dropped.value.ok
    expect(page.locator("#uploads")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('kinora.uploads')") == "[]"
