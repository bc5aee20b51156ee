"""The function `notifier`: verdicts in; messages to endpoints out, not events."""

from __future__ import annotations

import os
import time

from eventing.contract import JobCancelled, JobCompleted, JobFailed, JobRejected, WebhookDue
from eventing.host import target
from functions.adapters import connect
from functions.adapters.reach import Reach
from functions.adapters.webhook import HttpWebhook
from functions.notifier.handler import Notifier
from functions.notifier.settings import Settings

_settings = Settings.read(os.environ)
_notifier = Notifier(
    store=connect.object_store(_settings.store),
    state=connect.state_store(_settings.state),
    clock=time.time,
    pause=time.sleep,
    webhook=HttpWebhook(Reach(allow=_settings.allow), timeout_s=_settings.timeout_s),
    worker=_settings.worker,
    seal=_settings.seal,
    schedule=_settings.schedule,
    patience=_settings.patience,
    lease_s=_settings.lease_s,
)

function = target(
    "notifier",
    {
        JobCompleted: _notifier.verdict,
        JobRejected: _notifier.verdict,
        JobFailed: _notifier.verdict,
        JobCancelled: _notifier.verdict,
        WebhookDue: _notifier.webhook_due,
    },
)
