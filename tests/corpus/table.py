"""All files of the corpus."""

from __future__ import annotations

from tests.corpus.case import Case
from tests.corpus.makers import (
    bombs,
    containers,
    losses,
    names,
    pictures,
    playlists,
    sounds,
    streams,
    structures,
    times,
    truncations,
)

FILMS: tuple[Case, ...] = (
    *containers.CASES,
    *times.CASES,
    *pictures.CASES,
    *sounds.CASES,
)
HOSTILE: tuple[Case, ...] = (
    *truncations.CASES,
    *losses.CASES,
    *structures.CASES,
    *streams.CASES,
    *playlists.CASES,
    *names.CASES,
    *bombs.CASES,
)
CASES = (*FILMS, *HOSTILE)
