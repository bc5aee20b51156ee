"""`kinora buckets`: the buckets at an S3 service, made as they have to be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from knative.buckets.keep import USUAL, Keep
from knative.cli.command import AsJson, Command
from knative.cli.complaint import DONE, FAILED, Complaint

if TYPE_CHECKING:
    from functions.adapters.s3.account import Account, Buckets
    from knative.buckets.change import Change, Note
    from knative.buckets.denied import Denied
    from knative.buckets.users import Keys

buckets = typer.Typer(
    help="The buckets at an S3 service: make them, check them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Arn = Annotated[
    str,
    typer.Option("--arn", help="Whom the service tells of new objects; empty for nobody."),
]
SourcesDays = Annotated[
    int,
    typer.Option(
        "--sources-days", min=0, help="Days that indexes and mezzanines stay; 0 for ever."
    ),
]
NoncurrentDays = Annotated[
    int,
    typer.Option(
        "--noncurrent-days", min=0, help="Days that replaced or deleted uploads stay; 0 for ever."
    ),
]
PartsDays = Annotated[
    int,
    typer.Option(
        "--parts-days", min=0, help="Days that uploads stay which are not completed; 0 for ever."
    ),
]
Policies = Annotated[
    Path | None,
    typer.Option(
        "--policies", file_okay=False, help="Write a policy for each function into this folder."
    ),
]
Users = Annotated[
    Path | None,
    typer.Option(
        "--users",
        exists=True,
        file_okay=False,
        help="Make a MinIO user for each function whose keys are in this folder.",
    ),
]
TARGET: Final = "arn:minio:sqs::KINORA:webhook"


def init(
    arn: Arn = TARGET,
    sources_days: SourcesDays = USUAL.sources,
    noncurrent_days: NoncurrentDays = USUAL.noncurrent,
    parts_days: PartsDays = USUAL.parts,
    policies: Policies = None,
    users: Users = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the buckets as they have to be, and say what was changed.

    Buckets, versions of uploads, an end for what is derived, notifications of new objects, and a
    policy for each function. What is right already stays, and so does what others have set. The
    service is that of the environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY;
    KINORA_STORE names the buckets, KINORA_TENANTS those that belong to tenants. --users takes a
    folder like `<folder>/encoder/access-key` and `<folder>/encoder/secret-key`.
    """
    keep = Keep(sources=sources_days, noncurrent=noncurrent_days, parts=parts_days)
    _arrange(arn, keep, policies, users, dry=dry_run, as_json=as_json)


def check(
    arn: Arn = TARGET,
    sources_days: SourcesDays = USUAL.sources,
    noncurrent_days: NoncurrentDays = USUAL.noncurrent,
    parts_days: PartsDays = USUAL.parts,
    policies: Policies = None,
    users: Users = None,
    as_json: AsJson = False,
) -> None:
    """Say what `kinora buckets init` would change. Exit code 4 where that is anything."""
    keep = Keep(sources=sources_days, noncurrent=noncurrent_days, parts=parts_days)
    found = _arrange(arn, keep, policies, users, dry=True, as_json=as_json)
    raise typer.Exit(FAILED if found else DONE)


def _arrange(
    arn: str, keep: Keep, folder: Path | None, users: Path | None, *, dry: bool, as_json: bool
) -> bool:
    """Take the steps and tell of them. True if there were any."""
    from knative.buckets.change import Change
    from knative.buckets.denied import Denied
    from knative.cli import output

    account, names, tenants = _place()
    keys = _keys(users)
    steps: list[Change] = []
    notes: list[str] = []
    try:
        # As they come: should one fail, what was done before it is told all the same.
        for step in _steps(account, names, tenants, arn, keep, folder, keys, dry=dry):
            if not isinstance(step, Change):
                notes.append(step.text)
                continue
            steps.append(step)
            if not as_json:
                output.show(f"{step.where}: {step.what}{' (not done)' if dry else ''}")
    except Denied as denied:
        raise _complaint(denied, account, arn, steps) from None
    if as_json:
        output.write_json({"dry_run": dry, "changes": _as_json(steps), "notes": notes})
        return bool(steps)
    if not steps:
        output.show("Everything is as it has to be.")
    for note in notes:
        output.tell(note)
    return bool(steps)


