from __future__ import annotations

import subprocess

import pytest

from functions.adapters import binaries
from functions.media.source import guard, sniff


def test_every_sniffed_container_has_a_demuxer_on_the_list_and_no_other_is() -> None:
    assert {container.format for container in sniff.CONTAINERS} == set(guard.DEMUXERS)


@pytest.mark.parametrize("format", ["hls", "concat", "dash", "image2", "sdp", "mov,hls", ""])
def test_a_demuxer_that_opens_other_files_is_refused(format: str) -> None:
    with pytest.raises(ValueError, match="not on the list"):
        guard.input_options(format)


def test_the_options_of_an_input_name_what_may_be_used() -> None:
    options = guard.input_options("mov", pixels=1000, also=("mov_text",))
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given["-protocol_whitelist"] == "file"
    assert given["-format_whitelist"] == given["-f"] == "mov"
    assert given["-max_pixels"] == "1000"
    assert "mov_text" in given["-codec_whitelist"].split(",")
    assert "mov_text" not in guard.DECODERS.split(",")


def test_every_listed_decoder_is_in_the_encoder_build() -> None:
    argv = [str(binaries.ffmpeg()), "-v", "quiet", "-decoders"]
    said = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    known = {words[1] for words in map(str.split, said.splitlines()) if len(words) > 1}
    assert set(guard.DECODERS.split(",")) <= known
