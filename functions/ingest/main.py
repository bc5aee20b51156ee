"""The function `ingest`: objects in, accepted or rejected jobs out."""

from __future__ import annotations

import os
import time

from eventing.contract import ObjectCreated
from eventing.host import target
from functions.adapters import connect
from functions.ingest.handler import Ingest
from functions.ingest.settings import Settings

_settings = Settings.read(os.environ)
_store = connect.object_store(_settings.store)
_ingest = Ingest(
    store=_store,
    state=connect.state_store(_settings.state),
    clock=time.time,
    acceptance=_settings.acceptance.over(_store),
)

function = target("ingest", {ObjectCreated: _ingest.object_created})
