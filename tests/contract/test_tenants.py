"""Tenants cannot see each other: every route of the gateway is asked, with one tenant's valid
credentials, for the things of another, and answers as if there were none.

The list of routes is the application's own: a new route fails here until somebody says what of a
tenant it touches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from fastapi.routing import iter_route_contexts

from functions.gateway.playback import sign
from functions.jobs import layout
from tests.gateway import MP4, ORIGIN, Gateway

JOB: Final = "/api/v1/jobs/{job}"
UPLOAD: Final = "/api/v1/uploads/{upload}"
TUS: Final = "/api/v1/tus/{upload}"
WEBHOOK: Final = "/api/v1/webhooks/{endpoint}"
Route = tuple[str, str]

MINE: Final = "mine"
THEIRS: Final = "theirs"


@dataclass(frozen=True)
class Ask:
    """A request for a thing of the other tenant's; the path is filled in with its names."""

    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


ONE_THING: Final[Mapping[Route, Ask]] = {
    ("GET", JOB): Ask(),
    ("POST", f"{JOB}/cancel"): Ask(json={"reason": "I say so"}),
    ("POST", f"{JOB}/retry"): Ask(),
    ("GET", f"{JOB}/outputs"): Ask(),
    ("GET", f"{JOB}/tasks"): Ask(),
    ("GET", f"{JOB}/events"): Ask(),
    ("GET", f"{JOB}/progress"): Ask(),
    ("POST", "/api/v1/jobs"): Ask(json={"object": f"uploads/{THEIRS}/film.mp4"}),
    ("POST", "/api/v1/plans"): Ask(json={"object": f"uploads/{THEIRS}/film.mp4"}),
    ("GET", UPLOAD): Ask(),
    ("DELETE", UPLOAD): Ask(),
    ("POST", f"{UPLOAD}/parts"): Ask(json={"numbers": [1]}),
    ("POST", f"{UPLOAD}/complete"): Ask(),
    ("PUT", f"{UPLOAD}/content"): Ask(content=b"stolen"),
    ("HEAD", TUS): Ask(headers={"tus-resumable": "1.0.0"}),
    ("PATCH", TUS): Ask(
        content=b"stolen",
        headers={
            "tus-resumable": "1.0.0",
            "upload-offset": "0",
            "content-type": "application/offset+octet-stream",
        },
    ),
    ("POST", TUS): Ask(
        headers={"tus-resumable": "1.0.0", "x-http-method-override": "DELETE"},
    ),
    ("DELETE", TUS): Ask(headers={"tus-resumable": "1.0.0"}),
    ("GET", WEBHOOK): Ask(),
    ("PATCH", WEBHOOK): Ask(json={"paused": True}),
    ("DELETE", WEBHOOK): Ask(),
    ("POST", f"{WEBHOOK}/rotate"): Ask(json={}),
    ("POST", f"{WEBHOOK}/test"): Ask(),
    ("GET", f"{WEBHOOK}/deliveries"): Ask(),
    ("POST", f"{WEBHOOK}/replay"): Ask(json={"since": "2020-01-01T00:00:00Z"}),
    ("GET", "/jobs/{job}"): Ask(),
}
"""Routes about a thing that somebody owns: not found, and nothing happens to it."""

LISTS: Final[Mapping[Route, str]] = {
    ("GET", "/api/v1/jobs"): "jobs",
    ("GET", "/api/v1/webhooks"): "endpoints",
}
"""Routes that list what one has, and where in the answer."""

APART: Final[Mapping[Route, str]] = {
    ("GET", "/api/v1/openapi.json"): "the same for everybody",
    ("HEAD", "/api/v1/openapi.json"): "the same for everybody",
    (
        "GET",
        "/api/v1/progress",
    ): "a stream over the jobs that the caller's list holds; see the tests of streams",
    ("POST", "/api/v1/uploads"): "names nothing that is there",
    ("POST", "/api/v1/tus"): "names nothing that is there",
    ("OPTIONS", "/api/v1/tus"): "the same for everybody",
    ("OPTIONS", TUS): "the same for everybody, whatever is named",
    ("GET", "/api/v1/profiles"): "the same for everybody",
    ("GET", "/api/v1/profiles/{name}"): "the same for everybody",
    ("POST", "/api/v1/profiles/validate"): "looks at nothing but its body",
    ("POST", "/api/v1/webhooks"): "names nothing that is there",
    ("GET", "/health"): "the same for everybody",
    ("GET", "/ready"): "the same for everybody",
    ("GET", "/metrics"): "counts over all tenants, and names none",
    ("POST", "/session"): "makes a session of the key that is shown",
    ("DELETE", "/session"): "forgets one's own session",
    ("GET", "/"): "a page without a tenant's things: it asks the API for them",
    ("GET", "/settings"): "a page without a tenant's things: it asks the API for them",
    ("GET", "/sign-in"): "the same for everybody",
    ("GET", "/static/{path:path}"): "the same for everybody",
    ("GET", "/favicon.ico"): "the same for everybody",
}
"""Routes that touch nothing of a tenant's, and why."""

