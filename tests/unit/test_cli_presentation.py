"""What commands show, as functions of records."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.cloudevent import CloudEvent
from functions.jobs import layout, overview, progress, record
from functions.jobs.receipt import Receipt
from functions.media.cutting.timeline import Timeline
from knative.cli import bar, checkup, eventfile, eventtree, narrator, output, tables, wording
from knative.cli.complaint import Complaint
from knative.cli.follow import Patience
from knative.local.broker.history import Accepted, Attempt, Delivery
from tests.fakes import ManualClock, MemoryStore
from tests.unit import cli_samples as samples

PLAN = samples.plan()
TASKS = {task.id for task in PLAN.tasks}


def receipt(task: str) -> Receipt:
    return Receipt(
        job=samples.JOB,
        generation=1,
        task=task,
        tracks=(),
        worker="w",
        started_s=0.0,
        finished_s=1.0,
        cpu_ms=1,
        source_bytes_read=1,
    )


def seen() -> overview.Overview:
    return overview.Overview(
        job=samples.JOB,
        manifest=samples.manifest(),
        plan=PLAN,
        generation=PLAN.generation,
        done=frozenset(),
        verdict=None,
        frames={},
    )


def test_a_job_goes_through_its_states_as_its_records_come() -> None:
    store = MemoryStore()

    def state() -> str:
        found = overview.read(store, samples.JOB)
        return found.state if found else ""

    assert state() == ""
    samples.accept(store)
    assert state() == "accepted"
    prepare = replace(PLAN, kind="prepare", tasks=PLAN.tasks[-1:])
    store.create(layout.plan(samples.JOB, 9), record.dump(prepare))
    assert state() == "preparing"
    store.create(layout.plan(samples.JOB, 10), record.dump(replace(PLAN, generation=10)))
    assert state() == "encoding"
    for task in TASKS:
        store.create(layout.receipt(samples.JOB, 10, task), record.dump(receipt(task)))
    assert state() == "assembling"
    samples.finish(store, samples.verdict())
    assert state() == "completed"
    assert seen().elapsed_s is None


def test_progress_counts_frames_and_weighs_tasks_by_their_cost() -> None:
    at = progress.of_plan(PLAN, {"v0000"}, {"v0001": 50, "v0000": 3, "a1": 96_000})
    assert (at.frames, at.frames_total) == (150, 200)
    assert (at.tasks, at.tasks_total) == (1, 3)
    assert at.share == Fraction(400 + 200 + 50, 1000)
    assert at.speed(3.0) == 2.0
    assert at.remaining_s(65.0) == pytest.approx(35.0)


@given(
    done=st.sets(st.sampled_from(sorted(TASKS))),
    frames=st.dictionaries(st.sampled_from(sorted(TASKS)), st.integers(-5, 10**9)),
)
def test_progress_never_leaves_its_bounds(done: set[str], frames: dict[str, int]) -> None:
    at = progress.of_plan(PLAN, done, frames)
    assert 0 <= at.share <= 1
    assert 0 <= at.frames <= at.frames_total == 200
    assert (at.share == 1) >= (done == TASKS)


def test_before_the_plan_nothing_is_said_of_speed() -> None:
    at = progress.of_plan(None, set(), {})
    assert at == progress.NOTHING
    assert bar.line("accepted", at, 3.0) == "reading the file"


def test_the_bar_says_frames_tasks_speed_and_what_remains() -> None:
    at = progress.of_plan(PLAN, {"v0000"}, {})
    assert bar.line("encoding", at, 2.0) == (
        "encoding  100/200 frames  1/3 tasks  2.0x realtime  3.0 s left"
    )


def test_waiting_ends_when_nothing_moves_any_more() -> None:
    clock = ManualClock()
    patience = Patience(10.0, clock)
    job = seen()
    for frames in range(5):
        clock.advance(9.0)
        patience.see(overview.with_progress(job, {"v0000": frames}))
    clock.advance(9.0)
    patience.see(overview.with_progress(job, {"v0000": 4}))
    clock.advance(9.0)
    with pytest.raises(Complaint, match="Nothing has moved"):
        patience.see(overview.with_progress(job, {"v0000": 4}))


def test_a_plan_is_told_in_a_line() -> None:
    assert narrator.planned(seen()) == "200 frames at 25 fps, 720p 360p audio-1, 3 tasks"


def test_a_rate_that_varies_is_told_as_an_average() -> None:
    line = Timeline(
        timebase=Fraction(1, 1000), origin=0, rate=Fraction(24), frames=2, constant=False,
        timescale=1000, segment_frames=0, variable=True, marks=((0, 0), (2, 84)),
    )  # fmt: skip
    assert wording.rate(line) == "about 24"
    assert wording.rate(replace(line, variable=False, marks=())) == "24"


def test_the_one_file_is_shown_beside_the_streams(capsys: pytest.CaptureFixture[str]) -> None:
    key = f"media/{samples.JOB}/progressive-0123456789abcdef.mp4"
    verdict = replace(samples.verdict(), progressive=key)
    for thing in tables.detail(replace(seen(), verdict=verdict), media="site/media"):
        output.show(thing)
    shown = capsys.readouterr().out
    assert f"site/{key}" in shown
    assert f"site/media/{samples.JOB}/master.m3u8" in shown


def test_an_end_is_told_with_its_reason_or_its_place() -> None:
    refused = samples.verdict(state="rejected", reason="The file is empty.")
    assert narrator.ended(replace(seen(), verdict=refused)) == "[source_empty] The file is empty."
    completed = narrator.ended(replace(seen(), verdict=samples.verdict()))
    assert completed == f"in 12 s (0.6x realtime)  media/{samples.JOB}/master.m3u8"


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (wording.size(0), "0 B"),
        (wording.size(999), "999 B"),
        (wording.size(1_234_567), "1.2 MB"),
        (wording.size(5 * 10**13), "50.0 TB"),
        (wording.span(0.04), "0.0 s"),
        (wording.span(59.4), "59 s"),
        (wording.span(59.6), "1:00"),
        (wording.span(3_729), "1:02:09"),
        (wording.bitrate(128_000), "128 kb/s"),
        (wording.bitrate(4_500_000), "4.5 Mb/s"),
        (wording.plain("a\x1b[31mb\nc"), "a\ufffd[31mb\ufffdc"),
    ],
)
def test_figures_read_as_people_write_them(figure: str, said: str) -> None:
    assert figure == said


def accepted(
    seq: int, event_id: str, *, cause: str = "", event_type: str = "dev.kinora.task.ready.v1"
) -> Accepted:
    attempts = (
        Attempt(number=1, started_s=100.0 + seq, ended_s=100.5 + seq, code=503, error="busy"),
        Attempt(number=2, started_s=101.0 + seq, ended_s=103.0 + seq, code=204, error=""),
    )
    return Accepted(
        seq=seq,
        broker="default/kinora",
        accepted_s=100.0 + seq,
        event=CloudEvent(
            id=event_id,
            source=f"/jobs/{samples.JOB}",
            type=event_type,
            subject=f"v{seq:04d}",
            extensions={
                "producer": "chunker",
                "partitionkey": samples.JOB,
                **({"causationid": cause} if cause else {}),
            },
        ),
        deliveries=(
            Delivery(
                trigger="default/encoder",
                destination="encoder",
                dead=False,
                state="delivered",
                due_s=0.0,
                attempts=attempts,
            ),
        ),
    )


def test_events_hang_below_their_causes_and_resends_are_one_event() -> None:
    roots = eventtree.grow(
        [
            accepted(1, "root"),
            accepted(2, "child", cause="root"),
            accepted(3, "stray", cause="somebody outside"),
            accepted(4, "child", cause="a tick"),
            accepted(5, "grandchild", cause="child"),
        ]
    )
    assert [root.first.event.id for root in roots] == ["root", "stray"]
    (child,) = roots[0].children
    assert len(child.accepted) == 2
    assert [each.first.event.id for each in child.children] == ["grandchild"]
    (line, below), *_ = eventtree.lines(roots, origin_s=100.0)
    assert line == ("+1.00 s  task.ready  v0001  from chunker\n→ encoder: 204 in 2.00 s, attempt 2")
    assert "sent 2 times" in below[0][0]
    (as_json, *_) = eventtree.as_json(roots)
    assert as_json["deliveries"][0]["attempts"][0]["code"] == 503
    assert as_json["caused"][0]["cause"] == "root"


@given(causes=st.lists(st.integers(0, 9), max_size=10))
def test_every_event_stands_in_the_tree_exactly_once(causes: list[int]) -> None:
    history = [accepted(n, f"e{n}", cause=f"e{cause}") for n, cause in enumerate(causes)]

    def names(nodes: list[eventtree.Node]) -> list[str]:
        return [name for node in nodes for name in (node.first.event.id, *names(node.children))]

    assert sorted(names(eventtree.grow(history))) == sorted(f"e{n}" for n in range(len(causes)))


def test_an_event_may_be_typed_as_type_and_data() -> None:
    text = b'{"type": "dev.kinora.job.accepted.v1", "data": {"job": "%s", "tenant": "t"}}' % (
        samples.JOB.encode()
    )
    event = eventfile.parse(text, where="event.json", time="2027-01-15T08:00:00Z")
    assert event.source == f"/jobs/{samples.JOB}"
    whole = eventfile.as_json(event)
    again = eventfile.parse(output.json_text(whole).encode(), where="event.json", time="")
    assert (again.id, again.type) == (event.id, event.type)
    assert json.loads(again.data or b"") == json.loads(event.data or b"")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[]", "is not a JSON object"),
        (b"{", "is not JSON"),
        (b"{}", "has no `type` of the contract"),
        (b'{"type": 3}', "has no `type` of the contract"),
        (b'{"type": "x", "id": "y"}', "has a field `id`"),
        (b'{"type": "dev.kinora.job.accepted.v1", "data": {}}', "missing required field `job`"),
        (b'{"type": "dev.kinora.job.accepted.v1", "data": 3}', "`data` is wrong"),
        (b'{"specversion": "1.0"}', "is not a CloudEvent"),
    ],
)
def test_a_wrong_event_file_is_answered_with_what_is_wrong(text: bytes, said: str) -> None:
    with pytest.raises(Complaint, match=said):
        eventfile.parse(text, where="event.json", time="2027-01-15T08:00:00Z")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("ffmpeg version n9.0.2-17-g2a571b6068 Copyright (c)", "ok"),
        ("ffmpeg version 7.1 Copyright (c)", "ok"),
        ("ffmpeg version N-118000-gabcdef Copyright (c)", "ok"),
        ("ffmpeg version 5.1.9-0+deb12u1 Copyright (c)", "missing"),
        ("", "ok"),
    ],
)
def test_an_old_ffmpeg_is_noticed_by_its_number(said: str, state: str) -> None:
    assert checkup.version("ffmpeg", said, "Do this.").state == state


def test_a_missing_encoder_is_named() -> None:
    check = checkup.listed_encoders(" V....D libx264  H.264\n A....D libopus  Opus\n")
    assert (check.state, check.found) == ("missing", "no aac")


def test_every_finding_that_is_not_well_says_what_to_do(tmp_path: Path) -> None:
    for check in checkup.run(tmp_path / "not" / "there"):
        assert check.found
        assert (check.state == "ok") == (not check.advice)
    assert not any(tmp_path.iterdir())
