"""What a job made, as links that play."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from eventing.cloudevent import timestamp
from functions.gateway.moment import Timestamp
from functions.gateway.playback import sign
from functions.gateway.world import World
from functions.jobs import layout
from functions.jobs.overview import Overview, State
from functions.media.encoding.rendition import PLAYLIST


class Rendition(BaseModel):
    name: str
    kind: Literal["video", "audio"]
    width: int | None = None
    height: int | None = None
    language: str | None = None
    channels: int | None = None
    playlist: Annotated[str | None, Field(description="HLS; null before there is one.")]


class Outputs(BaseModel):
    job: str
    state: State
    expires: Annotated[
        Timestamp | None,
        Field(description="Until then the links work; null for ever, of a public job."),
    ]
    early: Annotated[
        str | None,
        Field(
            description="HLS that grows while encoding goes on: first the lowest rung and the "
            "sound, then it names more; null before and afterwards."
        ),
    ]
    hls: Annotated[str | None, Field(description="Null before the job is completed.")]
    dash: Annotated[str | None, Field(description="Likewise.")]
    progressive: Annotated[
        str | None,
        Field(description="One MP4 that plays while it loads; null where none was asked for."),
    ]
    report: Annotated[str | None, Field(description="What was made, as JSON; likewise.")]
    renditions: list[Rendition]


def links_of(world: World, seen: Overview, *, base: str) -> Outputs:
    """Links to what is there by now. Raises Unavailable."""
    if seen.manifest.options.public or world.settings.public_media:
        token, expires = sign.PUBLIC, None
    else:
        token = sign.token(world.seal, seen.job, now_s=world.clock())
        expires = timestamp(float(token.partition(".")[0]))
    completed = seen.state == "completed"
    early = not seen.ended and world.store.head(layout.media(seen.job, layout.EARLY_MASTER))

    def link(name: str, there: object) -> str | None:
        return base + sign.path(token, seen.job, name) if there else None

    return Outputs.model_validate(
        {
            "job": seen.job,
            "state": seen.state,
            "expires": expires,
            "early": link(layout.EARLY_MASTER, early),
            "hls": link(layout.MASTER, completed),
            "dash": link(layout.MANIFEST, completed),
            "progressive": link(_file(seen), _file(seen)),
            "report": link(layout.REPORT, completed),
            "renditions": [
                {**facts, "playlist": link(f"{facts['name']}/{PLAYLIST}", early or completed)}
                for facts in _renditions(seen)
            ],
        }
    )


def _file(seen: Overview) -> str:
    """The name of the one MP4 among the outputs, "" without one."""
    key = seen.verdict.progressive if seen.verdict else ""
    return key.removeprefix(layout.media(seen.job, ""))


def _renditions(seen: Overview) -> list[dict[str, Any]]:
    if seen.plan is None:
        return []
    return [
        *(
            {"name": rung.name, "kind": "video", "width": rung.width, "height": rung.height}
            for rung in seen.plan.video
        ),
        *(
            {
                "name": track.name,
                "kind": "audio",
                "language": track.language,
                "channels": track.channels,
            }
            for track in seen.plan.audio
        ),
    ]
