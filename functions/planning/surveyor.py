"""What is in a source: one look at it, and at its mezzanine where it has one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from functions.jobs import layout
from functions.jobs.manifest import SourceObject
from functions.media.source import guard
from functions.media.source.stream import Media
from functions.planning.look import Look
from functions.planning.survey import Survey
from functions.ports import Absent, ObjectStore, Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Looks at sources with ffprobe, and at some of their pictures with ffmpeg."""

    store: ObjectStore
    process: Process
    ffprobe: Callable[[], Path]
    ffmpeg: Callable[[], Path]
    scratch: Callable[[], AbstractContextManager[Path]]
    """An empty folder, gone afterwards."""
    bounds: guard.Bounds = field(default_factory=guard.Bounds)

    def original(self, source: SourceObject, beat: Callable[[], None]) -> Survey:
        """Look at what was brought. `beat` is called between steps.

        Raises Rejected for what will never become streams.
        """
        with self.scratch() as folder:
            return self._look(source, beat, folder).original()

    def mezzanine(self, original: SourceObject, beat: Callable[[], None]) -> Survey:
        """Look at the mezzanine of a source, and at the source for what no copy can say.

        Raises Rejected, and Absent when there is none.
        """
        key = layout.mezzanine(original.digest)
        info = self.store.head(key)
        if info is None:
            raise Absent(key)
        with self.scratch() as folder:
            look = self._look(SourceObject.of(info), beat, folder)
            survey = look.mezzanine(layout.index(original.digest))
        with self.scratch() as folder:
            look = self._look(original, beat, folder)
            media = _named(survey.media, look.languages())
            return replace(survey, media=media, torn=look.torn())

    def _look(self, source: SourceObject, beat: Callable[[], None], folder: Path) -> Look:
        return Look(
            store=self.store,
            process=self.process,
            ffprobe=self.ffprobe,
            ffmpeg=self.ffmpeg,
            bounds=self.bounds,
            source=source,
            beat=beat,
            folder=folder,
        )


def _named(media: Media, languages: Sequence[str]) -> Media:
    """With the languages of the source: QuickTime has numbers for some, and loses the others."""
    if len(languages) != len(media.audio):
        return media
    pairs = zip(media.audio, languages, strict=True)
    return replace(
        media, audio=tuple(replace(stream, language=language) for stream, language in pairs)
    )
