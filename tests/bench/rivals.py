"""What Kinora is measured beside: one plain ffmpeg with the plan's own settings, and a peer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from functions.adapters import binaries
from tests.bench.run import Watched, watch

Plan = dict[str, Any]
"""As `plan-<generation>.json` has it."""

CHANNELS: Final = {"mono": 1, "stereo": 2, "5.1": 6}
SHAKA_PRESET: Final = "slow"
"""What shaka-streamer tells x264 of every film, and nobody can change."""


def plain_ffmpeg(source: Path, plan: Plan, out: Path) -> Watched:
    """One process that decodes once and encodes every rendition as the plan says."""
    out.mkdir()
    return _ended(watch(plain_argv(source, plan, out)), "plain ffmpeg")


def plain_argv(source: Path, plan: Plan, out: Path) -> list[str | Path]:
    """Its argv; a file a rendition in `out`, named after it."""
    segment = plan["timeline"]["segment_frames"]
    video, audio = plan["video"], plan["audio"]
    heads = "".join(f"[s{n}]" for n in range(len(video)))
    scaled = ";".join(
        f"[s{n}]scale={r['width']}:{r['height']},setsar=1,format=yuv420p[v{n}]"
        for n, r in enumerate(video)
    )
    argv: list[str | Path] = [
        binaries.ffmpeg(), "-nostdin", "-v", "error", "-y", "-i", source,
        "-filter_complex", f"[0:v:0]split={len(video)}{heads};{scaled}",
    ]  # fmt: skip
    for n, r in enumerate(video):
        argv += [
            "-map", f"[v{n}]", "-c:v", "libx264", "-preset", r["preset"], "-crf", str(r["crf"]),
            "-maxrate", str(r["maxrate_bps"]), "-bufsize", str(r["bufsize_bits"]),
            "-g", str(segment), "-keyint_min", str(segment), "-sc_threshold", "0",
            "-flags", "+cgop", "-f", "mp4", out / f"{r['name']}.mp4",
        ]  # fmt: skip
    for track in audio:
        argv += [
            "-map", f"0:{track['track']}", "-c:a", "aac", "-b:a", str(track["bitrate_bps"]),
            "-ac", str(CHANNELS[track["layout"]]), "-ar", str(track["sample_rate"]),
            "-f", "mp4", out / f"{track['name']}.mp4",
        ]  # fmt: skip
    return argv


def shaka_streamer(source: Path, plan: Plan, folder: Path) -> Watched:
    """shaka-streamer from its package, with a ladder of the same sizes and highest rates, and
    the same sound."""
    folder.mkdir()
    words = {
        "-i": {"inputs": _inputs(source, plan)},
        "-p": {
            "streaming_mode": "vod",
            "resolutions": [r["name"] for r in plan["video"]],
            "channel_layouts": [track["layout"] for track in plan["audio"]],
            "audio_codecs": ["aac"],
            "video_codecs": ["h264"],
            "manifest_format": ["dash", "hls"],
            "segment_size": 4,
            "segment_per_file": True,
            "quiet": True,
        },
        "-b": {
            "video_resolutions": {
                r["name"]: {
                    "max_width": r["width"],
                    "max_height": r["height"],
                    "bitrates": {"h264": f"{r['maxrate_bps'] // 1000}k"},
                }
                for r in plan["video"]
            },
            "audio_channel_layouts": {
                track["layout"]: {
                    "max_channels": CHANNELS[track["layout"]],
                    "bitrates": {"aac": f"{track['bitrate_bps'] // 1000}k"},
                }
                for track in plan["audio"]
            },
        },
    }  # fmt: skip
    argv: list[str | Path] = [Path(sys.executable).parent / "shaka-streamer"]
    for word, content in words.items():
        file = folder / f"{word.strip('-')}.yaml"
        file.write_text(yaml.safe_dump(content))
        argv += [word, file]
    run = _ended(watch([*argv, "-o", folder / "out"]), "shaka-streamer")
    # It ends with 0 whatever happens.
    if not (folder / "out" / "hls.m3u8").is_file():
        raise RuntimeError("shaka-streamer left no playlist")
    return run


def _inputs(source: Path, plan: Plan) -> list[dict[str, str]]:
    picture = {"name": str(source), "media_type": "video", "resolution": plan["video"][0]["name"]}
    if not plan["audio"]:
        return [picture]
    largest = max((track["layout"] for track in plan["audio"]), key=CHANNELS.__getitem__)
    sound = {"name": str(source), "media_type": "audio", "channel_layout": largest}
    return [picture, sound]


def _ended(run: Watched, name: str) -> Watched:
    if run.returncode != 0:
        raise RuntimeError(f"{name} ended with {run.returncode}")
    return run
