"""Links to a job's outputs: good for one job, until their time, under any of the master keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from functions.gateway.playback import sign
from functions.jobs.seal import Seal

OLD, NEW = b"o" * 32, b"n" * 32
SEAL = Seal((NEW,))
JOB = "0123456789abcdef" * 2
OTHER = "f" * 32
NOW_S = 1_800_000_000.0


def test_a_token_is_good_for_its_job_until_its_time() -> None:
    shown = sign.token(SEAL, JOB, now_s=NOW_S, ttl_s=600)
    assert sign.is_valid(SEAL, shown, JOB, now_s=NOW_S)
    assert sign.is_valid(SEAL, shown, JOB, now_s=NOW_S + 600)
    assert not sign.is_valid(SEAL, shown, JOB, now_s=NOW_S + 600 + 3600)
    assert not sign.is_valid(SEAL, shown, OTHER, now_s=NOW_S)


def test_links_given_out_within_an_hour_are_the_same() -> None:
    shown = {sign.token(SEAL, JOB, now_s=NOW_S + minute * 60) for minute in range(60)}
    assert len(shown) <= 2


def test_tokens_outlive_the_change_of_the_master_key_and_not_its_removal() -> None:
    shown = sign.token(Seal((OLD,)), JOB, now_s=NOW_S)
    assert sign.is_valid(Seal((NEW, OLD)), shown, JOB, now_s=NOW_S)
    assert not sign.is_valid(Seal((NEW,)), shown, JOB, now_s=NOW_S)


@given(at=st.integers(0, 200), char=st.characters(codec="utf-8"))
def test_a_token_in_which_anything_is_changed_is_no_token(at: int, char: str) -> None:
    shown = sign.token(SEAL, JOB, now_s=NOW_S)
    at %= len(shown)
    forged = shown[:at] + char + shown[at + 1 :]
    assert sign.is_valid(SEAL, forged, JOB, now_s=NOW_S) == (forged == shown)


@given(st.text())
def test_no_other_text_is_a_token(text: str) -> None:
    assert not sign.is_valid(SEAL, text, JOB, now_s=0.0)


def test_names_in_paths_are_encoded() -> None:
    assert sign.path("t", JOB, "a b/c#?.vtt") == f"/media/t/{JOB}/a%20b/c%23%3F.vtt"
