"""The function `assembler`: ended tasks in, due tasks and finished jobs out."""

from __future__ import annotations

import os
import time

from eventing.contract import JobEncoded, TaskCompleted, TaskFailed
from eventing.host import target
from functions.adapters import connect
from functions.assembler.handler import Assembler
from functions.assembler.settings import Settings

_settings = Settings.read(os.environ)
_assembler = Assembler(
    store=connect.object_store(_settings.store),
    state=connect.state_store(_settings.state),
    clock=time.time,
    worker=_settings.worker,
    window=_settings.window,
    lease_s=_settings.lease_s,
)

function = target(
    "assembler",
    {
        TaskCompleted: _assembler.task_completed,
        TaskFailed: _assembler.task_failed,
        JobEncoded: _assembler.job_encoded,
    },
)