def _place() -> tuple[Account, Buckets, tuple[str, ...]]:
    """What the environment says: whose buckets, and what they are called."""
    from functions import environment
    from functions.adapters.s3.account import Account, Buckets
    from knative.local.stores import S3

    try:
        account = Account.read(os.environ)
        names = Buckets.at(os.environ.get("KINORA_STORE") or S3)
        tenants = tuple(environment.tenants(os.environ))
    except ValueError as error:
        raise Complaint(f"{error}. Correct it in the environment.") from None
    if not account.access_key or not account.secret_key:
        raise Complaint(
            "There are no keys for the S3 service. Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY to those of somebody who may make buckets."
        )
    return account, names, tenants


def _steps(
    account: Account,
    names: Buckets,
    tenants: Sequence[str],
    arn: str,
    keep: Keep,
    folder: Path | None,
    keys: Sequence[Keys],
    *,
    dry: bool,
) -> Iterator[Change | Note]:
    from knative.buckets import access, change
    from knative.buckets.service import BucketService
    from knative.buckets.users import of_users

    if folder is not None:
        for name, policy in access.policies(names, tenants).items():
            yield from _write(folder / f"{name}.json", json.dumps(policy, indent=2) + "\n", dry=dry)
    service = BucketService(account)
    yield from change.everything(service, names, tenants, arn, keep, dry=dry)
    if not keys:
        return
    if not service.is_minio():
        raise Complaint(
            "Users are only made on MinIO. Elsewhere make them yourself: `--policies <folder>` "
            "writes what each may do.",
            exit_code=FAILED,
            code="bucket_service",
        )
    yield from of_users(service, names, keys, dry=dry)


def _keys(folder: Path | None) -> list[Keys]:
    from knative.buckets.users import read

    try:
        return read(folder) if folder else []
    except ValueError as error:
        raise Complaint(f"{error}. Each function has a folder with access-key, secret-key.") from (
            None
        )


def _write(file: Path, text: str, *, dry: bool) -> Iterator[Change]:
    from knative.buckets.change import Change

    if file.is_file() and file.read_text() == text:
        return
    yield Change(str(file), "written")
    if not dry:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _complaint(denied: Denied, account: Account, arn: str, done: Sequence[Change]) -> Complaint:
    """What a person can do about a refusal."""
    service = account.endpoint or "AWS"
    reason = f"{service} refuses: {denied.reason.rstrip('.')} ({denied.code})."
    if denied.code in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
        reason = (
            f"{service} does not know these keys ({denied.code}). "
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the right ones."
        )
    elif denied.code == "AccessDenied":
        reason = (
            f"{service} does not let these keys do that: {denied.reason.rstrip('.')}. "
            "Use those of somebody who may make buckets and set their rules."
        )
    elif "destination ARN" in denied.reason:
        target = arn.split(":")[-2:-1]
        name = target[0] if target else "KINORA"
        reason = (
            f"{service} knows no target {arn}. On MinIO, set MINIO_NOTIFY_WEBHOOK_ENABLE_{name}=on "
            f"and MINIO_NOTIFY_WEBHOOK_ENDPOINT_{name}=<address of the source> for the server and "
            'restart it; on others name the target by --arn, or none by --arn "".'
        )
    elif denied.code in ("BucketAlreadyExists", "InvalidBucketName"):
        reason = f"{reason} Other names for the buckets come by KINORA_STORE=s3://<prefix>."
    return Complaint(reason, exit_code=FAILED, code="bucket_service", changes=_as_json(done))


def _as_json(steps: Sequence[Change]) -> list[dict[str, str]]:
    return [{"where": step.where, "what": step.what} for step in steps]


for command in (init, check):
    buckets.command(cls=Command)(command)
