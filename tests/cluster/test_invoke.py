"""`kinora invoke --cluster`: a function that no one outside can call answers, from zero."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from functions.jobs.refusal import refuse
from tests.cluster.installation import Installation

pytestmark = pytest.mark.cluster


def test_a_function_inside_answers_and_what_it_published_is_shown(
    installation: Installation, tmp_path: Path
) -> None:
    # Never told of before: what was told of to the end is not told again.
    key = f"nobody/{secrets.token_hex(4)}.mp4"
    data = {"bucket": "uploads", "key": key, "etag": "x", "size_bytes": 1}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"type": "dev.kinora.object.created.v1", "data": data}))
    words = ("invoke", "ingest", "--cluster", "--event", str(event), "--json")
    told = json.loads(installation.kinora(*words))
    assert (told["status"], told["body"]) == (204, "")
    (published,) = told["published"]
    assert published["type"] == "dev.kinora.job.rejected.v1"
    assert published["data"]["code"] == refuse("source_gone").code
    for kind in ("pods", "triggers"):
        left = [
            each["metadata"]["name"]
            for each in installation.kube.get(kind)["items"]
            if "deletionTimestamp" not in each["metadata"]
        ]
        assert not [name for name in left if name.startswith("kinora-listener")]