BY_LINK: Final = frozenset(
    {
        (method, path)
        for method in ("GET", "HEAD", "OPTIONS")
        for path in (
            "/media/public/{job}/{path:path}",
            "/media/{token}/{job}/{path:path}",
        )
    }
)
"""Playback: the link is the permission, whoever has it; links have tests of their own below."""


class Town:
    """Two tenants, one of which has one of everything."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        theirs = self.gateway.client(THEIRS)
        self.job = self.gateway.job(THEIRS, "film.mp4")
        upload = theirs.post("/api/v1/uploads", json={"name": "b.mp4", "size_bytes": 6})
        webhook = theirs.post("/api/v1/webhooks", json={"url": "https://hook.example/"})
        assert (upload.status_code, webhook.status_code) == (201, 201)
        self.names = {
            "job": self.job,
            "upload": upload.json()["upload"],
            "endpoint": webhook.json()["endpoint"],
        }
        self.mine = self.gateway.client(MINE)
        self.gateway.published.clear()

    def things(self) -> dict[str, str]:
        """Every object but the asking tenant's own records."""
        own = f"{layout.WORK}/tenants/{MINE}/"
        return {
            info.key: info.etag
            for info in self.gateway.store.list("")
            if not info.key.startswith(own)
        }


def routes() -> list[Route]:
    found: list[Route] = []
    for each in iter_route_contexts(Gateway().app.routes):
        found += [(method, str(each.path)) for method in sorted(each.methods or ())]
    return found


ROUTES: Final = routes()


@pytest.fixture
def town() -> Town:
    return Town()


def test_every_route_is_in_the_matrix_once_and_the_matrix_has_no_other() -> None:
    said = [*ONE_THING, *LISTS, *APART, *(route for route in BY_LINK if route in ROUTES)]
    assert sorted(said) == sorted(ROUTES)


@pytest.mark.parametrize("route", ONE_THING, ids=" ".join)
def test_a_thing_of_another_tenant_is_not_found_and_nothing_happens_to_it(
    route: Route, town: Town
) -> None:
    method, path = route
    ask = ONE_THING[route]
    before = town.things()
    answer = town.mine.request(
        method,
        path.format(**town.names),
        json=ask.json,
        content=ask.content,
        headers=dict(ask.headers),
    )
    assert answer.status_code == 404
    if method != "HEAD" and path.startswith("/api/"):
        assert answer.json()["type"] == "urn:kinora:problem:not-found"
    assert town.things() == before
    assert not town.gateway.published


@pytest.mark.parametrize("route", ONE_THING, ids=" ".join)
def test_what_is_not_there_at_all_is_answered_with_the_same_words(route: Route, town: Town) -> None:
    method, path = route
    ask = ONE_THING[route]
    nothing = {name: f"{number:032x}" for number, name in enumerate(town.names)}
    answers = []
    for names in (town.names, nothing):
        json = ask.json
        if isinstance(json, dict) and names is nothing and "object" in json:
            json = {**json, "object": f"uploads/{THEIRS}/nil0.mp4"}
        answer = town.mine.request(
            method,
            path.format(**names),
            json=json,
            content=ask.content,
            headers=dict(ask.headers),
        )
        said = answer.text.replace("nil0.mp4", "film.mp4")
        for name, value in names.items():
            said = said.replace(value, name)
        answers.append((answer.status_code, said))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "route",
    # A stream would stay open.
    [route for route in ONE_THING if not route[1].endswith("/progress")],
    ids=" ".join,
)
def test_their_owner_does_find_them(route: Route, town: Town) -> None:
    method, path = route
    ask = ONE_THING[route]
    answer = town.gateway.client(THEIRS).request(
        method,
        path.format(**town.names),
        json=ask.json,
        content=ask.content,
        headers=dict(ask.headers),
    )
    assert answer.status_code != 404


