from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import pytest

from functions.media.streams import dash
from tests.unit.test_hls import RATE, picture, sound

NAMES = {"": "urn:mpeg:dash:schema:mpd:2011"}

GOLDEN = """\
<?xml version="1.0" encoding="UTF-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" \
type="static" mediaPresentationDuration="PT8.008S" minBufferTime="PT4.011S">
  <Period id="0" start="PT0S">
    <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" \
startWithSAP="1">
      <Representation id="720p" codecs="avc1.64001f" bandwidth="3989031" width="1280" \
height="720" sar="1:1" frameRate="30000/1001">
        <BaseURL>720p/</BaseURL>
        <SegmentList timescale="30000">
          <Initialization sourceURL="init-cafe.mp4" />
          <SegmentTimeline>
            <S t="0" d="120120" />
            <S d="120120" />
          </SegmentTimeline>
          <SegmentURL media="00000-beef.m4s" />
          <SegmentURL media="00001-beef.m4s" />
        </SegmentList>
      </Representation>
    </AdaptationSet>
    <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" \
lang="en" startWithSAP="1">
      <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main" />
      <Representation id="audio-1" codecs="mp4a.40.2" bandwidth="127660" \
audioSamplingRate="48000">
        <AudioChannelConfiguration \
schemeIdUri="urn:mpeg:mpegB:cicp:ChannelConfiguration" value="2" />
        <BaseURL>audio-1/</BaseURL>
        <SegmentList timescale="48000">
          <Initialization sourceURL="init-cafe.mp4" />
          <SegmentTimeline>
            <S t="0" d="192512" />
            <S d="192512" />
          </SegmentTimeline>
          <SegmentURL media="00000-beef.m4s" />
          <SegmentURL media="00001-beef.m4s" />
        </SegmentList>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
"""


def test_the_manifest_is_this_text() -> None:
    made = dash.manifest(
        [picture("720p", height=720, kilobytes=(1500, 2000))],
        [sound(1)],
        rate=RATE,
        duration_s=240 / RATE,
    )
    assert made == GOLDEN


def test_every_segment_has_its_own_entry_in_list_and_timeline() -> None:
    made = dash.manifest(
        [picture("720p", height=720, kilobytes=(1,) * 50)], [], rate=RATE, duration_s=Fraction(200)
    )
    root = ElementTree.fromstring(made)
    assert len(root.findall(".//SegmentURL", NAMES)) == 50
    entries = root.findall(".//S", NAMES)
    assert len(entries) == 50
    assert not any("r" in each.attrib for each in entries)


def test_the_first_sound_is_the_main_one() -> None:
    made = dash.manifest(
        [],
        [sound(1), sound(2, language="deu", layout="mono"), sound(3, language="klingon!")],
        rate=None,
        duration_s=Fraction(10),
    )
    root = ElementTree.fromstring(made)
    assert [each.get("value") for each in root.findall(".//Role", NAMES)] == [
        "main", "alternate", "alternate",
    ]  # fmt: skip
    sets = root.findall(".//AdaptationSet", NAMES)
    assert [each.get("lang") for each in sets] == ["en", "de", "und"]
    assert [each.get("value") for each in root.findall(".//AudioChannelConfiguration", NAMES)] == [
        "2", "1", "2",
    ]  # fmt: skip
    assert root.get("mediaPresentationDuration") == "PT10S"


def test_the_presentation_lasts_to_the_microsecond_and_never_less() -> None:
    made = dash.manifest(
        [picture("720p", height=720, kilobytes=(1,))], [], rate=RATE, duration_s=Fraction(1, 3)
    )
    assert 'mediaPresentationDuration="PT0.333334S"' in made


def test_nothing_is_no_presentation() -> None:
    with pytest.raises(ValueError, match="nothing to play"):
        dash.manifest([], [], rate=None, duration_s=Fraction(1))


def test_each_layout_of_a_track_is_a_set_of_its_own_with_its_channels() -> None:
    made = dash.manifest(
        [],
        [sound(1), sound(1, layout="5.1"), sound(2, language="deu", layout="mono")],
        rate=None,
        duration_s=Fraction(10),
    )
    root = ElementTree.fromstring(made)
    found = [
        (
            each.attrib["lang"],
            each.find("Role", NAMES).attrib["value"],  # type: ignore[union-attr]
            each.find("Representation", NAMES).attrib["id"],  # type: ignore[union-attr]
            each.find(".//AudioChannelConfiguration", NAMES).attrib["value"],  # type: ignore[union-attr]
        )
        for each in root.iterfind(".//AdaptationSet", NAMES)
    ]
    assert found == [
        ("en", "main", "audio-1", "2"),
        ("en", "main", "audio-1-surround", "6"),
        ("de", "alternate", "audio-2", "1"),
    ]
