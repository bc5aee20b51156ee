"""Deliveries over real sockets: what is sent, what is refused, and that everything has an end."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from functions.adapters.reach import Reach
from functions.adapters.webhook import BODY_LIMIT_BYTES, HttpWebhook
from functions.ports import Answer, Post
from functions.webhooks import signature
from functions.webhooks.destination import AllowList
from functions.webhooks.log import EXCERPT_BYTES
from functions.webhooks.signature import Key
from tests import receivers
from tests.certificates import self_signed
from tests.receivers import Handler, Receiver, Reply, receiver

ENOUGH_S = 20.0
"""However busy the machine is."""
SOON_S = 0.5
"""For whoever never answers."""
LOOPBACK = AllowList.read({"KINORA_WEBHOOK_ALLOW": "127.0.0.0/8,::1/128"})
KEY = Key(scheme="v1", secret=bytes(range(32)))


class Resolver:
    """A resolver whose answers are written down, one after the other, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def webhook(
    *,
    allow: AllowList = LOOPBACK,
    resolve: Resolver | None = None,
    timeout_s: float = ENOUGH_S,
    tls: ssl.SSLContext | None = None,
) -> HttpWebhook:
    reach = Reach(allow=allow, resolve=resolve) if resolve else Reach(allow=allow)
    return HttpWebhook(reach, timeout_s=timeout_s, tls=tls)


def post(url: str, body: bytes = b'{"a":1}') -> Post:
    headers = signature.headers([KEY], id="1" * 32, body=body, now_s=time.time())
    return Post(url=url, headers={"content-type": "application/json", **headers}, body=body)


def send(to: Receiver | str, hook: HttpWebhook | None = None) -> Answer:
    (answer,) = sent(hook or webhook(), to if isinstance(to, str) else to.url)
    return answer


def sent(hook: HttpWebhook, *urls: str) -> list[Answer]:
    """The answers, in the order of the URLs."""
    return [answer for _, answer in sorted(hook([post(url) for url in urls]), key=itemgetter(0))]


def replying(status: int, body: bytes = b"", **headers: str) -> Reply:
    def reply(handler: Handler) -> None:
        handler.answer(status, body, **headers)

    return reply


# What is sent.


def test_what_arrives_is_what_was_signed() -> None:
    with receiver() as there:
        answer = send(there)
    assert (answer.status, answer.error) == (204, "")
    (got,) = there.got
    assert got.path == "/hook"
    Webhook(KEY.shown).verify(got.body, got.headers)
    assert got.headers["host"] == f"127.0.0.1:{there.port}"
    assert got.headers["connection"] == "close"
    assert "cookie" not in got.headers


def test_nothing_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiver() as there:
        assert send(there).status == 204


def test_cookies_are_not_kept() -> None:
    hook = webhook()
    with receiver(replying(200, set_cookie="a=b")) as there:
        send(there, hook)
        send(there, hook)
    assert ["cookie" in got.headers for got in there.got] == [False, False]


def test_several_are_sent_at_the_same_time() -> None:
    together = threading.Barrier(3)

    def reply(handler: Handler) -> None:
        together.wait(timeout=30)
        handler.answer(200)

    with receiver(reply) as one, receiver(reply) as other:
        answers = sent(webhook(timeout_s=30), one.url, one.url, other.url)
    assert [answer.status for answer in answers] == [200, 200, 200]


def test_answers_come_as_they_are_given() -> None:
    with receiver(receivers.hang) as slow, receiver() as quick:
        answers = webhook(timeout_s=30)([post(slow.url), post(quick.url)])
        place, answer = next(answers)
    assert (place, answer.status) == (1, 204)


# What is answered.


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_says_that_it_was_taken(status: int) -> None:
    with receiver(replying(status)) as there:
        assert send(there).error == ""


@pytest.mark.parametrize("status", [304, 400, 404, 410, 429, 500, 503])
def test_anything_else_says_that_it_was_not(status: int) -> None:
    with receiver(replying(status, b"", retry_after="17")) as there:
        answer = send(there)
    assert answer.status == status
    assert str(status) in answer.error
    assert answer.retry_after == "17"
    assert not answer.hung


def test_redirects_are_not_followed() -> None:
    with receiver() as inside, receiver(replying(302, location=inside.url)) as there:
        answer = send(there)
    assert answer.status == 302
    assert "redirects are not followed" in answer.error
    assert not inside.got


def test_the_answer_is_kept_in_part() -> None:
    with receiver(replying(500, b"no \xff" + b"x" * 5000)) as there:
        answer = send(there)
    assert answer.excerpt.startswith("no \N{REPLACEMENT CHARACTER}x")
    assert len(answer.excerpt) == EXCERPT_BYTES


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    with receiver(receivers.flood) as there:
        answer = send(there)
    assert answer.status == 200
    assert len(answer.excerpt) == EXCERPT_BYTES < BODY_LIMIT_BYTES


# Whoever takes their time.


@pytest.mark.parametrize("reply", [receivers.hang, receivers.drip_head])
def test_an_answer_that_does_not_come_ends_with_the_time_for_it(reply: Reply) -> None:
    with receiver(reply) as there:
        answer = send(there, webhook(timeout_s=SOON_S))
    assert answer.status == 0
    assert answer.hung
    assert answer.error == "There was no answer within 0.5 seconds."


