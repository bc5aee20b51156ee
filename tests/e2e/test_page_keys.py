"""The page of a gateway that asks for keys, in Chromium: signing in and out, and the first look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from tests.e2e import browser as browsers
from tests.e2e.browser import SCHEMES, WIDTHS, Scheme, look, tab
from tests.e2e.command import until
from tests.gateway import Gateway
from tests.servers import free_port

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    port = free_port()
    found = Gateway(public_url=f"http://127.0.0.1:{port}")
    with _served(found, port):
        yield found


@contextmanager
def _served(gateway: Gateway, port: int) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(gateway.app, port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until("the gateway answers", lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join()


def test_who_shows_a_key_comes_in_where_they_wanted_and_goes_out_again(
    chromium: Browser, gateway: Gateway
) -> None:
    with tab(chromium, gateway.settings.public_url) as found:
        found.expected = ("status of 401",)
        page = found.open("/settings")
        page.wait_for_url(f"{found.base}/sign-in?next=/settings")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#key-wrong")).to_contain_text("Put an API key in")
        page.get_by_label("API key").fill("kinora_" + "0" * 16 + "_" + "1" * 43)
        page.keyboard.press("Enter")
        expect(page.locator("#key-wrong")).to_contain_text("not known")
        expect(page.get_by_label("API key")).to_be_focused()
        page.get_by_label("API key").fill(gateway.key("acme"))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{found.base}/settings")
        expect(page.locator("#keys-title + *, .colophon").first).to_be_visible()
        expect(page.get_by_role("contentinfo")).to_contain_text("Signed in for acme")
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{found.base}/sign-in")
        found.open("/")
        page.wait_for_url(f"{found.base}/sign-in?next=/")


def test_a_key_that_is_typed_before_the_scripts_are_there_stays_out_of_the_address(
    chromium: Browser, gateway: Gateway
) -> None:
    with tab(chromium, gateway.settings.public_url) as found:
        found.expected = ("ERR_FAILED",)
        found.page.route("**/static/js/*", lambda route: route.abort())
        page = found.open("/sign-in")
        page.get_by_label("API key").fill(gateway.key("acme"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
        assert page.url == f"{found.base}/sign-in"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_door_and_the_first_look_are_good_to_look_at(
    scheme: Scheme, width: int, chromium: Browser, gateway: Gateway
) -> None:
    with tab(chromium, gateway.settings.public_url, scheme=scheme, width=width) as found:
        page = found.open("/sign-in")
        look(found, "sign-in", scheme=scheme, width=width)
        # What is served of others comes with its licence.
        licence = page.request.get(f"{found.base}/static/vendor/hls/LICENSE").text()
        assert "Apache License, Version 2.0" in licence
        page.get_by_label("API key").fill(gateway.key("newcomer"))
        page.keyboard.press("Enter")
        expect(page.locator("#empty")).to_be_visible()
        expect(page.locator("#empty")).to_contain_text("Authorization: Bearer")
        look(found, "no-jobs", scheme=scheme, width=width)
        found.open("/settings")
        expect(page.locator("#no-endpoints")).to_be_visible()
        look(found, "no-endpoints", scheme=scheme, width=width)
