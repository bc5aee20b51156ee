"""What an ended program tells: the source's fault, the world's, or nobody's."""

from __future__ import annotations

import signal

import pytest

from eventing.errors import Unavailable
from functions.encoder import outcome
from functions.encoder.outcome import CalledOff, Failed
from functions.jobs.refusal import refuse
from functions.ports import Finished, Stopped


def finished(returncode: int, *, stderr: str = "", stopped: Stopped = "") -> Finished:
    return Finished(
        returncode=returncode,
        stdout=b"",
        stderr=stderr,
        cpu_s=1.0,
        wall_s=2.0,
        max_rss_bytes=1,
        stopped=stopped,
    )


def test_exit_code_0_passes() -> None:
    outcome.check(finished(0, stderr="[h264 @ 0x55] odd"), "video")


@pytest.mark.parametrize(
    ("returncode", "stderr"),
    [
        (-signal.SIGKILL, ""),
        (-signal.SIGTERM, ""),
        (-signal.SIGINT, ""),
        (-signal.SIGHUP, ""),
        (255, ""),
        (228, ""),
        (1, "av_interleaved_write_frame(): No space left on device"),
        (126, "setpriv: failed to execute"),
        (127, "setpriv: failed to execute"),
    ],
)
def test_what_happened_from_outside_is_unavailable(returncode: int, stderr: str) -> None:
    with pytest.raises(Unavailable):
        outcome.check(finished(returncode, stderr=stderr), "video")


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (finished(-signal.SIGSEGV), "encoder_crashed"),
        (finished(-signal.SIGABRT), "encoder_crashed"),
        (finished(-signal.SIGBUS), "encoder_crashed"),
        (finished(-signal.SIGFPE), "encoder_crashed"),
        (finished(-signal.SIGILL), "encoder_crashed"),
        (finished(1, stderr="Invalid data found"), "decode_failed"),
        (finished(69, stderr="error rate"), "decode_failed"),
        (finished(244), "resource_limit"),
        (finished(1, stderr="Cannot allocate memory"), "resource_limit"),
        (finished(-signal.SIGTERM, stopped="wall"), "resource_limit"),
        (finished(-signal.SIGKILL, stopped="stall"), "resource_limit"),
        (finished(255, stopped="cpu"), "resource_limit"),
        (finished(-signal.SIGXFSZ, stopped="output"), "resource_limit"),
    ],
)
def test_what_the_source_did_is_a_failure_with_its_code(ended: Finished, code: str) -> None:
    with pytest.raises(Failed) as raised:
        outcome.check(ended, "video")
    assert raised.value.code == code
    assert raised.value.reason(attempts=2)
    assert not raised.value.final


def test_what_we_called_off_is_no_failure() -> None:
    with pytest.raises(CalledOff):
        outcome.check(finished(-signal.SIGKILL, stopped="called off"), "video")


@pytest.mark.parametrize(
    ("stderr", "problem"),
    [
        ("[h264 @ 0x55d0c8] [dec:h264] Invalid NAL unit 0\nmore\n", "Invalid NAL unit 0."),
        ("Error opening input file source.\nMissing stsd.\n", "Missing stsd."),
        ("", "its data is damaged."),
        (
            "[h264 @ 0x1] odd\n[aist#0:1/mp2 @ 0x2] Decode error rate 0.984 exceeds maximum 0.9\n",
            "98 % of its packets are damaged.",
        ),
        ("[mov @ 0x1] title \x1b[31m\u202e red", "title ?[31m? red."),
        ("x" * 1000, "x" * 200 + "."),
    ],
)
def test_the_reason_quotes_the_first_message_made_harmless(stderr: str, problem: str) -> None:
    with pytest.raises(Failed) as raised:
        outcome.check(finished(1, stderr=stderr), "video")
    assert f"could not be decoded: {problem} Check" in raised.value.reason(attempts=1)
    assert raised.value.detail == stderr


def test_a_crash_says_how_often() -> None:
    with pytest.raises(Failed) as raised:
        outcome.check(finished(-signal.SIGSEGV), "video")
    assert "crashed on this file 2 times" in raised.value.reason(attempts=2)


def test_what_was_refused_keeps_its_words_and_is_final() -> None:
    rejected = refuse("source_gone")
    failed = Failed.of(rejected)
    assert (failed.code, failed.reason(attempts=1), failed.final) == (
        "source_gone",
        rejected.reason,
        True,
    )
