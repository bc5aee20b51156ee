"""The page: templates and what they need. Everything they show they ask the public API for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from shlex import quote as quote_word
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote, unquote, urlsplit

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from eventing.contract import JobCancelled, JobCompleted, JobFailed, JobRejected
from functions.gateway.access.caller import Caller, Visitor
from functions.gateway.address import API, base_url
from functions.gateway.world import TheWorld, World
from functions.jobs import ending, layout, record
from functions.jobs.manifest import Manifest

if TYPE_CHECKING:
    from jinja2 import Environment

_GATEWAY: Final = Path(__file__).parent.parent
_VERDICTS: Final = (
    (JobCompleted.type, "jobs that are ready"),
    (JobFailed.type, "jobs that failed"),
    (JobRejected.type, "files that were rejected"),
    (JobCancelled.type, "jobs that were cancelled"),
)
_JOB: Final = re.compile("[0-9a-f]{32}")
_CURL: Final = """curl {key}{base} \\
  --json '{{"name": "film.mp4", "method": "direct"}}'
curl {key}-T film.mp4 {base}/<upload>/content"""
_VERIFY: Final = """from standardwebhooks.webhooks import Webhook

event = Webhook(secret).verify(body, headers)  # raises for what is not from here
print(event["type"], event["data"]["job"])"""

router = APIRouter(tags=["page"], include_in_schema=False, default_response_class=HTMLResponse)
_static = StaticFiles(directory=_GATEWAY / "static")


@router.get("/")
def home(request: Request, world: TheWorld, visitor: Visitor) -> Response:
    if visitor is None:
        return _door(request)
    key = "" if _keyless(world) else '-H "Authorization: Bearer $KINORA_KEY" '
    return _page(
        "home.html",
        world,
        visitor,
        here="home",
        straight=bool(world.uploads.origin),
        curl=_CURL.format(base=f"{base_url(request, world)}{API}/uploads", key=key),
        bucket=_bucket_example(world, visitor.tenant),
    )


@router.get("/jobs/{job}")
def show(
    request: Request, world: TheWorld, visitor: Visitor, job: Annotated[str, InPath(max_length=64)]
) -> Response:
    """One job; "not here" for one of another tenant as for one that never was."""
    if visitor is None:
        return _door(request)
    manifest = _manifest(world, job)
    if manifest is None or manifest.tenant != visitor.tenant:
        return _page("missing.html", world, visitor, status=404)
    source = manifest.source
    name = source.key.rsplit("/", 1)[-1]
    verdict = ending.read(world.store, job)
    return _page(
        "job.html",
        world,
        visitor,
        job=job,
        name=name,
        source=source.address,
        # So that nothing moves once the rest is known.
        ended=verdict.state if verdict else "",
    )


@router.get("/settings")
def settings(request: Request, world: TheWorld, visitor: Visitor) -> Response:
    if visitor is None:
        return _door(request)
    return _page(
        "settings.html", world, visitor, here="settings", verdicts=_VERDICTS, verify=_VERIFY
    )


@router.get("/sign-in")
def sign_in(world: TheWorld, visitor: Visitor, next: str = "/") -> Response:
    """The door. `next` leads on to a page of ours, whatever the link to here said."""
    inside = next if re.fullmatch(r"/(?![/\\])[\w/?=&.%-]*", next) else "/"
    if visitor is not None:
        return RedirectResponse(inside, status_code=303)
    return _page("sign-in.html", world, None, next=inside)


@router.get("/static/{path:path}")
async def static(request: Request, path: str) -> Response:
    """Our own files and the vendors'. They are asked for anew each time and answered by 304."""
    response = await _static.get_response(path, request.scope)
    response.headers["cache-control"] = "no-cache"
    return response


@router.get("/favicon.ico")
async def favicon() -> Response:
    return RedirectResponse("/static/mark.svg", status_code=301)


def _door(request: Request) -> Response:
    return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)


def _manifest(world: World, job: str) -> Manifest | None:
    if not _JOB.fullmatch(job):
        return None
    return record.read(world.store, layout.manifest(job), Manifest)


def _keyless(world: World) -> bool:
    return bool(world.settings.open_to)


def _bucket_example(world: World, tenant: str) -> str:
    store = urlsplit(world.settings.store)
    if store.scheme == "s3":
        bucket = "-".join(filter(None, (store.netloc, layout.UPLOADS)))
        return f"mc cp film.mp4 minio/{bucket}/{tenant}/"
    root = unquote(store.path) if store.scheme == "file" else world.settings.store
    if not _keyless(world):
        # Who needs a key may be anywhere, and is not told of this machine's folders.
        root = "kinora-data"
    return f"cp film.mp4 {quote_word(f'{root}/{layout.UPLOADS}/{tenant}/')}"


def _page(
    template: str, world: World, visitor: Caller | None, *, status: int = 200, **facts: Any
) -> Response:
    text = (
        _templates()
        .get_template(template)
        .render(visitor=visitor, keyless=_keyless(world), here=facts.pop("here", ""), **facts)
    )
    return HTMLResponse(text, status_code=status, headers={"cache-control": "no-store"})


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_GATEWAY / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
