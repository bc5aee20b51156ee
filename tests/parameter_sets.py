"""What H.264 says of itself, less what it need not say."""

from __future__ import annotations

from pathlib import Path

HIGH = (100, 110, 122, 244)
"""Profiles whose parameter sets say more of the pictures' format."""


class Bits:
    """Reads a sequence parameter set (ISO/IEC 14496-10, 7.3.2.1.1)."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def number(self, bits: int) -> int:
        self.at += bits
        return int(self.text[self.at - bits : self.at], 2)

    def golomb(self) -> int:
        zeros = self.text.index("1", self.at) - self.at
        self.at += zeros
        return self.number(zeros + 1) - 1


def forget_reordering(clip: Path) -> None:
    """Take the part of the parameter sets of an mp4 away that nobody has to write, and with it how
    far pictures are reordered."""
    data = bytearray(clip.read_bytes())
    at = data.index(b"avcC") + 4
    assert data[at + 5] & 31 == 1
    start = at + 8
    stop = start + int.from_bytes(data[at + 6 : start], "big")
    short = _short(bytes(data[start:stop]))
    data[start:stop] = short.ljust(stop - start, b"\0")
    clip.write_bytes(data)


def _short(unit: bytes) -> bytes:
    """The unit without usability information."""
    header, body = unit[:1], unit[1:].replace(b"\0\0\3", b"\0\0")
    kept = _needed(body) + "0"  # vui_parameters_present_flag
    kept += "1" + "0" * (-(len(kept) + 1) % 8)  # rbsp_trailing_bits
    short = bytearray(header)
    for byte in int(kept, 2).to_bytes(len(kept) // 8, "big"):
        if byte <= 3 and short.endswith(b"\0\0"):
            short.append(3)  # emulation_prevention_three_byte
        short.append(byte)
    assert len(short) <= len(unit)
    return bytes(short)


def _needed(body: bytes) -> str:
    """The bits before vui_parameters_present_flag, field by field (7.3.2.1.1)."""
    bits = Bits(body)
    profile_idc = bits.number(8)
    bits.number(16)  # constraint flags, level_idc
    bits.golomb()  # seq_parameter_set_id
    if profile_idc in HIGH:
        bits.golomb()  # chroma_format_idc
        bits.golomb()  # bit_depth_luma_minus8
        bits.golomb()  # bit_depth_chroma_minus8
        bits.number(1)  # qpprime_y_zero_transform_bypass_flag
        assert not bits.number(1), "seq_scaling_matrix_present_flag: nothing here has one"
    bits.golomb()  # log2_max_frame_num_minus4
    if (pic_order_cnt_type := bits.golomb()) == 0:
        bits.golomb()  # log2_max_pic_order_cnt_lsb_minus4
    assert pic_order_cnt_type != 1, "nothing here counts so"
    bits.golomb()  # max_num_ref_frames
    bits.number(1)  # gaps_in_frame_num_value_allowed_flag
    bits.golomb()  # pic_width_in_mbs_minus1
    bits.golomb()  # pic_height_in_map_units_minus1
    if not bits.number(1):  # frame_mbs_only_flag
        bits.number(1)  # mb_adaptive_frame_field_flag
    bits.number(1)  # direct_8x8_inference_flag
    if bits.number(1):  # frame_cropping_flag
        for _edge in ("left", "right", "top", "bottom"):
            bits.golomb()
    return bits.text[: bits.at]
