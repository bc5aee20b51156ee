"""Links to what a job made, which are the permission to see it: an expiring signed path prefix.

Everything below `/media/<token>/<job>/` may be read until the token's time, so the relative names
in playlists work as they are.
"""

from __future__ import annotations

import hmac
import math
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import quote

from functions.jobs.seal import Seal

PURPOSE: Final = "playback"
TTL_S: Final = 12 * 3600.0
PUBLIC: Final = "public"
"""In the place of a token, for jobs that anybody may see."""
_STEP_S: Final = 3600
"""Tokens end at full hours: links given out within one are the same, and caches know them."""


def token(seal: Seal, job: str, *, now_s: float, ttl_s: float = TTL_S) -> str:
    """What lets anybody read the job's outputs for at least `ttl_s`, and an hour more at most."""
    expires_s = math.ceil((now_s + ttl_s) / _STEP_S) * _STEP_S
    return f"{expires_s}.{_mac(seal.key_for(PURPOSE), job, str(expires_s))}"


def is_valid(seal: Seal, shown: str, job: str, *, now_s: float) -> bool:
    """True for a token of this job, made under any of the master keys, whose time is not over."""
    text, _, mac = shown.partition(".")
    if not (text.isascii() and text.isdigit() and len(text) <= 12) or int(text) <= now_s:
        return False
    return any(
        hmac.compare_digest(_mac(key, job, text).encode(), mac.encode("utf-8", "replace"))
        for key in seal.keys_for(PURPOSE)
    )


def path(shown: str, job: str, name: str) -> str:
    """Where an output is read, `name` as in `layout.media`. `shown`: a token, or PUBLIC."""
    return f"/media/{shown}/{job}/{quote(name)}"


def _mac(key: bytes, job: str, expires_s: str) -> str:
    signed = hmac.digest(key, f"{job}\n{expires_s}".encode(), "sha256")
    return urlsafe_b64encode(signed).decode().rstrip("=")
