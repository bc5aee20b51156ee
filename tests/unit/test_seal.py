"""Secrets at rest: opened by the key, for what they were sealed about, and by nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.jobs.seal import Seal

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
NONCE = bytes(12)


def test_what_was_sealed_is_opened_again() -> None:
    seal = Seal((OLD,))
    sealed = seal.seal(b"secret", about="t1/e1", nonce=NONCE)
    assert seal.open(sealed, about="t1/e1") == b"secret"
    assert b"secret" not in base64.b64decode(sealed)


def test_it_opens_for_nothing_else() -> None:
    seal = Seal((OLD,))
    sealed = seal.seal(b"secret", about="t1/e1", nonce=NONCE)
    for other, about in ((Seal((NEW,)), "t1/e1"), (seal, "t2/e1"), (seal, "")):
        with pytest.raises(ValueError, match="master key"):
            other.open(sealed, about=about)


def test_a_new_key_before_the_old_one_opens_both_and_seals_with_the_new() -> None:
    both = Seal((NEW, OLD))
    sealed = Seal((OLD,)).seal(b"secret", about="x", nonce=NONCE)
    assert both.open(sealed, about="x") == b"secret"
    again = both.seal(b"secret", about="x", nonce=NONCE)
    assert Seal((NEW,)).open(again, about="x") == b"secret"


@given(st.binary(max_size=60), st.text(max_size=60))
def test_whatever_else_is_given_is_a_value_error(noise: bytes, text: str) -> None:
    for sealed in (base64.b64encode(noise).decode(), text):
        with pytest.raises(ValueError):
            Seal((OLD,)).open(sealed, about="x")


def test_a_nonce_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="nonce"):
        Seal((OLD,)).seal(b"secret", about="x", nonce=b"short")


def test_a_key_for_one_purpose_is_not_that_for_another() -> None:
    seal = Seal((NEW, OLD))
    assert seal.key_for("a") == Seal((NEW,)).key_for("a") != seal.key_for("b")
    assert seal.keys_for("a")[1] == Seal((OLD,)).key_for("a")


@pytest.mark.parametrize("text", ["", "x", "AAAA", base64.b64encode(bytes(31)).decode()])
def test_a_master_key_that_cannot_be_used_is_named_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="KINORA_MASTER_KEY") as caught:
        Seal.read({"KINORA_MASTER_KEY": text})
    assert not text or text not in str(caught.value)


def test_master_keys_are_separated_by_commas() -> None:
    text = ", ".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    assert Seal.read({"KINORA_MASTER_KEY": text}) == Seal((NEW, OLD))