def test_a_status_counts_though_its_body_drips() -> None:
    with receiver(receivers.drip_body) as there:
        answer = send(there)
    assert (answer.status, answer.error) == (200, "")


def test_a_resolver_that_hangs_holds_nobody_up() -> None:
    with receiver() as there:

        def resolve(host: str, port: int) -> Sequence[str]:
            there.ending.wait()
            return ["127.0.0.1"]

        hook = HttpWebhook(Reach(allow=LOOPBACK, resolve=resolve), timeout_s=SOON_S)
        slow, other = sent(hook, "http://slow.example/", "http://slow.example/")
    assert (slow.hung, other.hung) == (True, True)


@pytest.mark.parametrize("reply", [receivers.nonsense, receivers.close])
def test_what_is_no_answer_is_a_failure_with_a_reason(reply: Reply) -> None:
    with receiver(reply) as there:
        answer = send(there)
    assert answer.status == 0
    assert answer.error.startswith("The answer is no HTTP: ")


def test_a_port_where_nobody_listens_is_a_failure_with_a_reason() -> None:
    with receiver() as there:
        pass
    answer = send(there)
    assert answer.status == 0
    assert "refused" in answer.error
    assert not answer.hung


# Where it may go.


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "localhost."]
)
def test_without_an_allowance_nothing_reaches_this_machine(host: str) -> None:
    with receiver() as there:
        answer = send(f"http://{host}:{there.port}/", webhook(allow=AllowList()))
    assert answer.status == 0
    assert answer.error
    assert not there.got


def test_a_name_that_changes_its_address_is_looked_up_once_an_attempt() -> None:
    """What is judged is what is connected to: a second look-up would lead elsewhere."""
    resolve = Resolver(["127.0.0.1"], ["127.0.0.2"])
    allow = AllowList.read({"KINORA_WEBHOOK_ALLOW": "127.0.0.1/32"})
    hook = webhook(allow=allow, resolve=resolve)
    with receiver() as there:
        url = f"http://rebinds.example:{there.port}/"
        assert send(url, hook).status == 204
        assert resolve.asked == ["rebinds.example"]
        again = send(url, hook)
    assert again.status == 0
    assert "rebinds.example stands for 127.0.0.2, which is this machine itself" in again.error
    assert len(there.got) == 1


def test_one_bad_address_among_good_ones_is_enough() -> None:
    resolve = Resolver(["93.184.215.14", "10.0.0.1"])
    answer = send("https://mixed.example/", webhook(allow=AllowList(), resolve=resolve))
    assert "10.0.0.1, which is a private address" in answer.error


def test_a_name_without_an_address_is_a_failure_with_a_reason() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    answer = send(
        "https://nowhere.example/", HttpWebhook(Reach(resolve=resolve), timeout_s=ENOUGH_S)
    )
    assert answer.error == "The host name nowhere.example cannot be looked up."


def test_the_next_address_is_taken_where_the_first_does_not_answer() -> None:
    resolve = Resolver(["127.0.0.2", "127.0.0.1"])
    with receiver() as there:
        answer = send(f"http://two.example:{there.port}/", webhook(resolve=resolve))
    assert answer.status == 204
    assert there.got[0].headers["host"] == f"two.example:{there.port}"


def test_an_address_of_ipv6_works_as_well() -> None:
    with receiver(host="::1") as there:
        assert send(there).status == 204
    assert there.got[0].headers["host"] == f"[::1]:{there.port}"


# TLS.


def certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of these names shows, and what a client needs to believe it."""
    shown, key = self_signed(folder, *names, address="127.0.0.3")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown, key)
    return server, ssl.create_default_context(cafile=shown)


def test_the_name_in_the_url_is_the_name_that_the_certificate_has_to_have(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "good.example")
    seen: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: seen.append(name)
    hook = webhook(resolve=Resolver(["127.0.0.1"]), tls=client)
    with receiver(tls=server) as there:
        good = send(f"https://good.example:{there.port}/hook", hook)
        bad = send(f"https://bad.example:{there.port}/hook", hook)
    assert good.status == 204
    assert seen == ["good.example", "bad.example"]
    assert there.got[0].headers["host"] == f"good.example:{there.port}"
    assert len(there.got) == 1
    assert bad.status == 0
    assert "certificate" in bad.error


def test_a_certificate_of_nobody_known_is_a_failure_with_a_reason(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "good.example")
    hook = webhook(resolve=Resolver(["127.0.0.1"]))
    with receiver(tls=server) as there:
        answer = send(f"https://good.example:{there.port}/", hook)
    assert answer.status == 0
    assert "certificate" in answer.error
    assert not there.got


def test_a_handshake_that_does_not_end_ends_with_the_time_for_it(tmp_path: Path) -> None:
    _, client = certificate(tmp_path, "good.example")
    hook = webhook(resolve=Resolver(["127.0.0.1"]), tls=client, timeout_s=SOON_S)
    # A server that waits for a request in plain text never answers a handshake.
    with receiver(receivers.hang) as there:
        answer = send(f"https://good.example:{there.port}/", hook)
    assert answer.status == 0
    assert not there.got
