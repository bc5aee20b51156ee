"""Profiles by request, and plans without running."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eventing.errors import Rejected
from functions.gateway.jobs import preview
from functions.gateway.jobs.preview import Previews, within_a_request
from functions.jobs.refusal import refuse
from functions.media.source import guard
from functions.ports import Finished, Limits
from tests.films import STREAM, UNINDEXED, Surveys, plan
from tests.gateway import MP4, Gateway

PLANS = "/api/v1/plans"


def test_every_profile_is_listed_and_shown() -> None:
    gateway = Gateway()
    client = gateway.client()
    listed = client.get("/api/v1/profiles").json()["profiles"]
    assert [each["name"] for each in listed] == sorted(gateway.world.acceptance.profiles)
    for each in listed:
        assert client.get(f"/api/v1/profiles/{each['name']}").json() == each
    assert client.get("/api/v1/profiles/none").status_code == 404


def test_a_profile_is_checked_as_toml_and_as_json() -> None:
    client = Gateway().client()
    validate = "/api/v1/profiles/validate"
    wrong = {"name": "Mine", "video": {"ladder": []}}
    asked: tuple[dict[str, Any], ...] = (
        {"profile": wrong},
        {"toml": 'name = "Mine"\n[video]\nladder = []'},
    )
    for each in asked:
        answer = client.post(validate, json=each).json()
        assert answer["valid"] is False
        assert [error["field"] for error in answer["errors"]] == ["name", "video.ladder"]
    for nothing in ({}, {"toml": "", "profile": {}}):
        assert client.post(validate, json=nothing).status_code == 422


def test_a_plan_is_the_one_that_the_chunker_would_draw_and_costs_nothing() -> None:
    surveys = Surveys()
    gateway = Gateway(surveys=surveys)
    answer = gateway.client().post(PLANS, json={"object": gateway.film(), "encoders": 2})
    assert answer.status_code == 200
    told, drawn = answer.json(), plan(workers=2)
    assert told["kind"] == "encode"
    assert told["frames"] == 1000 and told["rate"] == "25" and told["duration_s"] == 40.0
    assert told["tasks"] == len(drawn.tasks)
    assert [each["name"] for each in told["video"]] == [each.name for each in drawn.video]
    assert told["cpu_s"] >= told["wall_s"] > told["cpu_s"] / 2 - 1
    assert told["bytes_at_most"] > 0
    assert surveys.looks[0].key == "acme/film.mp4"
    assert not gateway.published
    assert not list(gateway.store.list("work/"))[1:], "there is the key, and nothing else"


def test_an_upload_is_planned_like_the_object_that_it_became() -> None:
    gateway = Gateway(surveys=Surveys())
    client = gateway.client()
    asked = {"name": "film.mp4", "method": "direct"}
    upload = client.post("/api/v1/uploads", json=asked).json()
    done = client.put(upload["links"]["content"], content=MP4).json()
    by_upload, by_object = (
        client.post(PLANS, json=named).json()
        for named in ({"upload": upload["upload"]}, {"object": done["object"]})
    )
    assert by_upload == by_object
    assert by_upload["source"] == done["object"]


def test_more_encoders_take_less_time() -> None:
    gateway = Gateway(surveys=Surveys())
    client, film = gateway.client(), gateway.film()
    walls = [
        client.post(PLANS, json={"object": film, "encoders": encoders}).json()["wall_s"]
        for encoders in (1, 2, 4)
    ]
    assert walls == sorted(walls, reverse=True) and walls[0] > walls[2]


def test_of_a_source_without_an_index_only_the_preparation_is_planned() -> None:
    gateway = Gateway(surveys=Surveys(found=UNINDEXED))
    told = gateway.client().post(PLANS, json={"object": gateway.film()}).json()
    assert (told["kind"], told["chunks"], told["tasks"], told["frames"]) == ("prepare", 0, 1, None)


def test_what_cannot_be_planned_is_refused_with_its_reason() -> None:
    surveys = Surveys(refusal=refuse("source_encrypted"))
    gateway = Gateway(surveys=surveys)
    client, film = gateway.client(), gateway.film()
    answer = client.post(PLANS, json={"object": film})
    assert (answer.status_code, answer.json()["code"]) == (422, "source_encrypted")
    surveys.refusal = None
    surveys.found = replace(
        surveys.found,
        media=replace(surveys.found.media, video=(replace(STREAM, width=20000),)),
    )
    assert client.post(PLANS, json={"object": film}).json()["code"] == "picture_too_large"
    text = gateway.film(name="text.mp4", data=b"no film")
    assert client.post(PLANS, json={"object": text}).json()["code"] == "source_not_media"


def test_where_nothing_can_be_looked_at_this_is_said_and_a_job_is_still_possible() -> None:
    gateway = Gateway()
    answer = gateway.client().post(PLANS, json={"object": gateway.film()})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "A job can be made of it" in answer.json()["detail"]


def test_sources_are_looked_at_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "WAIT_S", 0.01)
    gateway = Gateway(surveys=Surveys())
    client, film = gateway.client(), gateway.film()
    previews: Previews = gateway.world.previews
    for _ in range(preview.AT_ONCE):
        assert previews._turns.acquire(blocking=False)
    assert client.post(PLANS, json={"object": film}).status_code == 503
    for _ in range(preview.AT_ONCE):
        previews._turns.release()
    for _ in range(preview.AT_ONCE + 1):
        assert client.post(PLANS, json={"object": film}).status_code == 200


def test_few_requests_wait_for_their_turn_and_the_others_are_told_to_come_again() -> None:
    gateway = Gateway(surveys=Surveys())
    client, film = gateway.client(), gateway.film()
    previews: Previews = gateway.world.previews
    for _ in range(preview.AT_ONCE + preview.WAITING):
        assert previews._places.acquire(blocking=False)
    answer = client.post(PLANS, json={"object": film})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    previews._places.release()
    assert client.post(PLANS, json={"object": film}).status_code == 200


ENDED = Finished(returncode=0, stdout=b"", stderr="", cpu_s=0, wall_s=0, max_rss_bytes=0)
GENEROUS = Limits(wall_s=1e4, cpu_s=1e4, memory_bytes=2**40, output_bytes=2**40)


def test_a_program_has_no_more_than_a_request_may_take(tmp_path: Path) -> None:
    seen: list[Limits] = []

    def process(argv: Any, *, limits: Limits, cwd: Path, on_progress: Any = None) -> Finished:
        seen.append(limits)
        return ENDED

    within_a_request(process)(["x"], limits=GENEROUS, cwd=tmp_path)
    (limits,) = seen
    assert limits.wall_s == preview.WALL_S
    assert limits.output_bytes == preview.OUTPUT_BYTES
    assert limits.memory_bytes == preview.MEMORY_BYTES


@pytest.mark.parametrize("stopped", ["wall", "cpu", "output"])
def test_what_takes_longer_than_a_request_is_not_called_damaged(
    stopped: Any, tmp_path: Path
) -> None:
    def process(argv: Any, *, limits: Limits, cwd: Path, on_progress: Any = None) -> Finished:
        return replace(ENDED, returncode=-9, stopped=stopped)

    with pytest.raises(Rejected) as refused:
        within_a_request(process)(["x"], limits=GENEROUS, cwd=tmp_path)
    assert refused.value.code == "resource_limit"


def test_bounds_are_those_of_the_settings() -> None:
    gateway = Gateway(surveys=Surveys(), bounds=guard.Bounds(frames=10))
    answer = gateway.client().post(PLANS, json={"object": gateway.film()})
    assert answer.json()["code"] == "too_long"
