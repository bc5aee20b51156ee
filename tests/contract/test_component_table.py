"""What the pages for operators say of components and versions is what the code says."""

from __future__ import annotations

import re

import pytest

from knative.operating.diagnosis.features import flags_of
from knative.operating.diagnosis.versions import SUPPORTED, text
from tests import kustomized
from tests.policy.workload import services

pytestmark = kustomized.needs_kubectl

ROWS = {
    line.split("`")[1]: line
    for line in kustomized.README.read_text().splitlines()
    if line.startswith("| `")
}
OPTIONAL = [name for name in kustomized.COMPONENTS if name != kustomized.LAST]


def flags(*components: str) -> set[str]:
    """What the Services of `local` need, with these components."""
    found = kustomized.objects("local", components)
    return {flag for each in services(found) for flag in flags_of(each.found)}


def test_an_untouched_serving_takes_the_overlays_without_components() -> None:
    # emptyDir is on where nothing is said.
    assert flags() == {"volumes-emptydir"}


@pytest.mark.parametrize("component", OPTIONAL)
def test_the_table_names_the_flags_that_a_component_needs(component: str) -> None:
    more = () if component in kustomized.listed("local") else (component,)
    said = re.findall(r"`(?:kubernetes\.podspec)?-([a-z]+)`", ROWS[component])
    assert set(said) == flags(*more) - flags()


def test_the_page_states_the_versions_that_the_doctor_goes_by() -> None:
    page = (kustomized.KNATIVE.parent / "docs/knative.md").read_text()
    for each in SUPPORTED:
        assert f"| {each.what} | {text(each.oldest)} | {text(each.tested)} |" in page
