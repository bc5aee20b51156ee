"""Playback in Chromium: before the encode is done, and over the joins between chunks after it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import browser as browsers
from tests.e2e.browser import ENDED_MS, Tab, job_page, make_film, tab, up, wait
from tests.e2e.command import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LENGTH_S = 40
NEAR_S = 1.0
"""Played before a join and after it."""

# Notes each time that the player runs dry. Where what comes next is there, it is the machine that
# has no time.
WATCH = """() => {
  const video = document.getElementById("video");
  window.dry = [];
  const loaded = () => {
    const at = video.currentTime, next = Math.min(at + 0.2, video.duration - 0.1);
    return [...Array(video.buffered.length).keys()].some(
      (span) => video.buffered.start(span) <= at && next <= video.buffered.end(span));
  };
  for (const kind of ["waiting", "stalled", "error"]) {
    video.addEventListener(kind, () => {
      if (video.seeking || (kind !== "error" && loaded())) return;
      window.dry.push([kind, video.currentTime]);
    });
  }
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long and large enough that watching can begin before the encode ends."""
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4", LENGTH_S)


@pytest.fixture(scope="module")
def watched(
    chromium: Browser, desk: Desk, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tab]:
    """A job's page on which the film plays before its encode is done."""
    folder = tmp_path_factory.mktemp("playback")
    with up(desk, folder) as base, tab(chromium, base) as found:
        page = found.open("/")
        page.set_input_files("#files", film)
        job_page(page, film.name)
        wait(page, "document.getElementById('video').readyState > 2", within_ms=ENDED_MS)
        yield found


def now(page: Page) -> Any:
    return page.evaluate("document.getElementById('video').currentTime")


def joins(page: Page) -> list[float]:
    """Where the chunks of the job's plan meet, in seconds."""
    tasks = page.request.get(page.url.replace("/jobs/", "/api/v1/jobs/") + "/tasks").json()
    starts = {task["start"] for task in tasks["tasks"] if task["kind"] == "video"} - {0}
    return sorted(float(start / Fraction(tasks["rate"])) for start in starts)


def test_it_plays_before_the_encode_is_done(watched: Tab) -> None:
    page = watched.page
    page.evaluate("document.getElementById('video').play()")
    wait(page, "document.getElementById('video').currentTime > 1")
    expect(page.locator("#state")).to_have_text("Encoding")
    expect(page.locator("#watch-says")).to_contain_text("Can be watched up to")
    page.evaluate("document.getElementById('video').pause()")


def test_it_plays_and_seeks_over_the_joins_of_chunks(watched: Tab) -> None:
    page = watched.page
    expect(page.locator("#state")).to_have_text("Ready", timeout=ENDED_MS)
    # The whole takes the place of what grew, at the place where it was paused.
    wait(page, f"video.readyState > 2 && Math.abs(video.duration - {LENGTH_S}) < 0.1")
    assert now(page) > 0.5
    page.evaluate(WATCH)
    found = joins(page)
    assert len(found) > 1
    for join in found:
        start_s, end_s = max(0.0, join - NEAR_S), min(join + NEAR_S, LENGTH_S - 0.1)
        page.evaluate("at => { video.currentTime = at; }", start_s)
        # Played before both sides of the join are there, it would run dry on a slow machine; with
        # a gap between them they never are one span.
        wait(
            page,
            "!video.seeking && [...Array(video.buffered.length).keys()].some((at) => "
            f"video.buffered.start(at) <= {start_s} && video.buffered.end(at) >= {end_s})",
        )
        page.evaluate("window.dry = []; video.play()")
        wait(page, f"video.currentTime > {end_s}")
        page.evaluate("video.pause()")
        dry = [
            (kind, at) for kind, at in page.evaluate("window.dry") if abs(at - join) < NEAR_S / 2
        ]
        assert dry == []


def test_who_points_at_a_part_sees_it(watched: Tab) -> None:
    page = watched.page
    cell = page.locator("#chunks .cell").last
    cell.scroll_into_view_if_needed()
    page.locator("#chunks .track").first.locator(".cell").nth(1).click(position={"x": 5, "y": 5})
    first = joins(page)[0]
    wait(page, f"!video.seeking && video.currentTime > {first - 0.2}")
    expect(page.locator("#pointed")).to_contain_text("done")
    assert now(page) < first + 10
