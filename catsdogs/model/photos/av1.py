"""How large the frames are that an AVIF really holds: it may say that it is small, and hold huge ones.

Read are the tables that say where the streams are, and of each stream its sequence headers: no frame is larger than
they say. See the AV1 bitstream specification, sections 5.3 and 5.5, https://aomediacodec.github.io/av1-spec/
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from catsdogs.model.photos.boxes import MAX_UNITS, Range, all_boxes, item_number, item_parts
from catsdogs.model.photos.source import DamagedError, too_many_parts

_SEQUENCE_HEADER = 1
_HEADER_BYTES = 256  # what is read of a sequence header is shorter


def frame_sizes(content: bytes) -> list[int]:
    """Return the number of pixels, at most, of a frame of each picture and of each sample of a track."""
    found: list[int] = []
    units, room = 0, 4 * len(content)
    for parts in _streams(content):
        room -= 1 + sum(length for _, length in parts)
        if room < 0:
            raise too_many_parts()
        stream = b"".join(content[start : start + length] for start, length in parts)
        found.append(0)
        for kind, start in _units(stream):
            units += 1
            if units > MAX_UNITS:
                raise too_many_parts()
            if kind == _SEQUENCE_HEADER:
                found[-1] = max(found[-1], _frame_size(stream[start : start + _HEADER_BYTES]))
    return found


def _streams(content: bytes) -> Iterator[list[Range]]:
    """Return where each picture and each sample of a track lies."""
    tables: dict[bytes, bytes] = {}
    items, description = b"", (0, 0)
    pictures: set[int] = set()
    for kind, start, end in all_boxes(content):
        if kind == b"iloc":
            items = content[start:end]
        elif kind == b"idat":
            description = start, end - start
        elif kind == b"infe" and content[start + 8 : end].startswith((b"av01", b"\0\0av01")):
            pictures.add(item_number(content, start))
        elif kind in (b"stsz", b"stsc", b"stco", b"co64"):
            tables[kind] = content[start:end]
            if {b"stsz", b"stsc"} <= tables.keys() and (b"stco" in tables or b"co64" in tables):
                yield from ([sample] for sample in _samples(tables))
                tables = {}
    if items:
        yield from (parts for number, parts in item_parts(items, (0, len(content)), description) if number in pictures)


def _samples(tables: dict[bytes, bytes]) -> Iterator[Range]:
    """Return where each sample of a track lies."""
    size, count = struct.unpack_from(">II", tables[b"stsz"], 4)
    if count > MAX_UNITS:
        raise too_many_parts()
    sizes = [size] * count if size else struct.unpack_from(f">{count}I", tables[b"stsz"], 12)
    width, offsets = ("I", tables[b"stco"]) if b"stco" in tables else ("Q", tables[b"co64"])
    chunks = struct.unpack_from(f">{struct.unpack_from('>I', offsets, 4)[0]}{width}", offsets, 8)
    runs = tables[b"stsc"]
    per_chunk = {}
    for number in range(struct.unpack_from(">I", runs, 4)[0]):
        first, samples = struct.unpack_from(">II", runs, 8 + 12 * number)
        per_chunk[first] = samples
    sample, in_chunk = 0, 0
    for number, chunk in enumerate(chunks, 1):
        in_chunk, position = per_chunk.get(number, in_chunk), chunk
        for length in sizes[sample : sample + in_chunk]:
            yield position, length
            position += length
        sample += in_chunk


def _units(stream: bytes) -> Iterator[tuple[int, int]]:
    """Return the kind of each unit of a stream (OBU), and where its content starts."""
    position = 0
    while position < len(stream):
        head = stream[position]
        position += 2 if head & 4 else 1
        length = len(stream) - position
        if head & 2:
            length = 0
            for shift in range(0, 56, 7):
                if position >= len(stream):
                    return
                length |= (stream[position] & 127) << shift
                position += 1
                if not stream[position - 1] & 128:
                    break
        yield head >> 3 & 15, position
        position += length


def _frame_size(header: bytes) -> int:
    """Read the largest number of pixels of a frame from a sequence header."""
    bits = "".join(f"{byte:08b}" for byte in header)
    position = 0

    def read(count: int) -> int:
        nonlocal position
        position += count
        if position > len(bits):
            raise DamagedError("sequence header")
        return int(bits[position - count : position], 2)

    read(4)  # profile, still picture
    if read(1):  # a short header
        read(5)
    else:
        _skip_operating_points(read)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return (read(width_bits) + 1) * (read(height_bits) + 1)


def _skip_operating_points(read: Callable[[int], int]) -> None:
    delay_bits = 0
    if read(1):  # timing
        read(64)
        if read(1):
            zeros = 0
            while not read(1):
                zeros += 1
            if zeros:
                read(min(zeros, 32))
        if read(1):  # the decoder's model
            delay_bits = read(5) + 1
            read(42)
    has_delay = read(1)
    for _ in range(read(5) + 1):
        read(12)
        if read(5) > 7:
            read(1)
        if delay_bits and read(1):
            read(2 * delay_bits + 1)
        if has_delay and read(1):
            read(4)
