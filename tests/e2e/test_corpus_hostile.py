"""Files of the corpus that are cut off, damaged, encrypted, no films at all or meant to do harm."""

from __future__ import annotations

import socket
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.corpus import table
from tests.corpus.case import Case, Completed, Ignored, refused
from tests.corpus.judge import judge, leaks, plainly
from tests.corpus.kitchen import Kitchen
from tests.corpus.site import Site


@pytest.mark.parametrize("case", table.HOSTILE, ids=[case.id for case in table.HOSTILE])
def test_a_file_ends_as_it_has_to(case: Case, kitchen: Kitchen, tmp_path: Path) -> None:
    ended = Site(tmp_path).bring(case.make(kitchen.bases), key=case.key, options=case.options)
    assert [*judge(case, ended, secret=kitchen.secret), *kitchen.asked()] == []


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        (Completed(frames=49, sounds=1), "50 frames, not 49"),
        (Completed(frames=50, sounds=2), "1 pictures and 1 sounds"),
        (Completed(frames=50, sounds=1, size=(64, 64)), "(64, 36) in size"),
        (Completed(frames=50, sounds=1, rate=Fraction(30)), "frames last"),
        (Completed(frames=50, sounds=1, sound_s=Fraction(3)), "s of sound, not 3"),
        (Completed(frames=50, sounds=1, notes=("variable",)), "no note says"),
        (Completed(frames=50, sounds=1, corner="bottom right"), "the white corner is"),
        (refused("too_long"), "completed (completed: )"),
        (Ignored(), "ended in"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_judge_sees_an_end_that_is_not_the_promised_one(
    end: Completed, complaint: str, kitchen: Kitchen, tmp_path: Path
) -> None:
    ended = Site(tmp_path).bring(kitchen.bases.mp4)
    complaints = judge(Case("", lambda bases: bases.mp4, end), ended)
    assert any(complaint in text for text in complaints), complaints


def test_the_judge_sees_a_lost_frame_a_leak_and_an_expensive_program(
    kitchen: Kitchen, tmp_path: Path
) -> None:
    case = Case("", lambda bases: bases.mp4, Completed(frames=50, sounds=1))
    ended = Site(tmp_path).bring(kitchen.bases.mp4)
    assert judge(case, ended) == []
    children = tuple(replace(each, max_rss_bytes=1 << 40) for each in ended.children)
    dear = judge(replace(case, cpu_s=0.001), replace(ended, children=children))
    assert any("s of CPU" in text for text in dear)
    assert any("MiB of memory" in text for text in dear)
    segment = max((ended.media / "36p").glob("*.m4s"))
    segment.write_bytes(segment.read_bytes() + kitchen.secret)
    assert [*leaks(ended.site, case.key, kitchen.secret)]
    segment.write_bytes(min((ended.media / "36p").glob("*.m4s")).read_bytes())
    assert any("leaps" in text for text in judge(case, ended))
    assert any("no sentence" in text for text in plainly("too_long", "Red: \x1b[31m."))


def test_the_kitchen_hears_who_asks(kitchen: Kitchen) -> None:
    assert kitchen.asked() == []
    socket.create_connection(("127.0.0.1", kitchen.bases.port)).close()
    assert kitchen.asked() == ["somebody asked at the address in a file"]
