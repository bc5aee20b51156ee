"""The suite over the keys that MinIO can have."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.ports import ObjectStore
from tests.contract.object_store_suite import ObjectStoreSuite, SharedObjectStoreSuite, _keys

REFUSED = re.compile(r"(^|[/\\])\s*\.\.?\s*($|[/\\])")
"""MinIO has no object with such a part in its name, like `a/ .` or `a\\..` (hasBadPathComponent in
its cmd/generic-handlers.go)."""
_possible = _keys.filter(lambda key: not REFUSED.search(key))


class MinioSuite(SharedObjectStoreSuite):
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
        ],
    )
    @given(keys=st.sets(_possible, max_size=12), prefix=st.one_of(st.just(""), _keys), after=_keys)
    def test_a_listing_is_sorted_by_the_bytes_of_the_key(
        self, store: ObjectStore, keys: set[str], prefix: str, after: str
    ) -> None:
        law = ObjectStoreSuite.test_a_listing_is_sorted_by_the_bytes_of_the_key
        law.hypothesis.inner_test(self, store, keys, prefix, after)  # type: ignore[attr-defined]
