"""Evidence: what is in it, and that no secret is, however it is written."""

from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from pathlib import Path
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from knative.cli.main import app
from knative.evidence import archive
from knative.evidence.exhibit import Exhibit, Gap, Piece
from knative.evidence.redaction import REDACTED, Redactor
from tests.unit import cli_samples as samples

SECRET = 'hush"hush/ünder the ro+se'


def read(file: Path) -> dict[str, str]:
    """The archive's files, without its own folder."""
    with tarfile.open(file) as opened:
        return {
            name.partition("/")[2]: opened.extractfile(name).read().decode()  # type: ignore[union-attr]
            for name in opened.getnames()
        }


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_known_value_is_taken_out_however_it_is_written(written: str) -> None:
    told = Redactor([SECRET])(f"before {written} after")
    assert told.replace('"', "").replace("=", "") == f"before {REDACTED} after"


@pytest.mark.parametrize("before", ["", "a:", "ab:", "abc:"])
def test_a_known_value_is_taken_out_of_what_was_encoded_along_with_others(before: str) -> None:
    encoded = base64.b64encode(f"{before}{SECRET} and more".encode()).decode()
    told = Redactor([SECRET])(encoded)
    own = encoded[len(before) * 4 // 3 + 2 : (len(before) + len(SECRET.encode())) * 4 // 3 - 1]
    # Of the characters that it shares with its neighbours some stay.
    assert not [own[at : at + 6] for at in range(len(own) - 5) if own[at : at + 6] in told]
    assert REDACTED in told


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("KINORA_MASTER_KEY=c2VjcmV0c2VjcmV0", "c2VjcmV0c2VjcmV0"),
        ('{"secret-key": "abcdefgh"}', "abcdefgh"),
        ("- name: KINORA_SOURCE_TOKEN\n  value: sesame-open", "sesame-open"),
        ('{"name": "AWS_SECRET_ACCESS_KEY", "value": "sesame-open"}', "sesame-open"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("GET /x?X-Amz-Signature=0123abcd&y=1", "0123abcd"),
        ("redis://user:sesame@redis:6379/0", "sesame"),
        ("sent whsec_MfKQ9r8GKYqrTwjU", "MfKQ9r8GKYqrTwjU"),
        (f"kinora_acme_{'0' * 16}_{'x' * 43}", "x" * 43),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, hidden: str) -> None:
    told = Redactor()(text)
    assert hidden not in told
    assert REDACTED in told


@pytest.mark.parametrize(
    "text",
    [
        "secretName: kinora-store-encoder",
        "secretKeyRef:\n  key: access-key\n  name: kinora-store-encoder",
        "serviceAccountToken:\n  expirationSeconds: 3607",
        "automountServiceAccountToken: false",
        "http://minio:9000/kinora-work",
        '{"job": "0123456789abcdef", "status": 204}',
    ],
)
def test_what_is_to_be_read_stays(text: str) -> None:
    assert Redactor(["a", "true"])(text) == text


def test_an_archive_says_what_is_not_in_it_and_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "found.tar.gz"
    pieces: list[Piece] = [Exhibit("a/b.txt", f"it is {SECRET}"), Gap("c", f"denied to {SECRET}")]
    archived = archive.write(file, pieces, Redactor([SECRET]))
    assert read(file) == {
        "a/b.txt": f"it is {REDACTED}",
        archive.GAPS: f"c: denied to {REDACTED}\n",
    }
    assert archived.files == ("a/b.txt", archive.GAPS)
    assert file.stat().st_mode & 0o077 == 0


def test_an_archive_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> object:
        yield Exhibit("a", "a")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        archive.write(tmp_path / "found.tar.gz", broken(), Redactor())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def site(tmp_path: Path) -> Path:
    store = samples.site(tmp_path / "site")
    samples.accept(store)
    samples.finish(store, samples.verdict(samples.JOB, state="rejected", reason="It is empty."))
    runtime = tmp_path / "site" / "runtime"
    (runtime / "logs").mkdir(parents=True, exist_ok=True)
    (runtime / "secrets.json").write_text(json.dumps({"KINORA_MASTER_KEY": SECRET}))
    (runtime / "logs" / "ingest.log").write_text(f"I was told {SECRET}\n")
    return tmp_path / "site"


def test_evidence_of_a_runtime_has_its_logs_and_the_jobs_records_and_no_secret(
    site: Path, tmp_path: Path
) -> None:
    file = tmp_path / "e.tar.gz"
    words = ["evidence", samples.JOB[:8], "--dir", str(site), "-o", str(file), "--json"]
    result = CliRunner().invoke(app, words, env={"AWS_SECRET_ACCESS_KEY": "of-the-environment"})
    assert result.exit_code == 0, result.output
    found = read(file)
    assert found["logs/ingest.log"] == f"I was told {REDACTED}\n"
    assert json.loads(found[f"job/jobs/{samples.JOB}/verdict.json"])["state"] == "rejected"
    history = json.loads(found["job/history.json"])
    assert history[-1]["type"] == "dev.kinora.job.rejected.v1"
    assert {"about.json", "settings.json", "open-jobs.json"} <= found.keys()
    whole = "".join(found.values())
    assert SECRET not in whole and "of-the-environment" not in whole
    told = json.loads(result.stdout)
    assert sorted(told["files"]) == sorted(found)
    assert told["gaps"][0]["what"] == "job/events.json"  # no runtime ever ran there


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evidence", "zz"], "is not a job's id"),
        (["evidence", "-o", "gone/e.tar.gz"], "There is no folder"),
    ],
)
def test_a_mistake_leaves_no_archive(
    words: list[str], said: str, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    result = CliRunner().invoke(app, [*words, "--dir", str(site)])
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_in_an_archive_can_be_read_by_any_tar(tmp_path: Path) -> None:
    file = tmp_path / "found.tar.gz"
    archive.write(file, [Exhibit("ü.txt", "ü")], Redactor())
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as opened:
        assert opened.getnames() == ["found/ü.txt"]


def test_what_is_no_file_is_not_replaced_by_an_archive(tmp_path: Path) -> None:
    # Of a device the same holds, and a test that fails must not cost the machine one.
    os.mkfifo(pipe := tmp_path / "pipe")
    result = CliRunner().invoke(app, ["evidence", "--dir", str(tmp_path), "--out", str(pipe)])
    assert result.exit_code == 2
    assert "is left alone" in " ".join(result.stderr.split())
    assert pipe.is_fifo()
    assert [*tmp_path.iterdir()] == [pipe]
