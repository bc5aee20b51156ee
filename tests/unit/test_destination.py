"""Where deliveries may go: URLs and addresses as attackers write them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.webhooks.destination import AllowList, Destination, Forbidden, parse

PUBLIC = "93.184.215.14"


def allow(text: str) -> AllowList:
    return AllowList.read({"KINORA_WEBHOOK_ALLOW": text})


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://app.example", "app.example", 443, "/"),
        ("https://App.Example/hook?a=b", "app.example", 443, "/hook?a=b"),
        ("HTTPS://app.example:8443/", "app.example", 8443, "/"),
        ("https://app.example?a=b", "app.example", 443, "/?a=b"),
        ("https://app.example:/x", "app.example", 443, "/x"),
        ("http://app.example/", "app.example", 80, "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://a_b.example/", "a_b.example", 443, "/"),
        ("https://93.184.215.14/", PUBLIC, 443, "/"),
        ("https://[2606:2800:21F:CB07::1]:444/", "2606:2800:21f:cb07::1", 444, "/"),
        ("https://app.example/a@b", "app.example", 443, "/a@b"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, target: str) -> None:
    found = parse(url)
    assert (found.host, found.port, found.target) == (host, port, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example",
        "//app.example/",
        "ftp://app.example/",
        "file:///etc/passwd",
        "javascript://app.example/",
        "https:///path",
        "https://:443/",
        "https://user@app.example/",
        "https://user:word@app.example/",
        "https://good.example@evil.example/",
        "https://app.example#@evil.example/",
        "https://app.example/#x",
        "https://app.example\\@evil.example/",
        "https://app.example /",
        "https://app.example/a b",
        "https://app.example/\r\nhost: evil.example",
        "https://app.example/\x00",
        "https://bücher.example/",
        "https://app.example\N{IDEOGRAPHIC FULL STOP}evil/",
        "https://①②⑦.⓪.⓪.①/",
        "https://app.example./",
        "https://localhost./",
        "https://127.0.0.1./",
        "https://app..example/",
        "https://.example/",
        "https://-a.example/",
        "https://a-.example/",
        "https://*.example/",
        "https://%31%32%37.0.0.1/",
        "https://app.example:0/",
        "https://app.example:65536/",
        "https://app.example:99999999999999/",
        "https://app.example:-1/",
        "https://app.example:4x/",
        "https://app.example:443:443/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://1.2.3.4.5/",
        "https://127.0.0.01/",
        "https://0/",
        "https://[::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::1/",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://[]/",
        "https://[v1.x]/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
        "https://app.example/" + "a" * 2048,
    ],
)
def test_what_is_no_url_to_deliver_to_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(Forbidden) as caught:
        parse(url)
    assert str(caught.value)[-1] in ".…"


ELSEWHERE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Forbidden) as caught:
        AllowList().choose(parse("https://app.example/"), [PUBLIC, address])
    assert address in str(caught.value)
    assert "KINORA_WEBHOOK_ALLOW" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"],
)
def test_a_public_address_is_taken_by_https_alone(address: str) -> None:
    assert AllowList().choose(parse("https://app.example/"), [address]) == (address,)
    with pytest.raises(Forbidden, match="by https"):
        AllowList().choose(parse("http://app.example/"), [address])


@given(st.ip_addresses())
def test_nothing_is_taken_that_python_itself_does_not_call_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    inner = getattr(address, "ipv4_mapped", None) or address
    if not inner.is_global and address not in ipaddress.ip_network("64:ff9b::/96"):
        with pytest.raises(Forbidden):
            AllowList().choose(parse("https://app.example/"), [str(address)])


def test_a_name_without_addresses_is_refused() -> None:
    with pytest.raises(Forbidden, match="has no address"):
        AllowList().choose(parse("https://app.example/"), [])


def test_a_network_that_is_allowed_may_be_private_and_without_tls() -> None:
    inside = allow("10.1.0.0/16, fd00::/8")
    for url in ("https://app.example/", "http://app.example/"):
        assert inside.choose(parse(url), ["10.1.2.3"]) == ("10.1.2.3",)
        assert inside.choose(parse(url), ["fd00::1"]) == ("fd00::1",)
        assert inside.choose(parse(url), ["::ffff:10.1.2.3"]) == ("::ffff:10.1.2.3",)
        for outside in ("10.2.0.1", "127.0.0.1"):
            with pytest.raises(Forbidden):
                inside.choose(parse(url), ["10.1.2.3", outside])


def test_a_host_that_is_allowed_may_be_anywhere() -> None:
    inside = allow("hooks.internal,localhost")
    for url in ("http://hooks.internal:8000/", "https://LOCALHOST/"):
        assert inside.choose(parse(url), ["127.0.0.1"]) == ("127.0.0.1",)
    with pytest.raises(Forbidden):
        inside.choose(parse("https://other.internal/"), ["127.0.0.1"])
    with pytest.raises(Forbidden):
        inside.choose(parse("https://sub.hooks.internal/"), ["127.0.0.1"])


@pytest.mark.parametrize("text", ["10.1.2.3/16", "http://app.example", "*", "a b", "10.0.0.0/33"])
def test_an_allow_list_that_cannot_be_read_names_its_variable(text: str) -> None:
    with pytest.raises(ValueError, match="KINORA_WEBHOOK_ALLOW"):
        allow(text)


def test_an_empty_allow_list_allows_nothing_more() -> None:
    assert allow("") == allow(" , ") == AllowList()


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_forbidden(text: str) -> None:
    for url in (text, f"https://{text}", f"https://app.example{text}"):
        try:
            found = parse(url)
        except Forbidden:
            continue
        assert isinstance(found, Destination)
        assert parse(found.url) == found
        assert "@" not in found.host and found.host == found.host.lower()
