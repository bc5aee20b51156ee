"""`kinora profiles`: which there are, and whether a file of one's own is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from knative.cli.command import AsJson
from knative.cli.complaint import REJECTED, Complaint

if TYPE_CHECKING:
    from functions.jobs.profile import Profile


def profiles(
    validate: Annotated[
        Path | None, typer.Option("--validate", help="Check this profile file instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the profiles, or check a file of your own.

    Profiles are TOML files; those in the folder KINORA_PROFILES join the built-in ones.
    """
    import msgspec

    from knative.cli import output, profile_choice

    found = [_checked(validate)] if validate else list(profile_choice.known().values())
    found.sort(key=lambda profile: profile.name)
    if as_json:
        output.write_json([msgspec.to_builtins(profile) for profile in found])
        return
    if validate:
        output.show(f"{validate} is a right profile, `{found[0].name}`.")
        return
    output.show(_table(found))


def _checked(path: Path) -> Profile:
    from functions.jobs import catalogue as files

    try:
        return files.parse(path.name, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Complaint(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError:
        raise Complaint(
            f"{path} is no text. Write it in UTF-8 and check again.",
            exit_code=REJECTED,
            code="profile_invalid",
        ) from None
    except ValueError as error:
        raise Complaint(
            f"{error}. Correct it and check again.", exit_code=REJECTED, code="profile_invalid"
        ) from None


def _table(found: list[Profile]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("profile", "ladder", "encoder", "sound", "for what"):
        table.add_column(heading)
    for profile in found:
        video, audio = profile.video, profile.audio
        table.add_row(
            profile.name,
            " ".join(f"{rung.height}p" for rung in video.ladder),
            f"{video.codec} {video.preset} crf {video.crf:g}",
            f"{audio.codec} {audio.bitrate_kbps} kb/s",
            profile.description,
        )
    return table
