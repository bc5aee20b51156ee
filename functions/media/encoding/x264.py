"""What ffmpeg is told where the CPU encodes H.264."""

from __future__ import annotations

from collections.abc import Iterator

from functions.media.cutting.timeline import Timeline
from functions.media.encoding.rendition import VideoRendition


def options(rendition: VideoRendition, timeline: Timeline, *, threads: int) -> Iterator[str]:
    """The encoder's options of one output, up to the times of its packets."""
    rate = timeline.rate
    yield from ("-c:v", "libx264", "-preset", rendition.preset, "-crf", f"{rendition.crf:g}")
    yield from ("-maxrate", str(rendition.maxrate_bps), "-bufsize", str(rendition.bufsize_bits))
    yield from ("-threads", str(threads))
    # Closed groups of one segment each, and no other key frame.
    group = str(timeline.segment_frames)
    if timeline.variable:
        # Segments start at forced ones. Decoding order is presentation order: a picture that
        # waits for a later one would be decoded at a time that is not its own.
        yield from ("-g", str(timeline.segment_frames + 1), "-forced-idr", "1", "-bf", "0")
    else:
        yield from ("-g", group, "-keyint_min", group)
    yield from ("-sc_threshold", "0")
    yield from ("-flags:v", "+cgop+bitexact")
    # One parameter set whatever the rate control does; the rate is the plan's, because what
    # containers claim (1000 frames a second) would size the level and the buffer model.
    yield from ("-x264-params", f"stitchable=1:fps={rate.numerator}/{rate.denominator}")
