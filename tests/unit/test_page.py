"""The page as the gateway sends it: to whom, and with nothing in it that could act."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.fakes import MemoryUploads
from tests.gateway import Gateway

STATIC = Path(__file__).parents[2] / "functions" / "gateway" / "static"
OURS = sorted(path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts)


class Signing(MemoryUploads):
    """Of a store that clients can reach."""

    origin = "https://s3.example"


PAGES = ("/", "/settings", "/jobs/{job}")


@pytest.mark.parametrize("path", PAGES)
def test_who_shows_nothing_is_led_to_the_door_and_on_from_there(path: str) -> None:
    gateway = Gateway()
    path = path.format(job=gateway.job())
    answer = gateway.visitor().get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={path}"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""],
)
def test_the_door_leads_nowhere_else(elsewhere: str) -> None:
    page = Gateway().visitor().get("/sign-in", params={"next": elsewhere})
    assert 'data-next="/"' in page.text


def test_another_tenants_job_is_not_there() -> None:
    gateway = Gateway()
    job = gateway.job("acme", "secret plans.mp4")
    assert "secret plans" in gateway.client("acme").get(f"/jobs/{job}").text
    theirs = gateway.client("other").get(f"/jobs/{job}")
    never = gateway.client("other").get(f"/jobs/{'0' * 32}")
    assert theirs.status_code == never.status_code == 404
    assert theirs.text == never.text


def test_a_name_is_never_more_than_text() -> None:
    gateway = Gateway()
    job = gateway.job("acme", "<img src=x onerror=alert(1)>.mp4")
    page = gateway.client("acme").get(f"/jobs/{job}").text
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.mp4</h1>" in page


@pytest.mark.parametrize("path", [*PAGES, "/sign-in"])
def test_a_page_holds_no_script_and_no_style_of_its_own(path: str) -> None:
    gateway = Gateway(open_to="acme")
    answer = gateway.visitor().get(path.format(job=gateway.job("acme")))
    assert answer.status_code == 200
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "style-src 'self';" in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)
    for address in re.findall(r'(?:src|href)="([^"#]+)"', answer.text):
        if address.startswith("/static/"):
            assert gateway.visitor().get(address).status_code == 200, address


def test_where_the_store_signs_the_page_sends_straight_to_it() -> None:
    assert "data-straight" in Gateway(uploads=Signing, open_to="acme").visitor().get("/").text
    assert "data-straight" not in Gateway(open_to="acme").visitor().get("/").text


@pytest.mark.parametrize(
    ("store", "command"),
    [
        ("s3://kinora", "mc cp film.mp4 minio/kinora-uploads/acme/"),
        ("s3://", "mc cp film.mp4 minio/uploads/acme/"),
        ("/srv/kinora", "cp film.mp4 /srv/kinora/uploads/acme/"),
        ("file:///srv/my%20films?durable=1", "cp film.mp4 &#39;/srv/my films/uploads/acme/&#39;"),
    ],
)
def test_who_has_no_job_yet_is_told_where_files_are_dropped(store: str, command: str) -> None:
    assert command in Gateway(store=store, open_to="acme").visitor().get("/").text
    with_a_key = Gateway(store=store).client("acme").get("/").text
    assert "/srv" not in with_a_key and "uploads/acme/" in with_a_key


def test_static_files_are_asked_for_anew_and_not_sent_again() -> None:
    visitor = Gateway().visitor()
    first = visitor.get("/static/js/home.js")
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["content-type"].startswith("text/javascript")
    again = visitor.get("/static/js/home.js", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/none"])
def test_nothing_beside_the_static_files_is_served(path: str) -> None:
    assert Gateway().visitor().get(path).status_code == 404


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(STATIC)))
def test_static_files_are_short_and_name_no_other_place(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 300
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_lock_of_what_comes_from_others_has_hashes_and_no_addresses() -> None:
    text = (STATIC.parent / "assets" / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert {name for name in packages if name} == {
        "node_modules/axe-core",
        "node_modules/hls.js",
    }
    assert all(each["integrity"].startswith("sha512-") for name, each in packages.items() if name)


def test_every_import_of_a_module_is_a_file_that_has_what_is_asked_for() -> None:
    for path in (STATIC / "js").glob("*.js"):
        for names, module in re.findall(
            r'^import \{([^}]+)\} from "\./([\w]+\.js)";$', path.read_text(), re.MULTILINE
        ):
            exported = (STATIC / "js" / module).read_text()
            for name in (each.split(" as ")[0].strip() for each in names.split(",")):
                assert re.search(
                    rf"^export (?:async )?(?:const|function|class) {name}\b", exported, re.MULTILINE
                ), f"{path.name}: {name} of {module}"
