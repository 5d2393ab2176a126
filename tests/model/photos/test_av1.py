"""An AVIF whose frames are larger than it says."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photos.av1 import frame_sizes

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
