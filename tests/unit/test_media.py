"""Playback over fakes: who may read, and what the answers say to players and caches."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from functions.gateway.playback import sign
from functions.gateway.routes import media
from functions.jobs import layout, record
from functions.jobs.manifest import Manifest
from tests.gateway import Gateway

BODY = bytes(range(256)) * 4
SEGMENT = "720p/00001-0123456789abcdef.m4s"


class Player:
    """Somebody with a link to a job's outputs."""

    def __init__(self, gateway: Gateway | None = None) -> None:
        self.gateway = gateway or Gateway()
        self.job = self.gateway.job(state="completed")
        self.token = sign.token(self.gateway.world.seal, self.job, now_s=self.gateway.clock())
        for name in (SEGMENT, layout.MASTER):
            self.gateway.store.put(layout.media(self.job, name), BODY)

    def client(self) -> TestClient:
        return self.gateway.visitor()

    def path(self, name: str, token: str = "") -> str:
        return sign.path(token or self.token, self.job, name)


def test_an_output_is_read_by_who_has_the_link() -> None:
    player = Player()
    answer = player.client().get(player.path(SEGMENT))
    assert (answer.status_code, answer.content) == (200, BODY)
    assert answer.headers["content-type"] == "video/iso.segment"
    assert answer.headers["content-length"] == str(len(BODY))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"] == '"0123456789abcdef"'
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_what_may_grow_is_asked_for_anew() -> None:
    player = Player()
    first = player.client().get(player.path(layout.MASTER))
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["content-type"] == "application/vnd.apple.mpegurl"
    known = {"if-none-match": first.headers["etag"]}
    again = player.client().get(player.path(layout.MASTER), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    player.gateway.store.put(layout.media(player.job, layout.MASTER), b"longer")
    grown = player.client().get(player.path(layout.MASTER), headers=known)
    assert (grown.status_code, grown.content) == (200, b"longer")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("manifest.mpd", "application/dash+xml"),
        ("720p/init-0123456789abcdef.mp4", "video/mp4"),
        ("captions/en.vtt", "text/vtt; charset=utf-8"),
        ("report.json", "application/json"),
        ("images/1.jpg", "image/jpeg"),
        ("what.ever", "application/octet-stream"),
    ],
)
def test_content_types_are_those_of_the_names(name: str, kind: str) -> None:
    player = Player()
    player.gateway.store.put(layout.media(player.job, name), BODY)
    assert player.client().get(player.path(name)).headers["content-type"] == kind


def test_a_range_is_partial_content() -> None:
    player = Player()
    answer = player.client().get(player.path(SEGMENT), headers={"range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, BODY[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{len(BODY)}"
    beyond = player.client().get(player.path(SEGMENT), headers={"range": "bytes=99999-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(BODY)}")


def test_head_says_what_get_would() -> None:
    player = Player()
    for headers in ({}, {"range": "bytes=1-2"}, {"if-none-match": "*"}, {"range": "bytes=9999-"}):
        head = player.client().head(player.path(SEGMENT), headers=headers)
        get = player.client().get(player.path(SEGMENT), headers=headers)
        assert head.content == b""
        assert head.status_code == get.status_code
        for name in ("etag", "content-range", "cache-control", "content-type"):
            assert head.headers.get(name) == get.headers.get(name)
        if get.status_code < 300:
            assert head.headers["content-length"] == get.headers["content-length"]


def test_an_empty_output_has_no_bytes() -> None:
    player = Player()
    player.gateway.store.put(layout.media(player.job, "empty.vtt"), b"")
    answer = player.client().get(player.path("empty.vtt"))
    assert (answer.status_code, answer.content) == (200, b"")


def test_long_outputs_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PIECE_BYTES", 7)
    player = Player()
    answer = player.client().get(player.path(SEGMENT), headers={"range": "bytes=3-30"})
    assert answer.content == BODY[3:31]


def test_a_link_ends() -> None:
    player = Player()
    player.gateway.clock.advance(sign.TTL_S + 3601)
    assert player.client().get(player.path(SEGMENT)).status_code == 404


def test_a_link_is_of_one_job_and_its_outputs_alone() -> None:
    player = Player()
    other = player.gateway.job(state="completed")
    player.gateway.store.put(layout.media(other, SEGMENT), BODY)
    client = player.client()
    for path in (
        sign.path(player.token, other, SEGMENT),
        sign.path("x" + player.token, player.job, SEGMENT),
        sign.path(player.token, player.job.upper(), SEGMENT),
        player.path("none.m4s"),
        player.path(""),
        f"/media/{player.token}/{player.job}/..%2f{other}/{SEGMENT}",
        f"/media/{player.token}/{player.job}/%2e%2e/{other}/{SEGMENT}",
        f"/media/{player.token}/{player.job}//{SEGMENT}",
        f"/media/{player.token}/{player.job}/720p/%00",
    ):
        assert client.get(path).status_code == 404, path


def test_a_job_is_played_by_anybody_only_where_it_is_public() -> None:
    player = Player()
    path = player.path(SEGMENT, sign.PUBLIC)
    assert player.client().get(path).status_code == 404
    at = layout.manifest(player.job)
    manifest = record.load(player.gateway.store.get(at), Manifest)
    opened = record.dump(manifest).replace(b'"public":false', b'"public":true')
    player.gateway.store.put(at, opened)
    answer = player.client().get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"].startswith("public, ")


def test_an_operator_may_open_every_job() -> None:
    player = Player(Gateway(public_media=True))
    assert player.client().get(player.path(SEGMENT, sign.PUBLIC)).status_code == 200


def test_players_elsewhere_read_where_their_origin_is_named() -> None:
    origin = "https://player.example"
    closed = Player()
    answer = closed.client().get(closed.path(SEGMENT), headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    for players, told in (((origin,), origin), (("*",), "*"), (("https://x.example",), None)):
        player = Player(Gateway(players=players))
        answer = player.client().get(player.path(SEGMENT), headers={"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == told
        assert answer.headers["vary"] == "origin"
        asked = player.client().options(player.path(SEGMENT), headers={"origin": origin})
        assert (asked.status_code, asked.headers.get("access-control-allow-origin")) == (204, told)
