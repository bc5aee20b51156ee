"""Metrics of Knative's components become figures, however their names are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knative.operating import load
from knative.operating.exposition import by, parse, total

OLD = """\
# HELP kn_revision_request_active Number of requests currently being proxied by the activator
# TYPE kn_revision_request_active gauge
kn_revision_request_active{k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 2
kn_revision_request_active{k8s_namespace_name="other",kn_revision_name="encoder-00001"} 5
kn_revision_request_queued{k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 3
http_server_request_duration_seconds_count{http_response_status_code="200",\
k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 7
http_server_request_duration_seconds_count{http_response_status_code="503",\
k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 1
"""
NEW = """\
{"kn.revision.request.active","k8s.namespace.name"="kinora","kn.revision.name"="encoder-00001"} 2
{"kn.revision.request.active","k8s.namespace.name"="other","kn.revision.name"="encoder-00001"} 5
{"kn.revision.request.queued","k8s.namespace.name"="kinora","kn.revision.name"="encoder-00001"} 3
{"http.server.request.duration_seconds_count","http.response.status_code"="200",\
"k8s.namespace.name"="kinora","kn.revision.name"="encoder-00001"} 7
{"http.server.request.duration_seconds_count","http.response.status_code"="503",\
"k8s.namespace.name"="kinora","kn.revision.name"="encoder-00001"} 1
"""
WANTED = """\
kn_revision_pods_desired{k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 4
kn_revision_panic_mode{k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 1
kn_revision_concurrency_stable{k8s_namespace_name="kinora",kn_revision_name="encoder-00001"} 2.5
"""


@pytest.mark.parametrize("text", [OLD, NEW])
def test_names_with_dots_and_with_underscores_say_the_same(text: str) -> None:
    found = load.of(
        "encoder-00001", namespace="kinora", activators=parse(text), autoscaler=parse(WANTED)
    )
    assert (found.in_flight, found.queued, found.wanted, found.panics) == (2, 3, 4, True)
    assert found.answers == {200: 7, 503: 1}
    assert found.concurrency == 2.5


def test_a_revision_that_nothing_was_counted_of_has_nothing_where_others_are_counted() -> None:
    found = load.of("chunker-00001", namespace="kinora", activators=parse(OLD))
    assert (found.in_flight, found.queued, found.wanted) == (0, 0, None)
    unknown = load.of("chunker-00001", namespace="kinora")
    assert (unknown.in_flight, unknown.queued) == (None, None)


def test_a_label_may_hold_whatever_is_escaped() -> None:
    (sample,) = parse(r'm{a="x\"},{y\\",b="1\n2"} 1.5e3 1700000000')
    assert sample.labels == {"a": 'x"},{y\\', "b": "1\n2"}
    assert sample.value == 1500


@given(st.text())
def test_what_is_no_metric_breaks_nothing(text: str) -> None:
    list(parse(text))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-9, 9))))
def test_parts_by_a_label_make_the_total(counted: list[tuple[str, int]]) -> None:
    samples = list(parse("\n".join(f'm{{l="{label}"}} {value}' for label, value in counted)))
    assert sum(by(samples, "m", "l").values()) == (total(samples, "m") or 0)
    assert (total(samples, "m") is None) is (not counted)


def test_a_queue_proxy_tells_what_its_pod_answered() -> None:
    text = """
kn_serving_invocation_duration_seconds_count{http_response_status_code="200",x="1"} 3
kn_serving_invocation_duration_seconds_count{http_response_status_code="200",x="2"} 1
kn_serving_invocation_duration_seconds_count{http_response_status_code="500"} 2
"""
    assert load.of_pod(parse(text)) == {200: 4, 500: 2}
    assert load.merged([{200: 4}, {200: 1, 500: 2}]) == {200: 5, 500: 2}
