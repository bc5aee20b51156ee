"""Where a runtime lets the outside in, and on which stores it works."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from pathlib import Path

import aiohttp
import aiohttp.web
import pytest

from eventing.codec import Message
from eventing.listener import Listener
from knative.cli.doors import NOTIFICATIONS, Doors
from knative.local.broker.ingress import serve
from knative.local.broker.subscriber import Reply, Unreachable
from knative.local.home import Home
from knative.local.keyring import keyring
from knative.local.launcher import open_to
from knative.local.listen import Listen
from knative.local.notifications import intake
from knative.local.port import ReservedPort
from knative.local.stores import Stores, chosen


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("0.0.0.0:80", "0.0.0.0", 80),
        (":8080", "127.0.0.1", 8080),
        ("8080", "127.0.0.1", 8080),
        ("[::1]:8080", "::1", 8080),
        ("localhost:0", "localhost", 0),
    ],
)
def test_an_address_to_listen_on_is_read(text: str, host: str, port: int) -> None:
    assert Listen.parse(text) == Listen(host, port)


@pytest.mark.parametrize("text", ["", "localhost", "http://localhost:80", "::", ":x", ":65536"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no address to listen on"):
        Listen.parse(text)


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True), ("::1", True),
     ("0.0.0.0", False), ("192.168.1.2", False), ("127.0.0.1.example.com", False), ("", False)],
)  # fmt: skip
def test_only_addresses_of_this_machine_count_as_its_own(host: str, own: bool) -> None:
    assert Listen(host, 80).is_loopback is own


def test_notifications_are_taken_where_there_are_buckets_and_the_page_can_be_switched_off() -> None:
    assert Doors.choose("off", "", on_s3=False) == Doors(page=None, notifications=None)
    assert Doors.choose("off", "", on_s3=True) == Doors(page=None, notifications=NOTIFICATIONS)
    assert Doors.choose("off", "off", on_s3=True) == Doors(page=None, notifications=None)
    both = Doors.choose("127.0.0.1:1", "127.0.0.1:2", on_s3=False)
    assert both == Doors(page=Listen("127.0.0.1", 1), notifications=Listen("127.0.0.1", 2))


@pytest.mark.parametrize(
    ("host", "env", "tenant"),
    [
        ("127.0.0.1", {}, "local"),
        ("0.0.0.0", {}, ""),
        ("127.0.0.1", {"KINORA_PUBLIC_URL": "http://localhost:8080"}, "local"),
        ("127.0.0.1", {"KINORA_PUBLIC_URL": "https://kinora.example"}, ""),
        ("127.0.0.1", {"KINORA_OPEN_TO": ""}, ""),
        (
            "127.0.0.1",
            {"KINORA_OPEN_TO": "me", "KINORA_PUBLIC_URL": "https://kinora.example"},
            "me",
        ),
    ],
)
def test_a_gateway_is_open_where_this_machine_alone_reaches_it(
    host: str, env: dict[str, str], tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KINORA_PUBLIC_URL", "KINORA_OPEN_TO"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert open_to(Listen(host, 8080)) == tenant


def test_an_address_that_is_taken_is_named_with_what_names_another() -> None:
    said = Doors.choose("127.0.0.1:1", "127.0.0.1:2", on_s3=True).taken()
    assert "127.0.0.1:1 or 127.0.0.1:2" in said and "--listen or --notifications" in said
    assert "--listen" not in Doors.choose("off", "127.0.0.1:2", on_s3=True).taken()


def test_the_page_takes_another_port_where_somebody_has_the_usual_one() -> None:
    async def scenario() -> None:
        async with serve(_refuse, port=0) as address:
            taken = int(address.rpartition(":")[2])
            with pytest.raises(OSError):
                ReservedPort(number=taken)

    asyncio.run(scenario())


async def _refuse(request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
    return aiohttp.web.Response(status=500)


def test_short_words_mean_the_usual_stores_or_those_of_the_environment() -> None:
    assert chosen("", "", {"KINORA_STORE": "s3://other"}) == Stores()
    usual = Stores(objects="s3://kinora", state="redis://127.0.0.1:6379/0")
    assert chosen("s3", "redis", {}) == usual
    env = {"KINORA_STORE": "s3://acme", "KINORA_STATE": "rediss://cache/1"}
    assert chosen("s3", "redis", env) == Stores(objects="s3://acme", state="rediss://cache/1")
    assert chosen("s3://mine", "", env) == Stores(objects="s3://mine")


@pytest.mark.parametrize(("objects", "state"), [("minio", ""), ("", "memcached"), ("http://x", "")])
def test_what_is_no_store_is_refused(objects: str, state: str) -> None:
    with pytest.raises(ValueError, match="store"):
        chosen(objects, state, {})


def test_commands_beside_a_runtime_find_its_stores(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.own.mkdir()
    assert home.stores == Stores()
    assert home.objects_at(home.stores) == str(tmp_path)
    home.settle(Stores(objects="s3://acme", state="redis://cache/0"))
    assert home.stores == Stores(objects="s3://acme", state="redis://cache/0")
    assert home.objects_at(home.stores) == "s3://acme"
    assert home.state_at(home.stores) == "redis://cache/0"


def test_secrets_stay_the_same_are_the_owners_alone_and_the_environments_count(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secrets.json"
    first = keyring(file, {})
    assert keyring(file, {}) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first) == 2
    assert keyring(file, {"KINORA_MASTER_KEY": "mine"}) == first | {"KINORA_MASTER_KEY": "mine"}
    assert json.loads(file.read_text()) == first


class Source:
    """What stands behind the address: answers, or is not there."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[Message] = []

    async def __call__(self, message: Message, *, timeout_s: float) -> Reply:
        if not self.status:
            raise Unreachable("nobody")
        self.got.append(message)
        return Reply(self.status, {}, b"why" if self.status >= 400 else b"")


def posted(source: Source, body: bytes | io.BytesIO, **headers: str) -> tuple[int, bytes]:
    async def scenario() -> tuple[int, bytes]:
        async with serve(intake(source)) as url, aiohttp.ClientSession() as client:
            async with client.get(url) as answer:
                assert answer.status == 200
            async with client.post(f"{url}/any/where", data=body, headers=headers) as answer:
                return answer.status, await answer.read()

    return asyncio.run(scenario())


def test_a_notification_reaches_the_source_with_what_tells_its_dialect() -> None:
    source = Source()
    assert posted(source, b"{}", Authorization="Bearer t", Cookie="c=d") == (204, b"")
    (message,) = source.got
    assert message.body == b"{}"
    assert message.headers["authorization"] == "Bearer t"
    assert "cookie" not in message.headers and "host" not in message.headers


def test_what_the_source_answers_is_answered_and_its_absence_is_not_now() -> None:
    assert posted(Source(401), b"{}") == (401, b"why")
    assert posted(Source(0), b"{}") == (503, b"")


def test_of_a_body_that_is_too_large_the_source_sees_that_it_is() -> None:
    source = Source()
    limit_bytes = Listener.body_limit_bytes
    assert posted(source, io.BytesIO(b"x" * (limit_bytes + 500_000))) == (204, b"")
    assert [len(message.body) for message in source.got] == [limit_bytes + 1]
