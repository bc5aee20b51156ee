"""`make demo`: a file into streams by one command, with a clip of our own where none is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from functions.adapters import binaries
from functions.jobs import layout

CLIP_S: Final = 20
CLIP: Final = Path(".cache/demo.mp4")


def clip_argv(clip: Path) -> list[str]:
    """A moving picture with a running counter in it, and a tone that beeps every second."""
    picture = f"testsrc2=size=1280x720:rate=25:duration={CLIP_S}"
    tone = f"sine=frequency=330:beep_factor=4:sample_rate=48000:duration={CLIP_S}"
    return [
        str(binaries.ffmpeg()), "-nostdin", "-hide_banner", "-v", "error", "-y",
        "-f", "lavfi", "-i", picture,
        "-f", "lavfi", "-i", tone,
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", "-f", "mp4", str(clip),
    ]  # fmt: skip


def make_clip(clip: Path) -> None:
    """Under another name until it is whole."""
    clip.parent.mkdir(parents=True, exist_ok=True)
    unfinished = clip.with_suffix(".part")
    subprocess.run(clip_argv(unfinished), check=True, stdin=subprocess.DEVNULL)
    unfinished.replace(clip)


def main(source: str, out: str) -> int:
    """Exit code of the transcode."""
    from knative.cli import output

    if not source:
        source = str(CLIP)
        if not CLIP.is_file():
            output.show(f"Making a clip of {CLIP_S} seconds: {CLIP}")
            make_clip(CLIP)
    folder = Path(out or "out")
    command = ["transcode", source, "-o", str(folder), "--overwrite", "--keep-events"]
    output.show(f"kinora {' '.join(command)}")
    ended = subprocess.run([sys.executable, "-m", "knative.cli.main", *command]).returncode
    if ended == 0:
        output.show(
            "",
            f"Watch it: mpv {folder / layout.MASTER}, VLC, or any HLS or DASH player by",
            f"    python3 -m http.server --directory {folder} 8000",
            f"How it went: {folder / 'events.json'} holds every event, with causes and times.",
        )
    return ended


if __name__ == "__main__":
    try:
        sys.exit(main(*(*sys.argv[1:], "", "")[:2]))
    except KeyboardInterrupt:
        sys.exit(130)
