"""Addresses of a Redis: what they say, what is refused, and that passwords are never shown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from functions.adapters.redis.address import RedisAddress
from functions.adapters.redis.scripts import _FOLDER, _NEEDS, script


def test_an_address_says_everything() -> None:
    location = "rediss://anna:s%2Fcret@redis.example:6380/3?prefix=two&timeout_s=1.5&ca=/ca.pem"
    assert RedisAddress.at(location) == RedisAddress(
        host="redis.example",
        port=6380,
        db=3,
        username="anna",
        password="s/cret",
        tls=True,
        ca_file="/ca.pem",
        prefix="two",
        timeout_s=1.5,
    )


def test_most_of_it_may_be_left_out() -> None:
    address = RedisAddress.at("redis://[::1]")
    assert address == RedisAddress(host="::1")
    assert (address.port, address.db, address.timeout_s) == (6379, 0, 5.0)


def test_a_password_alone_is_that_of_the_default_user() -> None:
    address = RedisAddress.at("redis://:secret@host/")
    assert (address.username, address.password) == ("", "secret")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://host", "redis://host"),
        ("redis://", "named by its host"),
        ("redis:///0", "named by its host"),
        ("redis://host/films", "a number, not 'films'"),
        ("redis://host/²", "a number"),
        ("redis://host:99999", "port"),
        ("redis://host:port", "port"),
        ("redis://host?timeout=1", "unknown option 'timeout'"),
        ("redis://host?timeout_s=0", "number of seconds"),
        ("redis://host?timeout_s=nan", "number of seconds"),
        ("redis://host?timeout_s=soon", "number of seconds"),
        ("redis://host?prefix=", "a word without braces"),
        ("redis://host?prefix={a}", "a word without braces"),
        ("redis://host?ca=/ca.pem", "for rediss://"),
    ],
)
def test_an_address_that_is_wrong_is_refused_without_its_password(location: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        RedisAddress.at(location.replace("://host", "://anna:secret@host"))
    assert "secret" not in str(caught.value)


def test_a_password_is_not_shown() -> None:
    address = RedisAddress.at("redis://anna:secret@host")
    assert "secret" not in f"{address} {address!r}"


def test_a_redis_is_connected_and_its_library_loaded_with_the_first_call() -> None:
    code = (
        "import sys; from functions.adapters.connect import state_store\n"
        "state = state_store('redis://host.invalid'); state.close()\n"
        "assert 'redis' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_file_of_lua_is_part_of_a_script() -> None:
    used = {part for name, needs in _NEEDS.items() for part in (name, *needs)}
    assert {path.stem for path in _FOLDER.iterdir()} == used
    for name in _NEEDS:
        text, sha1 = script(name)
        assert text.startswith("#!lua")
        assert len(sha1) == 40
