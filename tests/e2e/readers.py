"""ffmpeg as a reader of finished streams, in three generations."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

from functions.adapters import binaries

_MPD = {"": "urn:mpeg:dash:schema:mpd:2011"}
_PROBE = ("-fpsprobesize", "0")
"""ffmpeg 9's DASH reader gives everything twice where probing has reached the end: 20 frames."""


def others() -> dict[str, Path]:
    """Debian's, and the one that comes with ffprobe; the encoder's own is `binaries.ffmpeg()`."""
    ffprobe = binaries.ffprobe()
    beside = ffprobe.with_name(ffprobe.name.replace("ffprobe", "ffmpeg"))
    return {"5.1": Path("/usr/bin/ffmpeg"), "8.1": beside}


def counted(out: Path, name: str, playlist: Path, *, pictures: bool) -> dict[str, int]:
    """How many frames of pictures or packets of sound the others find; -1: not without an error.

    The ffmpeg of 8.1 is built without a reader of DASH.
    """
    ways = {
        "HLS": (playlist, "0:v:0" if pictures else "0:a:0"),
        "DASH": (out / "manifest.mpd", dash_streams(out).get(name, "0:9")),
    }
    found = {}
    for version, ffmpeg in others().items():
        for way, (path, stream) in ways.items():
            if (version, way) == ("8.1", "DASH"):
                continue
            count = decoded_frames if pictures else packets
            try:
                found[f"ffmpeg {version} by {way}"] = count(path, stream, ffmpeg=ffmpeg)
            except (subprocess.CalledProcessError, IndexError):
                found[f"ffmpeg {version} by {way}"] = -1
    return found


def dash_streams(out: Path) -> dict[str, str]:
    """How ffmpeg's DASH reader names each rendition's stream: it counts them as they are listed."""
    root = ElementTree.parse(out / "manifest.mpd").getroot()
    found: dict[str, str] = {}
    counts = {"v": 0, "a": 0}
    for node in root.iterfind(".//AdaptationSet", _MPD):
        for each in node.iterfind("Representation", _MPD):
            kind = "a" if "mp4a" in each.get("codecs", node.get("codecs", "")) else "v"
            found[each.get("id", "")] = f"0:{kind}:{counts[kind]}"
            counts[kind] += 1
    return found


def decoded_frames(path: Path, stream: str, *, ffmpeg: Path | None = None) -> int:
    """How many frames ffmpeg decodes; an error in any of them is an error."""
    argv = [str(ffmpeg or binaries.ffmpeg()), "-nostdin", "-v", "fatal", "-xerror"]
    argv += [*_PROBE, "-i", str(path)]
    argv += ["-map", stream, "-fps_mode", "passthrough", "-f", "null", "-progress", "pipe:1", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return int(re.findall(r"^frame=\s*(\d+)$", done.stdout, re.MULTILINE)[-1])


def packets(path: Path, stream: str, *, ffmpeg: Path | None = None) -> int:
    argv = [str(ffmpeg or binaries.ffmpeg()), "-nostdin", "-v", "fatal", *_PROBE, "-i", str(path)]
    argv += ["-map", stream, "-c", "copy", "-f", "framecrc", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return sum(not line.startswith("#") for line in done.stdout.splitlines())
