"""What an operator sets is read in one way, and what is wrong is refused by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions import environment


@pytest.mark.parametrize("env", [{}, {"KINORA_STORE": ""}])
def test_what_has_to_be_set_is_asked_for_by_name(env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="KINORA_STORE is not set"):
        environment.text(env, "KINORA_STORE")


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "many", "²", "1e3", " 1"])
def test_a_count_is_a_whole_number_from_one_on(given: str) -> None:
    assert environment.count({"N": "12"}, "N", 1) == 12
    with pytest.raises(ValueError, match="N must be a whole number"):
        environment.count({"N": given}, "N", 1)


def test_a_count_may_be_allowed_to_be_none() -> None:
    assert environment.count({"N": "0"}, "N", 1, least=0) == 0
    with pytest.raises(ValueError, match="from 0 on"):
        environment.count({"N": "-1"}, "N", 1, least=0)


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_are_more_than_none_and_not_for_ever(given: str) -> None:
    assert environment.seconds({"S": "0.5"}, "S", 1) == 0.5
    with pytest.raises(ValueError, match="S must be a number of seconds"):
        environment.seconds({"S": given}, "S", 1)


def test_a_switch_is_on_or_off() -> None:
    assert environment.switch({"B": "1"}, "B")
    assert not environment.switch({"B": "0"}, "B", default=True)
    assert environment.switch({}, "B", default=True) and not environment.switch({}, "B")
    with pytest.raises(ValueError, match="B must be 0 or 1"):
        environment.switch({"B": "yes"}, "B")


def test_an_empty_variable_is_not_set() -> None:
    env = {"N": "", "S": "", "KINORA_TENANTS": "", "KINORA_WORKER": "", "KINORA_SCRATCH": ""}
    assert environment.count(env, "N", 7) == 7
    assert environment.seconds(env, "S", 2.5) == 2.5
    assert environment.tenants(env) == {}
    assert environment.worker(env) == environment.worker({}) != ""
    assert environment.scratch(env, "encoder") == environment.scratch({}, "encoder")


def test_every_function_has_a_scratch_folder_of_its_own() -> None:
    env = {"KINORA_SCRATCH": "/scratch"}
    assert environment.scratch(env, "chunker") == Path("/scratch/kinora-chunker")


@pytest.mark.parametrize("given", ["[]", '{"bucket": 1}', "bucket=tenant", "{"])
def test_tenants_are_a_json_object_of_names(given: str) -> None:
    assert environment.tenants({"KINORA_TENANTS": '{"b": "t"}'}) == {"b": "t"}
    with pytest.raises(ValueError, match="KINORA_TENANTS"):
        environment.tenants({"KINORA_TENANTS": given})
