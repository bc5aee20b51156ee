"""The API against its own document: whatever is asked, no defect, and no answer that is not said.

Streams, bodies of uploads, tus and playback stand apart: they have tests of their own.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from tests.films import Surveys
from tests.gateway import Gateway

EXAMPLES: Final = 20
"""An operation, beside those that cover every bound in the document."""
APART: Final = ".*/(progress|content)$"
load_all_checks()
NOT_ASKED: Final[list[Any]] = [
    # What is spelled right may still be refused: a source that is no film, a URL without https.
    CHECKS.get_one("positive_data_acceptance"),
    # It is sent with a valid key whatever else it shows; test_tenants.py goes without one.
    CHECKS.get_one("ignored_auth"),
]


def furnished() -> tuple[Gateway, dict[str, str]]:
    """A gateway with one of everything, and the names of that."""
    gateway = Gateway(surveys=Surveys())
    client = gateway.client()
    upload = client.post("/api/v1/uploads", json={"name": "a.mp4", "size_bytes": 6}).json()
    webhook = client.post("/api/v1/webhooks", json={"url": "https://hook.example/"}).json()
    gateway.film("acme", "film.mp4")
    return gateway, {
        "job": gateway.job(state="failed"),
        "upload": upload["upload"],
        "endpoint": webhook["endpoint"],
        "name": "default",
    }


GATEWAY, THERE = furnished()
CONFIG: Final = SchemathesisConfig.from_dict(
    {"headers": {"authorization": f"Bearer {GATEWAY.key()}"}}
)
TURNS: Final = count()
schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", GATEWAY.app, config=CONFIG).exclude(
    path_regex=APART
)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_says(case: Case[Any]) -> None:
    right = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
    if right and next(TURNS) % 2:
        # Made-up names are never of anything that is there.
        for name in case.path_parameters or {}:
            case.path_parameters[name] = THERE[name]
    case.call_and_validate(excluded_checks=NOT_ASKED)