@pytest.mark.parametrize("route", LISTS, ids=" ".join)
def test_lists_hold_only_ones_own(route: Route, town: Town) -> None:
    method, path = route
    theirs = town.gateway.client(THEIRS).request(method, path).json()[LISTS[route]]
    assert theirs
    assert town.mine.request(method, path).json()[LISTS[route]] == []


@pytest.mark.parametrize("route", [*ONE_THING, *LISTS], ids=" ".join)
def test_nobody_gets_anything_without_credentials(route: Route, town: Town) -> None:
    method, path = route
    ask = ONE_THING.get(route, Ask())
    before = town.things()
    answer = town.gateway.visitor().request(
        method,
        path.format(**town.names),
        json=ask.json,
        content=ask.content,
        headers=dict(ask.headers),
        follow_redirects=False,
    )
    # Pages send people to sign in.
    assert (
        answer.status_code == 401 if path.startswith("/api/") else answer.status_code in (303, 200)
    )
    assert town.job not in answer.text.replace(path.format(**town.names), "")
    assert town.things() == before


def test_the_same_idempotency_key_of_another_tenant_is_another_key(town: Town) -> None:
    both = {
        name: town.gateway.client(name).post(
            "/api/v1/jobs",
            json={"object": town.gateway.film(name, "same.mp4")},
            headers={"idempotency-key": "k"},
        )
        for name in (MINE, THEIRS)
    }
    assert [answer.status_code for answer in both.values()] == [201, 201]
    assert both[MINE].json()["tenant"] == MINE
    assert both[THEIRS].json()["tenant"] == THEIRS


def test_a_cursor_of_another_tenant_leads_to_nothing_of_theirs(town: Town) -> None:
    for _ in range(3):
        town.gateway.job(THEIRS)
    cursor = town.gateway.client(THEIRS).get("/api/v1/jobs?limit=1").json()["next"]
    assert cursor
    assert town.mine.get("/api/v1/jobs", params={"cursor": cursor}).json()["jobs"] == []


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/plans"])
@pytest.mark.parametrize("complete", [False, True])
def test_an_upload_of_another_tenant_is_no_source(path: str, complete: bool, town: Town) -> None:
    upload = town.names["upload"]
    if complete:
        made = town.gateway.client(THEIRS).post(
            "/api/v1/uploads", json={"name": "c.mp4", "method": "direct"}
        )
        upload = made.json()["upload"]
        town.gateway.client(THEIRS).put(f"/api/v1/uploads/{upload}/content", content=MP4)
        town.gateway.published.clear()
    before = town.things()
    answer = town.mine.post(path, json={"upload": upload})
    assert answer.status_code == 404
    assert answer.json() == town.mine.post(path, json={"upload": "0" * 32}).json()
    assert town.things() == before
    assert not town.gateway.published


def test_records_of_ours_are_no_sources_whoever_their_keys_seem_to_belong_to(town: Town) -> None:
    town.gateway.store.put(f"work/{MINE}/film.mp4", b"x")
    town.gateway.store.put(f"media/{MINE}/film.mp4", b"x")
    for address in (
        f"work/{MINE}/film.mp4",
        f"media/{MINE}/film.mp4",
        f"work/tenants/{MINE}",
        f"uploads/{MINE}/../{THEIRS}/film.mp4",
        f"uploads//{THEIRS}/film.mp4",
    ):
        answer = town.mine.post("/api/v1/jobs", json={"object": address})
        assert answer.status_code == 404, address


def test_a_link_to_one_job_plays_no_other(town: Town) -> None:
    mine = town.gateway.job(MINE, state="completed")
    town.gateway.store.put(layout.media(town.job, layout.MASTER), b"#EXTM3U")
    token = sign.token(town.gateway.world.seal, mine, now_s=town.gateway.clock())
    answer = town.mine.get(f"{ORIGIN}{sign.path(token, town.job, layout.MASTER)}")
    assert answer.status_code in (403, 404)
    assert town.mine.get(f"/media/public/{town.job}/{layout.MASTER}").status_code in (403, 404)
