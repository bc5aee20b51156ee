"""Sounds that are longer, shorter, late, many, few, in other formats or alone."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.corpus.bases import AAC, H264_B, PICTURE, SOUND, lavfi
from tests.corpus.case import Case, Completed, End, refused

FILM = Completed(frames=50, sounds=1)
TWO = Completed(sounds=1, sound_s=Fraction(2))


def with_sound(id: str, sound: str, *words: str, name: str = "film.mp4", end: End = FILM) -> Case:
    """Fifty frames and this sound."""
    return Case(
        id, lambda bases: bases.made(name, *lavfi(PICTURE, sound), *H264_B, *(words or AAC)), end
    )


def alone(id: str, sound: str, *words: str, name: str = "film.m4a", end: End = TWO) -> Case:
    return Case(id, lambda bases: bases.made(name, *lavfi(sound), *(words or AAC)), end)


def late(id: str, offset: str, name: str, end: End = FILM) -> Case:
    """The sound so much later than the pictures, or earlier."""
    return Case(
        id,
        lambda bases: bases.made(
            name, "-f", "lavfi", "-i", PICTURE, "-itsoffset", offset, "-f", "lavfi", "-i", SOUND,
            *H264_B, *AAC,
        ),
        end,
    )  # fmt: skip


def tracks(count: int) -> Any:
    words = [word for _ in range(count) for word in ("-map", "1:a")]
    return lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE, "sine=r=8000:d=2"), "-map", "0:v", *words, *H264_B, *AAC
    )


CASES = (
    with_sound("sound 30 s longer", "sine=d=32",
               end=Completed(frames=50, sounds=1, notes=("30.0 s after the last picture",))),
    with_sound("sound half as long", "sine=d=1"),
    with_sound("sound of one frame", "sine=d=0.02"),
    with_sound("sound of mono at 8 kHz", "sine=r=8000:d=2"),
    with_sound("sound at 44.1 kHz", "sine=r=44100:d=2"),
    with_sound("sound at 96 kHz", "sine=r=96000:d=2", "-c:a", "flac"),
    with_sound("sound at 11,025 Hz", "sine=r=11025:d=2"),
    with_sound("sound in 5.1", "anoisesrc=r=48000:d=2,aformat=channel_layouts=5.1", "-c:a", "ac3"),
    with_sound("sound in 7.1", "anoisesrc=r=48000:d=2,aformat=channel_layouts=7.1", *AAC),
    with_sound("sound in 6.1", "anoisesrc=r=48000:d=2,aformat=channel_layouts=6.1", "-c:a", "flac"),
    with_sound("sound in quad", "anoisesrc=r=48000:d=2,aformat=channel_layouts=quad", "-c:a",
               "pcm_s16le", name="film.mov"),
    with_sound("sound of 16 channels",
               "anoisesrc=r=48000:d=2,aformat=channel_layouts=hexadecagonal", "-c:a", "pcm_s16le",
               name="film.mov"),
    with_sound("sound of 24 bits", "sine=d=2", "-c:a", "pcm_s24le", name="film.mov"),
    with_sound("sound as floats that are no numbers", "aevalsrc=0/0:d=2", "-c:a", "pcm_f32le",
               name="film.mov", end=refused("decode_failed")),
    with_sound("sound far too loud", "sine=d=2,volume=60dB", "-c:a", "pcm_f32le", name="film.mov"),
    with_sound("silence", "anullsrc=d=2"),
    with_sound("silence in mp4 as opus", "anullsrc=d=2", "-c:a", "libopus"),
    with_sound("a hole in the sound, mkv",
               "sine=d=2,aselect='lt(t,0.5)+gt(t,1.2)'", name="film.mkv"),
    with_sound("a hole in the sound, ts", "sine=d=2,aselect='lt(t,0.5)+gt(t,1.2)'", name="film.ts"),
    with_sound("a hole in the sound, mp4", "sine=d=2,aselect='lt(t,0.5)+gt(t,1.2)'"),
    with_sound("sound whose codec is not taken", "sine=r=16000:d=2", "-c:a", "wmav2",
               name="film.mkv", end=Completed(frames=50, notes=("audio stream 1 left out",))),
    late("sound a second late, mp4", "1", "film.mp4"),
    late("sound a second late, mkv", "1", "film.mkv",
         Completed(frames=50, sounds=1, notes=("1.0 s after the last picture",))),
    late("sound a second late, ts", "1", "film.ts",
         Completed(frames=50, sounds=1, notes=("1.0 s after the last picture",))),
    late("sound that begins before the pictures, mkv", "-0.5", "film.mkv"),
    late("sound that begins before the pictures, ts", "-0.5", "film.ts"),
    late("sound that begins after the pictures have ended", "5", "film.mkv",
         Completed(frames=50, sounds=1, notes=("2.0 s after the last picture",))),
    Case("pictures a second late", lambda bases: bases.made(
        "film.mkv", "-itsoffset", "1", "-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i",
        "sine=d=3", *H264_B, *AAC), FILM),
    Case("two sounds", tracks(2), Completed(frames=50, sounds=2)),
    Case("six sounds", tracks(6), Completed(frames=50, sounds=6)),
    Case("languages that are none", lambda bases: bases.made(
        "film.mkv", *lavfi(PICTURE, SOUND), "-map", "0:v", "-map", "1:a", "-map", "1:a", *H264_B,
        *AAC, "-metadata:s:a:0", 'language="x\n#EXT', "-metadata:s:a:1", "language=<b>"),
        Completed(frames=50, sounds=2)),
    Case("the same language twice", lambda bases: bases.made(
        "film.mp4", *lavfi(PICTURE, SOUND), "-map", "0:v", "-map", "1:a", "-map", "1:a", *H264_B,
        *AAC, "-metadata:s:a", "language=ger"), Completed(frames=50, sounds=2)),
    alone("sound alone in mp4", SOUND),
    alone("sound alone in webm", SOUND, "-c:a", "libopus", name="film.webm"),
    alone("sound alone in ogg", SOUND, "-c:a", "libvorbis", "-ac", "2", name="film.ogg"),
    alone("sound alone in ogg as flac", SOUND, "-c:a", "flac", name="film.ogg"),
    alone("sound alone in ts", SOUND, name="film.ts"),
    alone("sound alone in flv", "sine=r=44100:d=2", "-c:a", "libmp3lame", name="film.flv"),
    alone("sound alone in mov as alac", SOUND, "-c:a", "alac", name="film.mov"),
    alone("sound alone in avi", SOUND, "-c:a", "pcm_s16le", name="film.avi"),
    alone("sound alone, 10 ms of it", "sine=d=0.01",
          end=Completed(sounds=1, sound_s=Fraction(1, 100))),
    alone("sound alone, a minute of it", "sine=r=8000:d=60",
          end=Completed(sounds=1, sound_s=Fraction(60))),
    alone("a wav file", SOUND, "-c:a", "pcm_s16le", name="film.wav",
          end=refused("source_not_media")),
    alone("an mp3 file", SOUND, "-c:a", "libmp3lame", name="film.mp3",
          end=refused("source_not_media")),
    alone("an mp3 file without a tag", SOUND, "-c:a", "libmp3lame", "-id3v2_version", "0",
          "-write_xing", "0", name="film.mp3", end=refused("source_not_media")),
    alone("a flac file", SOUND, "-c:a", "flac", name="film.flac", end=refused("source_not_media")),
    alone("raw aac", SOUND, *AAC, name="film.aac", end=refused("source_not_media")),
)  # fmt: skip
