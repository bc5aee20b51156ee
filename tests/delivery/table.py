"""All rows. Clauses are those of Knative's eventing specification (data plane, control plane), of
the CloudEvents HTTP binding, and of what the default broker does where all are silent."""

from __future__ import annotations

from typing import Final

from tests.delivery.rows.deadletters import DEAD_LETTERS
from tests.delivery.rows.ingress import INGRESS
from tests.delivery.rows.replies import REPLIES
from tests.delivery.rows.retrying import RETRYING
from tests.delivery.rows.routing import ROUTING

GROUPS: Final = {
    "What a broker takes": INGRESS,
    "Whom it tells, and what": ROUTING,
    "Replies": REPLIES,
    "Retries": RETRYING,
    "Dead letters": DEAD_LETTERS,
}
TABLE: Final = tuple(case for group in GROUPS.values() for case in group)
