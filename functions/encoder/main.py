"""The function `encoder`: tasks in, segments and receipts out."""

from __future__ import annotations

import os
import time

from eventing.contract import TaskReady
from eventing.host import target
from functions.adapters import binaries, connect, process, scratch
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings

_settings = Settings.read(os.environ)
scratch.remove_stale(_settings.scratch)
_encoder = Encoder(
    store=connect.object_store(_settings.store),
    state=connect.state_store(_settings.state),
    process=process.run,
    clock=time.time,
    settings=_settings,
    ffmpeg=binaries.ffmpeg,
    fingerprint=binaries.fingerprint,
    # The GPU encoder is a Service of its own; this one has none.
    gpu=lambda: False,
    scratch=scratch.folder,
)

function = target("encoder", {TaskReady: _encoder.task_ready})
