"""The function `deadletter`: undeliverable events in, nothing out."""

from __future__ import annotations

import os

from eventing.host import ANY, target
from functions.adapters import connect
from functions.deadletter.handler import DeadLetter
from functions.deadletter.settings import Settings

_settings = Settings.read(os.environ)
_deadletter = DeadLetter(store=connect.object_store(_settings.store))

function = target("deadletter", {ANY: _deadletter.undeliverable})
