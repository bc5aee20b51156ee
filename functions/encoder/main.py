"""The function `encoder`: tasks in, segments and receipts out."""

from __future__ import annotations

import os
import time
from functools import partial

from eventing.contract import TaskReady
from eventing.host import target
from functions.adapters import binaries, connect, process, scratch
from functions.encoder import pull
from functions.encoder.gpu import Gpu
from functions.encoder.handler import Encoder
from functions.encoder.settings import Settings
from functions.media.encoding.accelerator import CPU

_settings = Settings.read(os.environ)
scratch.remove_stale(_settings.scratch)
_state = connect.state_store(_settings.state)
_encoder = Encoder(
    store=connect.object_store(_settings.store),
    state=_state,
    process=process.run,
    clock=time.time,
    settings=_settings,
    ffmpeg=binaries.ffmpeg,
    fingerprint=binaries.fingerprint,
    gpu=Gpu(
        process=process.run,
        ffmpeg=binaries.ffmpeg,
        settings=_settings,
        scratch=scratch.folder,
    ),
    scratch=scratch.folder,
)

function = target("encoder", {TaskReady: _encoder.task_ready})
due = partial(pull.due, _state, CPU)
"""For `eventing.pull`."""
