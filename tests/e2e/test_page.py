"""The page in Chromium, over a whole runtime: files are sent, watched, played and explained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import browser as browsers
from tests.e2e.browser import (
    ENDED_MS,
    SCHEMES,
    WIDTHS,
    Scheme,
    Tab,
    job_page,
    look,
    make_film,
    plays,
    tab,
    up,
    wait,
)
from tests.e2e.command import Desk
from tests.e2e.inbox import Receiver, receiver

pytestmark = [pytest.mark.browser]


# Not for the session: while Playwright runs, its thread has an event loop that others would meet.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


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


@pytest.fixture(scope="module")
def ready(chromium: Browser, base: str, clip: Path) -> str:
    """The path of a job that is ready."""
    with tab(chromium, base) as found:
        page = found.open("/")
        found.choose(clip.read_bytes(), "ready.mp4")
        path = job_page(page, "ready.mp4")
        expect(page.locator("#state")).to_have_text("Ready", timeout=ENDED_MS)
        return path


@pytest.fixture(scope="module")
def failed(chromium: Browser, base: str, clip: Path) -> str:
    """The path of a job of a film that is damaged in its middle."""
    data = bytearray(clip.read_bytes())
    start, stop = data.index(b"mdat"), data.rindex(b"moov")
    hole = slice(start + (stop - start) * 4 // 10, start + (stop - start) * 7 // 10)
    data[hole] = bytes(hole.stop - hole.start)
    with tab(chromium, base) as found:
        # What can be watched early goes when the job fails, also where the player has begun.
        found.expected = ("/media/",)
        page = found.open("/")
        found.choose(bytes(data), "damaged.mp4")
        path = job_page(page, "damaged.mp4")
        expect(page.locator("#state")).to_have_text("Failed", timeout=ENDED_MS)
        return path


@pytest.fixture(scope="module")
def refused(chromium: Browser, base: str) -> str:
    """The path of a job of a file that is no film."""
    with tab(chromium, base) as found:
        page = found.open("/")
        found.choose(b"dear diary\n" * 99, "diary.mp4")
        path = job_page(page, "diary.mp4")
        expect(page.locator("#state")).to_have_text("Rejected", timeout=ENDED_MS)
        return path


def test_a_file_that_is_chosen_is_sent_watched_and_played(opened: Tab, clip: Path) -> None:
    page = opened.page
    opened.choose(clip.read_bytes(), "chosen.mp4")
    job_page(page, "chosen.mp4")
    expect(page.locator("#state")).to_have_text("Ready", timeout=ENDED_MS)
    expect(page.locator("#share")).to_have_text("100 %")
    cells = page.locator("#chunks .cell")
    assert cells.count() > 4
    for cell in cells.all():
        expect(cell).to_have_class(re.compile(r"\bdone\b"))
    plays(page)
    expect(page.locator("#links li")).to_have_count(3)
    hls = page.locator("#links code").first.inner_text()
    assert "#EXT-X-STREAM-INF" in page.request.get(hls).text()
    expect(page.locator("#events")).to_contain_text("The streams are ready")


def test_a_file_that_cannot_be_taken_is_explained(
    chromium: Browser, base: str, refused: str
) -> None:
    with tab(chromium, base) as found:
        found.expected = ("status of 422",)
        page = found.open(refused)
        expect(page.locator("#why-title")).to_have_text("This file cannot be taken")
        expect(page.locator("#why-what")).to_contain_text("not a video or audio file")
        expect(page.locator("#why-next")).to_contain_text("Upload a file in one of")
        expect(page.locator("#why-code")).to_have_text("source_not_media")
        expect(page.locator("#watch")).to_be_hidden()
        page.get_by_role("button", name="Try again").click()
        # Nothing has changed: it is said at once, and no other job is made.
        expect(page.get_by_role("alert")).to_contain_text("not a video or audio file")


def test_a_job_that_failed_is_explained_down_to_the_attempt(
    chromium: Browser, base: str, failed: str
) -> None:
    with tab(chromium, base) as found:
        page = found.open(failed)
        expect(page.locator("#why-title")).to_have_text("The job failed")
        expect(page.locator("#why-what")).to_contain_text("frames could be decoded")
        expect(page.locator("#why-next")).to_contain_text("export or upload it again")
        expect(page.locator("#why-code")).to_have_text("frames_missing")
        expect(page.locator("#chunks .cell.retried").first).to_be_attached()
        page.locator("#events .bad summary").first.click()
        page.locator("#events .bad .bad summary").first.click()
        expect(page.locator("#events .bad .bad .note").first).to_be_visible()
        page.get_by_role("button", name="Try again").click()
        page.wait_for_url(lambda url: "/jobs/" in url and not url.endswith(failed))
        expect(page.locator("h1")).to_have_text("damaged.mp4")


def test_a_job_is_cancelled_only_by_who_is_sure(opened: Tab, tmp_path: Path) -> None:
    page = opened.page
    page.set_input_files("#files", make_film(tmp_path / "film.mp4", 60))
    job_page(page, "film.mp4")
    cancel = page.get_by_role("button", name="Cancel the job")
    cancel.press("Enter")
    page.keyboard.press("Escape")
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    expect(page.locator("#state")).to_have_text("Cancelled")
    expect(page.locator("#why-title")).to_have_text("The job was cancelled")


def test_everything_can_be_reached_by_keyboard(chromium: Browser, base: str, ready: str) -> None:
    with tab(chromium, base) as found:
        page = found.open("/")
        expect(page.locator(".job-name").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        for next_one in ("#profile", "#files", "#state", ".job-name"):
            page.keyboard.press("Tab")
            expect(page.locator(next_one).first).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs/*")
        page = found.open(ready)
        page.locator("#as-table summary").press("Enter")
        rows = page.locator("#rows tr")
        expect(rows.first).to_contain_text("done")
        assert rows.count() == page.locator("#chunks .cell").evaluate_all(
            "cells => new Set(cells.map((cell) => cell.dataset.task)).size"
        )


def test_an_endpoint_is_made_tested_paused_and_removed(
    chromium: Browser, base: str, endpoint: Receiver
) -> None:
    with tab(chromium, base) as found:
        found.expected = ("status of 422",)
        page = found.open("/settings")
        expect(page.locator("#no-endpoints")).to_be_visible()
        page.get_by_role("button", name="Add an endpoint").press("Enter")
        expect(page.get_by_label("Address")).to_be_focused()
        page.keyboard.type("http://169.254.169.254/hook")
        page.keyboard.press("Enter")
        expect(page.locator("#url-wrong")).not_to_be_empty()
        page.get_by_label("Address").fill(endpoint.url)
        page.get_by_label("Description").fill("a test")
        page.get_by_role("button", name="Add it").click()
        expect(page.locator("#secret-text")).to_have_text(re.compile("^whsec_"))
        secret = page.locator("#secret-text").inner_text()
        endpoint.secret = secret
        page.get_by_role("button", name="I have kept it").click()
        page.reload()
        assert secret not in page.content()
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator(".deliveries tbody tr")).to_contain_text("204")
        assert [each.event["type"] for each in endpoint.got] == ["dev.kinora.webhook.test.v1"]
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".endpoint .state").first).to_have_text("Paused")
        page.get_by_role("button", name="Go on").click()
        expect(page.locator(".endpoint .state").first).to_have_text("Active")
        page.get_by_role("button", name="New secret").click()
        page.get_by_role("button", name="Make it").click()
        expect(page.locator("#secret-text")).not_to_have_text(secret)
        page.get_by_role("button", name="I have kept it").click()
        page.get_by_role("button", name="Remove…").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.locator("#no-endpoints")).to_be_visible()


def test_what_is_refused_for_now_says_once_when_to_try_again(opened: Tab) -> None:
    opened.expected = ("status of 503",)
    detail = "Something that is needed cannot be reached. Try again in 2 s."
    page = opened.page
    page.route(
        "**/api/v1/webhooks", lambda route: route.fulfill(status=503, json={"detail": detail})
    )
    opened.open("/settings")
    expect(page.locator("#problem")).to_have_text(detail)
    page.route("**/api/v1/webhooks", lambda route: route.fulfill(status=503, body="<html>"))
    opened.open("/settings")
    expect(page.locator("#problem")).to_contain_text("status 503. Try again in a moment.")


def test_a_filter_that_finds_nothing_yet_offers_to_look_further(opened: Tab) -> None:
    page = opened.page
    further = {"jobs": [], "next": "further"}
    page.route("**/api/v1/jobs?*state=failed*", lambda route: route.fulfill(json=further))
    page.select_option("#state", "failed")
    expect(page.get_by_role("button", name="Show older jobs")).to_be_visible()
    expect(page.locator("#none-so")).to_be_hidden()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_page_is_good_to_look_at_and_has_no_barrier(
    scheme: Scheme,
    width: int,
    chromium: Browser,
    base: str,
    ready: str,
    failed: str,
    refused: str,
) -> None:
    with tab(chromium, base, scheme=scheme, width=width, reduced_motion="reduce") as found:
        page = found.open("/")
        expect(page.locator(".job-name").first).to_be_visible()
        look(found, "jobs", scheme=scheme, width=width)
        page = found.open(ready)
        wait(page, "document.getElementById('video').readyState > 1", within_ms=ENDED_MS)
        page.locator("#events summary").first.click()
        page.locator("#as-table summary").click()
        look(found, "job-ready", scheme=scheme, width=width)
        page = found.open(refused)
        expect(page.locator("#why-title")).to_be_visible()
        look(found, "job-rejected", scheme=scheme, width=width)
        page = found.open(failed)
        expect(page.locator("#chunks .cell.retried").first).to_be_attached()
        look(found, "job-failed", scheme=scheme, width=width)
        page = found.open("/settings")
        page.get_by_role("button", name="Add an endpoint").click()
        look(found, "settings", scheme=scheme, width=width)
        found.expected = ("status of 404",)
        found.open(f"/jobs/{'0' * 32}")
        look(found, "missing", scheme=scheme, width=width)
