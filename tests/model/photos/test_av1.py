"""An AVIF whose frames are larger than it says."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photos.av1 import _frame_size, _samples, frame_sizes
from catsdogs.model.photos.heif import open_avif
from catsdogs.model.photos.source import DamagedError, TimeLimit

LARGE, SMALL = (1600, 1200), (64, 64)


def encode(size: tuple[int, int], mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, "AVIF", speed=10, **options)
    return stream.getvalue()


def frames(size: tuple[int, int]) -> bytes:
    return encode(size, save_all=True, append_images=[Image.new("RGB", size, "red"), Image.new("RGB", size, "blue")])


@pytest.mark.parametrize("size", [(8, 8), (9, 1001), (640, 480), LARGE])
def test_the_size_of_the_frames_is_read_from_their_streams(size: tuple[int, int]) -> None:
    pixels = size[0] * size[1]
    assert frame_sizes(encode(size)) == [pixels]
    assert frame_sizes(encode(size, "RGBA")) == [pixels, pixels]
    found = frame_sizes(encode(size, exif=Image.Exif().tobytes(), xmp=b"<x:xmpmeta/>", icc_profile=b"junk"))
    assert found == [pixels]
    assert max(frame_sizes(frames(size))) == pixels
    assert len(frame_sizes(frames(size))) == 4, "the picture and three frames"


def test_a_picture_that_is_larger_than_it_says_is_refused() -> None:
    for photo in (encode(LARGE), encode(LARGE, "RGBA"), frames(LARGE)):
        stated = photo
        for code, scale in ((">II", 1), (">II", 65536), (">HH", 1)):  # in ispe, in tkhd, in the sample's description
            old = struct.pack(code, *(side * scale for side in LARGE))
            stated = stated.replace(old, struct.pack(code, *(side * scale for side in SMALL)))
        assert stated != photo
        assert preprocessing.decode(photo).image.size == LARGE
        with pytest.raises(InvalidImage):
            preprocessing.decode(stated)


def test_streams_are_found_in_parts_and_in_the_description() -> None:
    photo = encode(LARGE)
    table = photo.index(b"iloc")
    start, length = struct.unpack_from(">II", photo, table + 18)
    stream = photo[start : start + length]

    def described(more: bytes, boxes: bytes, rest: bytes) -> bytes:
        body = b"iloc" + more
        entries = b"iinf" + struct.pack(">IHI4s8sI", 0, 1, 20, b"infe", b"\2\0\0\0\0\1\0\0", 0x61763031)
        meta = b"meta" + bytes(4) + struct.pack(">I", len(body) + 4) + body
        meta += struct.pack(">I", len(entries) + 4) + entries + boxes
        return struct.pack(">I4s8s", 16, b"ftyp", b"avif") + struct.pack(">I", len(meta) + 4) + meta + rest

    inside = struct.pack(">I4sI", len(stream) + 11, b"idat", 0)[:-1] + stream
    entry = bytes([1, 0, 0, 0, 0x44, 0, 0, 1]) + struct.pack(">HHHHII", 1, 1, 0, 1, 3, len(stream))
    assert frame_sizes(described(entry, inside, b"")) == [LARGE[0] * LARGE[1]]
    halves = bytes([0, 0, 0, 0, 0x44, 0, 0, 1]) + struct.pack(">HHHIIII", 1, 0, 2, 100, 5, 100 + 8, len(stream) - 5)
    rest = stream[:5] + b"???" + stream[5:]
    assert frame_sizes(described(halves, b"", rest)) == [LARGE[0] * LARGE[1]]


def test_samples_of_one_size_lie_side_by_side_in_their_chunks() -> None:
    tables = {
        b"stsz": struct.pack(">III", 0, 5, 3),
        b"stsc": struct.pack(">IIIII", 0, 1, 1, 2, 1),
        b"stco": struct.pack(">IIII", 0, 2, 100, 200),
    }
    assert list(_samples(tables)) == [(100, 5), (105, 5), (200, 5)]


def test_an_alpha_channel_takes_more_memory() -> None:
    opaque, transparent = (open_avif(encode(SMALL, mode), TimeLimit(1)) for mode in ("RGB", "RGBA"))
    assert transparent.decoding_bytes > opaque.decoding_bytes


@pytest.mark.parametrize(
    "points",
    [
        pytest.param("0 0 00000" + "0" * 12 + "00111", id="nothing besides"),
        pytest.param("1" + "0" * 64 + "0 0 0 00000" + "0" * 12 + "00111", id="timing"),
        pytest.param("1" + "0" * 64 + "1 001 01 0 0 00000" + "0" * 12 + "01000 1", id="equal intervals, a high level"),
        pytest.param(
            # a delay of 5 bits for each of two points: one has both lengths of the buffer, the other none
            "1" + "0" * 64 + "0 1 00100" + "0" * 42 + "1 00001" + "0" * 12 + "00111 1" + "1" * 11 + "1 1111"
            + "0" * 12 + "01000 1 0 0",
            id="the decoder's model",
        ),
    ],
)  # fmt: skip
def test_the_size_is_read_behind_the_operating_points(points: str) -> None:
    """AV1 specification, 5.5.1: the sequence header that is not the short one of a still picture."""
    bits = ("0000 0" + points + "1001 1010" + f"{639:010b}" + f"{479:011b}").replace(" ", "")
    header = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    assert _frame_size(header) == 640 * 480
    with pytest.raises(DamagedError):
        _frame_size(header[:-3])
