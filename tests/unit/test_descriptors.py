"""How many files and sockets there may be: never more than were had."""

from __future__ import annotations

import resource

from functions.adapters import descriptors


def test_no_more_are_promised_than_are_wanted_and_than_there_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert descriptors.raised(16) == 16
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)
    try:
        wanted = 2**40
        more = descriptors.raised(wanted)
        assert soft <= more <= wanted
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (more, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
