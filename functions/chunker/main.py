"""The function `chunker`: accepted jobs in, plans and the first tasks out."""

from __future__ import annotations

import os
import time
from functools import partial

from eventing.contract import JobAccepted, SourcePrepared
from eventing.host import target
from functions.adapters import binaries, connect, process, scratch
from functions.chunker.handler import Chunker
from functions.chunker.settings import Settings
from functions.planning.surveyor import Surveyor

_settings = Settings.read(os.environ)
scratch.remove_stale(_settings.scratch)
_store = connect.object_store(_settings.store)
_chunker = Chunker(
    store=_store,
    state=connect.state_store(_settings.state),
    clock=time.time,
    surveys=Surveyor(
        store=_store,
        process=process.run,
        ffprobe=binaries.ffprobe,
        ffmpeg=binaries.ffmpeg,
        scratch=partial(scratch.folder, _settings.scratch),
        bounds=_settings.bounds,
    ),
    encoder=binaries.fingerprint,
    window=_settings.window,
    workers=_settings.encoders,
    gpu_workers=_settings.gpu_encoders,
    holder=_settings.worker,
    bounds=_settings.bounds,
    long_task_s=_settings.long_task_s,
    lease_s=_settings.lease_s,
)

function = target(
    "chunker",
    {JobAccepted: _chunker.job_accepted, SourcePrepared: _chunker.source_prepared},
)
