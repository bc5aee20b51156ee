"""The function `source`: notifications of a storage in, `object.created` out."""

from __future__ import annotations

import os

from eventing.host import exposed
from eventing.listener import Listener
from functions.adapters.s3.account import Buckets
from functions.source.bearer import Bearer
from functions.source.handler import Source
from functions.source.settings import Settings

_settings = Settings.read(os.environ)
_named = Buckets.at(_settings.store) if _settings.store.startswith("s3:") else Buckets()
_source = Source(buckets={_named.real(name): name for name in _settings.buckets})

function = exposed(Listener("source", _source.hear, admit=Bearer(_settings.tokens)))
