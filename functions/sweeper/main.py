"""The function `sweeper`: ticks in, whatever stood still out."""

from __future__ import annotations

import os
import time

from eventing.contract import TICK
from eventing.host import target
from functions.adapters import connect
from functions.sweeper.handler import Sweeper
from functions.sweeper.settings import Settings

_settings = Settings.read(os.environ)
_sweeper = Sweeper(
    store=connect.object_store(_settings.store),
    state=connect.state_store(_settings.state),
    uploads=connect.uploads(_settings.store),
    clock=time.time,
    window=_settings.window,
    buckets=_settings.buckets,
    settle_s=_settings.settle_s,
    stale_s=_settings.stale_s,
    gpu_deadline_s=_settings.gpu_deadline_s,
)

function = target("sweeper", {TICK: _sweeper.tick})
