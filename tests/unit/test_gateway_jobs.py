"""Jobs by request: made once, shown, listed, called off and made again."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from eventing.contract import JobAccepted, JobCancelled
from eventing.errors import Unavailable
from functions.gateway.access.limits import Limits
from functions.gateway.access.quota import KEPT_S
from functions.gateway.jobs.options import JobOptions
from functions.jobs import ending, layout, record
from functions.jobs.acceptance import Acceptance
from functions.jobs.admission import Window
from functions.jobs.manifest import Manifest
from functions.jobs.profile import Options
from functions.jobs.verdict import Verdict
from functions.sweeper.standing import Standing
from functions.sweeper.stragglers import Stragglers
from tests.gateway import MP4, NO_LIMITS, Gateway

JOBS = "/api/v1/jobs"


def standing(gateway: Gateway) -> Standing:
    return Standing(
        store=gateway.store,
        state=gateway.state,
        clock=gateway.clock,
        stale_s=90,
        abandoned_s=3600,
        gpu_deadline_s=300.0,
        gpus_gone=False,
        stragglers=Stragglers(
            store=gateway.store,
            state=gateway.state,
            clock=gateway.clock,
            window=Window(limit=3),
        ),
    )


def test_options_of_a_request_are_those_of_a_job() -> None:
    ours = {name: field.default for name, field in JobOptions.model_fields.items()}
    theirs = {field.name: field.default for field in msgspec.structs.fields(Options)}
    assert ours == theirs


def test_a_job_of_an_object_is_frozen_listed_and_told_of() -> None:
    gateway = Gateway()
    answer = gateway.client().post(
        JOBS, json={"object": gateway.film(), "options": {"profile": "fast", "priority": 2}}
    )
    assert answer.status_code == 201
    job = answer.json()["job"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job}"
    manifest = record.load(gateway.store.get(layout.manifest(job)), Manifest)
    assert (manifest.options.profile, manifest.options.priority) == ("fast", 2)
    assert manifest.tenant == "acme"
    assert gateway.events == [JobAccepted(job=job, tenant="acme")]
    assert gateway.store.head(layout.open_marker(job))
    assert [each["job"] for each in gateway.client().get(JOBS).json()["jobs"]] == [job]


def uploaded(gateway: Gateway, **asked: Any) -> str:
    """The id of an upload that is completed."""
    client = gateway.client()
    asked = {"name": "film.mp4", "method": "direct", **asked}
    upload = client.post("/api/v1/uploads", json=asked).json()["upload"]
    assert client.put(f"/api/v1/uploads/{upload}/content", content=MP4).status_code == 200
    return str(upload)


def test_a_file_that_was_uploaded_becomes_another_job_with_other_options() -> None:
    gateway = Gateway()
    client = gateway.client()
    upload = uploaded(gateway, options={"profile": "fast", "priority": 3})
    first = client.get(f"/api/v1/uploads/{upload}").json()
    answer = client.post(JOBS, json={"upload": upload, "options": {"priority": 7}})
    assert answer.status_code == 201
    job = answer.json()["job"]
    assert job != first["job"]
    assert answer.json()["source"] == first["object"]
    manifest = record.load(gateway.store.get(layout.manifest(job)), Manifest)
    assert (manifest.options.profile, manifest.options.priority) == ("fast", 7)


def test_an_upload_that_is_not_completed_is_no_source_yet() -> None:
    gateway = Gateway()
    client = gateway.client()
    upload = client.post("/api/v1/uploads", json={"name": "film.mp4"}).json()["upload"]
    answer = client.post(JOBS, json={"upload": upload})
    assert answer.status_code == 409
    assert not list(gateway.store.list(layout.OPEN_PREFIX))
    assert client.post(JOBS, json={"upload": "0" * 32}).status_code == 404


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"object": None},
        {"upload": None},
        {"object": "uploads/acme/film.mp4", "upload": "0" * 32},
        {"object": "uploads/acme/film.mp4", "upload": None},
        {"upload": "film.mp4"},
    ],
)
def test_a_source_is_named_in_one_way(named: dict[str, Any]) -> None:
    gateway = Gateway()
    gateway.film()
    for path in (JOBS, "/api/v1/plans"):
        answer = gateway.client().post(path, json=named)
        assert answer.status_code == 422
        assert answer.json()["type"].endswith(":invalid")


def test_a_source_that_cannot_be_taken_is_refused_and_no_job() -> None:
    gateway = Gateway()
    answer = gateway.client().post(JOBS, json={"object": gateway.film(data=b"text, no film")})
    assert answer.status_code == 422
    assert answer.json()["code"] == "source_not_media"
    assert list(gateway.store.list("work/jobs/")) == list(gateway.store.list("work/open/")) == []
    assert not gateway.published


def test_objects_of_a_bucket_of_its_own_belong_to_that_tenant() -> None:
    gateway = Gateway()
    world = gateway.world
    acceptance = Acceptance(
        store=gateway.store,
        profiles=world.acceptance.profiles,
        tenants={"acme-drop": "acme"},
    )
    object.__setattr__(world, "acceptance", acceptance)
    gateway.store.put("acme-drop/film.mp4", gateway.store.get(gateway.film()))
    asked = {"object": "acme-drop/film.mp4"}
    assert gateway.client("acme").post(JOBS, json=asked).status_code == 201
    assert gateway.client("other").post(JOBS, json=asked).status_code == 404


def test_a_broker_that_is_away_costs_time_and_no_job() -> None:
    gateway = Gateway()

    def away(event: Any) -> None:
        raise Unavailable("the broker is away")

    gateway.publish = away
    answer = gateway.client().post(JOBS, json={"object": gateway.film()})
    assert answer.status_code == 201
    job = answer.json()["job"]
    gateway.clock.advance(91)
    marker = gateway.info(layout.open_marker(job))
    assert list(standing(gateway).push(marker)) == [JobAccepted(job=job, tenant="acme")]


def test_a_marker_without_a_job_is_cleared_away() -> None:
    gateway = Gateway()
    marker = layout.open_marker("0" * 32)
    gateway.store.create(marker, b"")
    gateway.clock.advance(3601)
    assert list(standing(gateway).push(gateway.info(marker))) == []
    assert gateway.store.head(marker) is None


def test_a_job_is_called_off_once_and_told_of() -> None:
    gateway = Gateway()
    client, job = gateway.client(), gateway.job()
    gateway.store.put(layout.media(job, "720p/x.m4s"), b"x")
    answer = client.post(f"{JOBS}/{job}/cancel", json={"reason": "Wrong film."})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert answer.json()["reason"] == "Wrong film."
    assert gateway.events == [JobCancelled(job=job, tenant="acme", reason="Wrong film.")]
    assert list(gateway.store.list(layout.media(job, ""))) == []
    again = client.post(f"{JOBS}/{job}/cancel", json={"reason": "Another reason."})
    assert (again.status_code, again.json()["reason"]) == (200, "Wrong film.")


@pytest.mark.parametrize("state", ["completed", "failed", "rejected"])
def test_a_job_that_has_ended_stays_as_it_ended(state: Any) -> None:
    gateway = Gateway()
    job = gateway.job(state=state)
    answer = gateway.client().post(f"{JOBS}/{job}/cancel")
    assert answer.status_code == 409
    assert answer.json()["state"] == state
    verdict = ending.read(gateway.store, job)
    assert verdict is not None and verdict.state == state
    assert not gateway.published


def test_a_job_is_called_off_though_nobody_can_be_told_yet() -> None:
    gateway = Gateway()
    job = gateway.job()

    def away(job: str) -> None:
        raise Unavailable("the state store is away")

    gateway.state.forget = away  # type: ignore[method-assign]
    assert gateway.client().post(f"{JOBS}/{job}/cancel").json()["state"] == "cancelled"
    assert gateway.store.head(layout.open_marker(job)), "the sweeper tells it"


def test_a_job_is_made_again_with_its_options_once_it_has_ended() -> None:
    gateway = Gateway()
    client = gateway.client()
    options = {"profile": "fast", "deadline_s": 600, "chunk_segments": 3}
    job = client.post(JOBS, json={"object": gateway.film(), "options": options}).json()["job"]
    assert client.post(f"{JOBS}/{job}/retry").status_code == 409
    client.post(f"{JOBS}/{job}/cancel")
    answer = client.post(f"{JOBS}/{job}/retry")
    assert answer.status_code == 201
    again = answer.json()["job"]
    assert again != job
    first, second = (
        record.load(gateway.store.get(layout.manifest(each)), Manifest) for each in (job, again)
    )
    assert (first.source, first.options) == (second.source, second.options)


def test_what_was_replaced_since_is_not_made_again() -> None:
    gateway = Gateway()
    job = gateway.job("acme", "film.mp4", state="failed")
    gateway.film("acme", "film.mp4")
    answer = gateway.client().post(f"{JOBS}/{job}/retry")
    assert answer.status_code == 422
    assert answer.json()["code"] == "source_gone"


def test_outputs_are_linked_when_there_are_any() -> None:
    gateway = Gateway()
    client = gateway.client()
    open_job, done = gateway.job(), gateway.job(state="completed")
    early = client.get(f"{JOBS}/{open_job}/outputs").json()
    assert (early["early"], early["hls"], early["dash"]) == (None, None, None)
    gateway.store.put(layout.media(open_job, layout.EARLY_MASTER), b"#EXTM3U")
    assert client.get(f"{JOBS}/{open_job}/outputs").json()["early"].endswith("/early.m3u8")
    links = client.get(f"{JOBS}/{done}/outputs").json()
    assert links["hls"].endswith(f"/{done}/master.m3u8")
    assert links["dash"].endswith(f"/{done}/manifest.mpd")
    assert links["early"] is None
    assert links["progressive"] is None
    assert links["expires"] > "2027-01-15T20:00"


def test_the_one_file_of_a_job_is_linked_and_given_out() -> None:
    gateway = Gateway()
    client = gateway.client()
    job = gateway.job(state="completed")
    key = layout.progressive(job, "c" * 64)
    gateway.store.put(key, b"a film")
    verdict = record.load(gateway.store.get(layout.verdict(job)), Verdict)
    gateway.store.put(layout.verdict(job), record.dump(replace(verdict, progressive=key)))
    link = client.get(f"{JOBS}/{job}/outputs").json()["progressive"]
    assert link.endswith(f"/{job}/{key.rpartition('/')[2]}")
    answer = client.get(link, headers={"range": "bytes=2-3"})
    assert (answer.status_code, answer.content) == (206, b"fi")
    assert answer.headers["content-type"] == "video/mp4"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("everybodys", [False, True])
def test_links_to_what_anybody_may_see_are_the_same_for_ever(everybodys: bool) -> None:
    gateway = Gateway(public_media=everybodys)
    client = gateway.client()
    asked = {"object": gateway.film(), "options": {"public": not everybodys}}
    job = client.post(JOBS, json=asked).json()["job"]
    gateway.store.put(layout.media(job, layout.EARLY_MASTER), b"#EXTM3U")
    outputs = client.get(f"{JOBS}/{job}/outputs").json()
    assert outputs["expires"] is None
    assert outputs["early"].endswith(f"/media/public/{job}/early.m3u8")
    assert gateway.visitor().get(outputs["early"]).content == b"#EXTM3U"


def test_a_state_store_that_is_away_hides_no_job() -> None:
    gateway = Gateway()
    job = gateway.job()

    def away(*args: Any, **options: Any) -> Any:
        raise Unavailable("away")

    gateway.state.progress = away  # type: ignore[method-assign]
    assert gateway.client().get(f"{JOBS}/{job}").status_code == 200


def test_a_tenant_has_so_many_open_jobs_and_no_more() -> None:
    gateway = Gateway(limits=Limits(**{**_limits(), "open_jobs": 2}))
    client = gateway.client()
    film = gateway.film()
    answers = [client.post(JOBS, json={"object": film}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2].headers["retry-after"]) > 0
    other = gateway.client("other").post(JOBS, json={"object": gateway.film("other")})
    assert other.status_code == 201
    job = answers[0].json()["job"]
    client.post(f"{JOBS}/{job}/cancel")
    gateway.store.delete(layout.open_marker(job))  # as the notifier does when it has told
    gateway.clock.advance(KEPT_S)
    assert client.post(JOBS, json={"object": film}).status_code == 201
    assert client.post(JOBS, json={"object": film}).status_code == 429


def test_a_request_that_is_repeated_is_answered_though_no_more_jobs_may_be_open() -> None:
    gateway = Gateway(limits=Limits(**{**_limits(), "open_jobs": 1}))
    client = gateway.client()
    asked = {"object": gateway.film()}
    for _ in range(2):
        answer = client.post(JOBS, json=asked, headers={"idempotency-key": "k"})
        assert answer.status_code == 201


def _limits() -> dict[str, int]:
    return {field.name: getattr(NO_LIMITS, field.name) for field in fields(NO_LIMITS)}


@pytest.mark.parametrize(
    "options",
    [{"public": 0}, {"public": "true"}, {"priority": "1"}, {"priority": True}, {"profile": 1}],
)
def test_a_value_of_another_type_is_not_taken_for_what_it_resembles(
    options: dict[str, Any],
) -> None:
    gateway = Gateway()
    answer = gateway.client().post(JOBS, json={"object": gateway.film(), "options": options})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [
        f"body.options.{next(iter(options))}"
    ]
