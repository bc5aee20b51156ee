"""Playlists and the early master grow with what is done, and a join costs what its tasks cost."""

from __future__ import annotations

from eventing.contract import TaskCompleted
from functions.assembler import growth
from functions.jobs import layout
from functions.media.streams import hls
from tests.flow.faults import Fault
from tests.flow.media import Film
from tests.flow.stage import Stage


def test_playlists_grow_with_what_is_done_without_a_gap() -> None:
    stage = Stage(Film(chunks=4, rungs=1, sounds=0))
    lengths = []
    for task in ("v0002", "v0000", "v0003", "v0001"):
        list(stage.assembler().task_completed(stage.do(task)))
        lengths.append(hls.length(stage.text("240p/playlist.m3u8")))
    assert lengths == [0, 1, 1, 4]
    assert not hls.ended(stage.text("240p/playlist.m3u8"))


def test_a_playlist_only_ever_grows_at_its_end() -> None:
    stage = Stage(Film(chunks=4))
    before = ""
    for event in stage.do_all():
        list(stage.assembler().task_completed(event))
        now = stage.text("240p/playlist.m3u8")
        assert now.startswith(before)
        before = now
    list(stage.assembler().job_encoded(stage.encoded()))
    assert stage.text("240p/playlist.m3u8").startswith(before)


def offered(stage: Stage, *tasks: str) -> list[str]:
    """What the early master names when these have been done."""
    for task in tasks:
        list(stage.assembler().task_completed(stage.do(task)))
    return sorted(name.partition("/")[0] for name in hls.playlists_of(stage.text("early.m3u8")))


def test_the_early_master_comes_with_the_lowest_rung_and_sound_and_grows_with_the_others() -> None:
    stage = Stage(Film(chunks=2, rungs=2, split=True, sounds=2))
    assert offered(stage, "v0000-a") == []
    assert offered(stage, "a1") == ["240p", "audio-1"]
    assert offered(stage, "v0001-a") == ["240p", "audio-1"]
    assert offered(stage, "v0000-b") == ["240p", "480p", "audio-1"]
    assert offered(stage, "a2") == ["240p", "480p", "audio-1", "audio-2"]


def test_the_early_master_waits_for_the_lowest_rung_and_for_the_first_sound() -> None:
    stage = Stage(Film(chunks=2, rungs=2, split=True, sounds=2))
    assert offered(stage, "v0000-b", "a2", "a1") == []
    assert offered(stage, "v0000-a") == ["240p", "480p", "audio-1", "audio-2"]


def test_without_sound_or_pictures_the_early_master_waits_for_neither() -> None:
    assert offered(Stage(Film(chunks=2, rungs=1, sounds=0)), "v0000") == ["240p"]


def test_two_that_offer_at_once_lose_no_rendition() -> None:
    for at in range(1, 40):
        stage = Stage(Film(chunks=2, rungs=2, split=True))
        offered(stage, "v0000-a")
        sound, other = stage.do("a1"), stage.do("v0000-b")

        def others(stage: Stage = stage, other: TaskCompleted = other) -> None:
            list(stage.assembler().task_completed(other))

        fault = Fault(kind="overtaken", at=at, overtake=others)
        list(stage.assembler(fault).task_completed(sound))
        if not fault.struck:
            others()
        assert offered(stage) == ["240p", "480p", "audio-1"], at


def test_a_playlist_is_not_rewritten_with_every_task_of_a_long_plan() -> None:
    stage = Stage(Film(chunks=200, rungs=1, sounds=0))
    etags = set()
    for task in stage.plan.tasks:
        stage.do(task.id)
        growth.grow(stage.store, stage.plan, task)
        info = stage.store.head(layout.media_playlist(stage.job, "240p"))
        assert info is not None
        etags.add(info.etag)
    assert len(etags) == 50


def test_a_lost_race_over_a_playlist_does_no_harm() -> None:
    for at in range(1, 15):
        stage = Stage(Film(chunks=3, rungs=1, sounds=0))
        first, second, third = stage.do_all()

        def others(stage: Stage = stage, second: TaskCompleted = second) -> None:
            list(stage.assembler().task_completed(second))

        list(stage.assembler(Fault(kind="overtaken", at=at, overtake=others)).task_completed(first))
        list(stage.assembler().task_completed(third))
        assert hls.length(stage.text("240p/playlist.m3u8")) == 3


def test_a_playlist_that_ended_never_opens_again() -> None:
    for at in range(1, 15):
        stage = Stage(Film(chunks=2, rungs=1, sounds=0))
        first, second = stage.do_all()
        stage.state.complete(stage.job, 1, "v0001", total=2)

        def assembled(stage: Stage = stage) -> None:
            list(stage.assembler().job_encoded(stage.encoded()))

        fault = Fault(kind="overtaken", at=at, overtake=assembled)
        list(stage.assembler(fault).task_completed(first))
        list(stage.assembler().task_completed(second))
        if fault.struck:
            assert hls.ended(stage.text("240p/playlist.m3u8")), at
            assert hls.length(stage.text("240p/playlist.m3u8")) == 2


def test_what_does_not_fit_is_left_for_the_assembly_to_find() -> None:
    stage = Stage(Film(chunks=2, rungs=1, sounds=0))
    events = stage.do_all()
    stage.change_receipt("v0001", {"duration_ticks": 10**9})
    for event in events:
        list(stage.assembler().task_completed(event))
    assert hls.length(stage.text("240p/playlist.m3u8")) <= 1


def requests(chunks: int) -> int:
    """Of a job's whole join, to both stores."""
    stage, counted = Stage(Film(chunks=chunks, rungs=1)), Fault()
    assembler = stage.assembler(counted)
    for task in stage.plan.tasks:
        list(assembler.task_completed(stage.do(task.id)))
    return counted.calls


def test_the_requests_of_a_join_grow_with_its_tasks_and_not_with_their_square() -> None:
    few, many = requests(100), requests(300)
    assert many < 3 * few


def test_a_plan_is_read_once_however_many_of_its_tasks_end() -> None:
    stage, read = Stage(Film(chunks=20)), []
    get = stage.store.get
    stage.store.get = lambda key: read.append(key) or get(key)  # type: ignore[method-assign, func-returns-value]
    assembler = stage.assembler()
    for task in stage.plan.tasks:
        list(assembler.task_completed(stage.do(task.id)))
    own = read.count(layout.plan(stage.job, 1)) - 2 * len(stage.plan.tasks)  # the encoder's
    assert own == 1
