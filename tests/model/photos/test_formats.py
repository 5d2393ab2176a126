"""Every kind of file, and what viewers do not mind."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photos import heif
from catsdogs.model.preprocessing import Photo
from tests.fuzz.bombs import chunk, heif_bombs, segment, with_screen
from tests.fuzz.tiff_bombs import SHORT, picture, tiff
from tests.heic_files import box, heic_of_tiles

SIDE = 64
PICTURES = Path(__file__).parents[2] / "pictures"
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
UPRIGHT = [RED, GREEN, BLUE, WHITE]
TURNS = {6: Image.Transpose.ROTATE_90, 3: Image.Transpose.ROTATE_180, 5: Image.Transpose.TRANSPOSE}


def quarters(mode: str = "RGB") -> Image.Image:
    """Red, green / blue, white."""
    picture = Image.new("RGB", (SIDE, SIDE), WHITE)
    half = SIDE // 2
    for colour, place in ((RED, (0, 0)), (GREEN, (half, 0)), (BLUE, (0, half))):
        picture.paste(colour, (*place, place[0] + half, place[1] + half))
    return picture.convert(mode)


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def corners(photo: bytes) -> list[tuple[int, ...]]:
    """Colours at the middle of each quarter, rounded to 0, 128 or 255."""
    pixels = preprocessing.square(preprocessing.decode(photo), SIDE)
    points = [pixels[y, x] for y in (SIDE // 4, 3 * SIDE // 4) for x in (SIDE // 4, 3 * SIDE // 4)]
    return [tuple(round(int(value) / 127.5) * 127 + (int(value) > 191) for value in point) for point in points]


def grey(photo: Photo) -> list[int]:
    """Mean of the left half and of the right half."""
    pixels = np.asarray(photo.image.convert("L"), float)
    half = pixels.shape[1] // 2
    return [round(pixels[:, :half].mean()), round(pixels[:, half:].mean())]


def halves(dark: int, bright: int) -> np.ndarray:
    """16-bit greys, dark at the left."""
    return np.where(np.arange(SIDE) < SIDE // 2, dark, bright).astype(np.uint16)[None].repeat(SIDE, 0)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_avif_is_read(subsampling: str) -> None:
    assert corners(encode(quarters(), "AVIF", quality=95, subsampling=subsampling)) == UPRIGHT


def test_an_avif_with_damaged_exif_is_read() -> None:
    avif = encode(quarters(), "AVIF", quality=95, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    assert avif.count(b"MM\0*") == 1
    assert corners(avif.replace(b"MM\0*", bytes(4))) == UPRIGHT


def test_heic_is_read_with_its_orientation_alpha_and_several_pictures() -> None:
    assert corners((PICTURES / "quarters.heic").read_bytes()) == UPRIGHT
    turned = (PICTURES / "turned.heic").read_bytes()  # stored turned, which the file says, and EXIF once more
    assert corners(turned) == UPRIGHT
    photo = preprocessing.decode(turned)
    assert (photo.width, photo.height) == (2 * SIDE, SIDE)
    assert corners((PICTURES / "transparent.heic").read_bytes()) == [WHITE, WHITE, BLUE, WHITE]
    assert preprocessing.decode((PICTURES / "several.heic").read_bytes()).notes == (Note.MAIN_PICTURE,)


def test_heic_of_tiles_is_read_and_refused_where_it_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    heic = (PICTURES / "quarters.heic").read_bytes()
    tiles = heic_of_tiles(heic, SIDE, 3, 2)
    photo = preprocessing.decode(tiles)
    assert (photo.width, photo.height) == (3 * SIDE, 2 * SIDE)
    assert photo.image.crop((SIDE, SIDE, 2 * SIDE, 2 * SIDE)).tobytes() == preprocessing.decode(heic).image.tobytes()
    turned = preprocessing.decode(heic_of_tiles(heic, SIDE, 3, 2, box(b"irot", b"\1")))
    assert (turned.width, turned.height) == (2 * SIDE, 3 * SIDE)
    for number in (b"iloc", b"pitm"):
        with pytest.raises(InvalidImage):
            preprocessing.decode(tiles.replace(number, b"free"))
    monkeypatch.setattr(heif, "MAX_DECODING_SECONDS", 0.0)
    with pytest.raises(InvalidImage, match="takes too long"):
        preprocessing.decode(tiles)


@pytest.mark.parametrize("is_turned", [False, True])
def test_of_a_very_large_heic_the_preview_is_looked_at(monkeypatch: pytest.MonkeyPatch, is_turned: bool) -> None:
    heic, turn = (PICTURES / "quarters.heic").read_bytes(), box(b"irot", b"\1")
    monkeypatch.setattr(heif, "MIN_PREVIEW_SIDE", SIDE)
    large = heic_of_tiles(heic, 1008, 8, 6, turn if is_turned else b"", (SIDE, SIDE), is_turned)
    photo = preprocessing.decode(large)
    assert (photo.width, photo.height) == ((6048, 8064) if is_turned else (8064, 6048))
    assert photo.notes == (Note.PREVIEW,)
    assert corners(large) == ([GREEN, WHITE, RED, BLUE] if is_turned else UPRIGHT)
    small = heic_of_tiles(heic, SIDE, 2, 1, preview=(SIDE, SIDE))
    assert preprocessing.decode(small).notes == (), "the picture itself"


def test_a_preview_that_lacks_the_turn_of_its_picture_is_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = (PICTURES / "turned.heic").read_bytes()
    monkeypatch.setattr(heif, "MIN_PREVIEW_SIDE", SIDE)
    large = heic_of_tiles(wide, 1008, 6, 8, box(b"irot", b"\3"), (SIDE, 2 * SIDE))
    photo = preprocessing.decode(large)
    assert (photo.width, photo.height, *photo.image.size) == (8064, 6048, 2 * SIDE, SIDE)
    assert corners(large) == UPRIGHT


def test_a_very_large_heic_without_a_good_preview_is_refused_as_before() -> None:
    heic = (PICTURES / "quarters.heic").read_bytes()
    without = heic_of_tiles(heic, 1008, 8, 6)
    too_small = heic_of_tiles(heic, 1008, 8, 6, preview=(SIDE, SIDE))
    other_link = too_small.replace(b"thmb" + struct.pack(">HHH", 50, 1, 1), b"thmb" + struct.pack(">HHH", 50, 1, 2))
    for large in (without, too_small, other_link):
        with pytest.raises(InvalidImage, match="at most 28 megapixels"):
            preprocessing.decode(large)


def test_a_heic_of_more_tiles_than_are_read_is_not_called_damaged() -> None:
    heic = (PICTURES / "quarters.heic").read_bytes()
    with pytest.raises(InvalidImage, match="too many parts"):
        preprocessing.decode(heic_of_tiles(heic, SIDE, 32, 32))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1"])
@pytest.mark.parametrize("kind", ["bmp", "png"])
def test_the_largest_picture_of_an_icon_is_read(mode: str, kind: str) -> None:
    icon = encode(quarters().convert(mode), "ICO", sizes=[(16, 16), (SIDE, SIDE)], bitmap_format=kind)
    photo = preprocessing.decode(icon)
    assert (photo.width, photo.height) == (SIDE, SIDE)
    if mode != "1":
        assert corners(icon) == UPRIGHT
    for length in range(0, len(icon), 97):
        with contextlib.suppress(InvalidImage):
            preprocessing.decode(icon[:length])


def test_an_icon_that_says_that_its_picture_is_huge_is_refused() -> None:
    icon = encode(quarters(), "ICO", sizes=[(SIDE, SIDE)], bitmap_format="bmp")
    for size in (
        struct.pack("<ii", 2**31 - 1, 2**31 - 2),
        struct.pack("<ii", -64, 128),
        struct.pack("<ii", 4_000, 4_000),
    ):
        with pytest.raises(InvalidImage):
            preprocessing.decode(icon[:26] + size + icon[34:])
    with pytest.raises(InvalidImage, match="This kind of file cannot be read"):
        preprocessing.decode(icon[:38] + b"\1" + icon[39:])
    with pytest.raises(InvalidImage, match="too many parts"):
        preprocessing.decode(icon[:4] + b"\xff\xff" + icon[6:])


def bmp_of_bit_fields(bits: int, masks: tuple[int, ...], *, height: int = SIDE, alpha: int = 1) -> bytes:
    """Quarters in a BMP whose masks of red, green, blue and alpha are given; for a height below 0, from above."""
    header = 40 if len(masks) == 3 else 56
    lit = np.dstack([np.asarray(quarters()) > 0, np.full((SIDE, SIDE), alpha > 0)])[..., : len(masks)]
    pixels = (lit * np.array(masks, np.uint32)).sum(axis=-1)
    stored: bytes = pixels[:: -1 if height > 0 else 1].astype(f"<u{bits // 8}").tobytes()
    start = 14 + 40 + 4 * len(masks)
    info = struct.pack("<IiiHHIIiiII", header, SIDE, height, 1, bits, 3, 0, 0, 0, 0, 0)
    head = b"BM" + struct.pack("<IHHI", start + len(stored), 0, 0, start) + info
    return head + struct.pack(f"<{len(masks)}I", *masks) + stored


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF00, 0xF0, 0xF, 0xF000)),
        (16, (0x1F, 0x7E0, 0xF800)),
        (16, (0xE0, 0x1C, 0x3)),
        (32, (0xFF, 0xFF00, 0xFF0000)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
        (32, (0x7FF, 0x3FF800, 0xFFC00000, 0)),
    ],
)
def test_a_bmp_says_in_which_bits_its_colours_are(bits: int, masks: tuple[int, ...]) -> None:
    photo = bmp_of_bit_fields(bits, masks)
    assert corners(photo) == UPRIGHT
    assert corners(bmp_of_bit_fields(bits, masks, height=-SIDE)) == UPRIGHT
    assert corners(bmp_of_bit_fields(bits, masks, alpha=0)) == UPRIGHT
    for length in range(14, len(photo), len(photo) // 5):
        with pytest.raises(InvalidImage, match="damaged"):
            preprocessing.decode(photo[:length])


@pytest.mark.parametrize(("bits", "masks"), [(16, (0xF0F, 0xF0, 0xF000)), (32, (0, 0, 0, 0xFF)), (8, (1, 2, 4))])
def test_a_bmp_of_impossible_bit_fields_is_not_called_damaged(bits: int, masks: tuple[int, ...]) -> None:
    with pytest.raises(InvalidImage, match="This kind of file cannot be read"):
        preprocessing.decode(bmp_of_bit_fields(bits, masks))


def test_a_heic_in_one_piece_of_more_than_16_megabytes_is_not_called_damaged() -> None:
    with pytest.raises(InvalidImage, match="This kind of file cannot be read"):
        preprocessing.decode(dict(heif_bombs())["HEIC: a large piece"]())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("value", TURNS)
def test_the_orientation_is_applied_once_in_every_format(kind: str, value: int) -> None:
    wide = Image.new("RGB", (2 * SIDE, SIDE))
    wide.paste(quarters(), (SIDE // 2, 0))
    exif = Image.Exif()
    exif[0x0112] = value
    photo = encode(wide.transpose(TURNS[value]), kind, exif=exif, quality=95)
    assert corners(photo) == UPRIGHT
    decoded = preprocessing.decode(photo)
    assert (decoded.width, decoded.height) == (2 * SIDE, SIDE)


def test_transparent_parts_are_white_in_avif() -> None:
    picture = quarters("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((SIDE, SIDE)).point(lambda value: 255 * (value > 127)))
    assert corners(encode(picture, "AVIF", quality=95)) == [WHITE, WHITE, BLUE, WHITE]


def _with_chunk(inserted: bytes) -> bytes:
    png = encode(quarters(), "PNG")
    return png[:33] + inserted + png[33:]


@pytest.mark.parametrize(
    "inserted",
    [
        pytest.param(chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2_000_000))), id="large profile"),
        pytest.param(chunk(b"iCCP", b"profile\0\0junk"), id="damaged profile"),
        pytest.param(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * 6_000_000)), id="large XMP"),
        pytest.param(chunk(b"tEXt", b"Title\0hello")[:-1] + b"?", id="wrong checksum"),
        pytest.param(chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"), id="EXIF that begins outside"),
        pytest.param(chunk(b"pHYs", b""), id="empty resolution"),
        pytest.param(chunk(b"tIME", b"\0"), id="short time"),
        pytest.param(
            chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\n\n\nzz")), id="damaged raw profile"
        ),
    ],
)
def test_damaged_metadata_of_a_png_do_not_cost_the_pixels(inserted: bytes) -> None:
    assert corners(_with_chunk(inserted)) == UPRIGHT


def _directory(*entries: bytes, following: int = 0) -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", following)


@pytest.mark.parametrize(
    "directory",
    [
        pytest.param(_directory(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)), id="correct"),
        pytest.param(_directory(struct.pack("<HHII", 0x0112, 4, 1, 6)), id="long"),
        pytest.param(_directory(struct.pack("<HHI4s", 0x0112, 2, 2, b"6\0\0\0")), id="text"),
        pytest.param(_directory(struct.pack("<HHIHH", 0x0112, 99, 7, 6, 0)), id="unknown type"),
        pytest.param(
            _directory(struct.pack("<HHI4s", 0x0128, 2, 2, b"2\0\0\0"), struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)),
            id="mistyped neighbour",
        ),
        pytest.param(
            _directory(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0), struct.pack("<HHII", 0x8769, 4, 1, 8), following=8),
            id="loops",
        ),
        pytest.param(_directory(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0))[:-4], id="ends early"),
    ],
)
def test_the_orientation_is_read_from_damaged_exif(directory: bytes) -> None:
    jpeg = encode(quarters().transpose(Image.Transpose.ROTATE_90), "JPEG", quality=95)
    assert corners(jpeg[:2] + segment(0xE1, b"Exif\0\0" + directory) + jpeg[2:]) == UPRIGHT


def test_the_orientation_is_read_from_xmp_where_exif_has_none() -> None:
    turned = quarters().transpose(Image.Transpose.ROTATE_180)
    xmp = b'<rdf:Description tiff:Orientation="3"/>'
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
    assert corners(encode(turned, "PNG", pnginfo=text)) == UPRIGHT
    for kind in ("JPEG", "WEBP"):
        assert corners(encode(turned, kind, quality=95, xmp=xmp)) == UPRIGHT, kind


@pytest.mark.parametrize("marker", [0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE])
def test_damaged_metadata_of_a_jpeg_do_not_cost_the_pixels(marker: int) -> None:
    jpeg = encode(quarters(), "JPEG", quality=95)
    end = 4 + int.from_bytes(jpeg[4:6], "big")  # of the first segment
    for body in (b"", b"\0", b"Exif\0\0", b"ICC_PROFILE\0", b"ICC_PROFILE\0\1\1x", b"JFIF\0", b"MPF\0", b"\xff" * 9):
        for fill in (b"", b"\xff" * 7, b"junk"):
            assert corners(jpeg[:end] + fill + segment(marker, body) + jpeg[end:]) == UPRIGHT, (body, fill)


def photo_of(**options: object) -> bytes:
    size = (400, 300)
    y, x = np.mgrid[: size[1], : size[0]]
    pixels = np.stack([x * 255 // size[0], y * 255 // size[1], 128 + 60 * np.sin(x / 9) * np.cos(y / 7)], -1)
    return encode(Image.fromarray(pixels.astype(np.uint8)), "JPEG", quality=90, **options)


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"restart_marker_rows": 4}])
def test_a_jpeg_without_its_end_is_read_with_a_note(options: dict[str, object]) -> None:
    whole = photo_of(**options)
    for content in (whole[:-2], whole[:-30], whole[: len(whole) * 9 // 10]):
        photo = preprocessing.decode(content, SIDE)
        assert photo.notes == (Note.INCOMPLETE,)
        top = np.asarray(photo.image)[: photo.image.height // 2]
        assert (top == np.asarray(preprocessing.decode(whole, SIDE).image)[: photo.image.height // 2]).all()
    for share in (0.5, 0.7):
        with pytest.raises(InvalidImage, match="Too much of this picture is missing"):
            preprocessing.decode(whole[: int(len(whole) * share)])
    assert preprocessing.decode(whole).notes == ()


def test_a_black_end_of_a_jpeg_is_not_taken_for_a_missing_one() -> None:
    picture = Image.new("RGB", (400, 300))
    picture.paste((255, 200, 100), (0, 0, 400, 60))
    assert preprocessing.decode(encode(picture, "JPEG")[:-2]).notes == (Note.INCOMPLETE,)


def test_a_progressive_jpeg_needs_two_complete_scans() -> None:
    whole = photo_of(progressive=True)
    scans = [at for at in range(len(whole)) if whole[at : at + 2] == b"\xff\xda"]
    assert preprocessing.decode(whole[: scans[3]]).notes == (Note.INCOMPLETE,)
    with pytest.raises(InvalidImage, match="Too much of this picture is missing"):
        preprocessing.decode(whole[: scans[1]])


def test_an_alpha_of_zeros_means_none_in_a_bmp() -> None:
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[..., :3] = np.asarray(quarters())[::-1, :, ::-1]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for header, more in ((108, masks + b"BGRs" + bytes(48)), (124, masks + b"BGRs" + bytes(64)), (56, masks)):
        info = struct.pack("<IiiHHIIiiII", header, SIDE, SIDE, 1, 32, 3, pixels.size, 2835, 2835, 0, 0) + more
        head = b"BM" + struct.pack("<IHHI", 14 + header + pixels.size, 0, 0, 14 + header)
        assert corners(head + info + pixels.tobytes()) == UPRIGHT, header
        pixels[: SIDE // 2, :, 3] = 255  # the rows are stored from below: the lower half
        assert corners(head + info + pixels.tobytes()) == [WHITE, WHITE, BLUE, WHITE], header
        pixels[..., 3] = 0


@pytest.mark.parametrize(("dark", "bright"), [(200, 3900), (1000, 16_000), (32_800, 33_700), (0, 255)])
def test_sixteen_bits_that_use_a_part_of_the_range_are_stretched(dark: int, bright: int) -> None:
    image = Image.fromarray(halves(dark, bright))
    for kind, options in (("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("PNG", {})):
        assert grey(preprocessing.decode(encode(image, kind, **options))) == [0, 255]
    big_endian = Image.frombytes("I;16B", image.size, halves(dark, bright).astype(">u2").tobytes())
    assert grey(preprocessing.decode(encode(big_endian, "TIFF"))) == [0, 255]


def test_sixteen_bits_of_the_whole_range_are_not_stretched() -> None:
    assert grey(preprocessing.decode(encode(Image.fromarray(halves(8_000, 60_000)), "PNG"))) == [
        8_000 >> 8,
        60_000 >> 8,
    ]
    tiff = encode(Image.fromarray(halves(8_000, 60_000)), "TIFF")
    entry = struct.pack("<HHI", 262, 3, 1)
    inverted = tiff.replace(entry + b"\1\0", entry + b"\0\0")  # 0 is white
    assert inverted != tiff
    assert grey(preprocessing.decode(inverted)) == [255 - (8_000 >> 8), 255 - (60_000 >> 8)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_an_animation_that_fades_in_is_judged_by_a_later_frame(kind: str) -> None:
    white = Image.new("RGB", (SIDE, SIDE), "white")
    frames = [Image.blend(white, quarters(), share) for share in (0.1, 0.5, 1.0)]
    photo = encode(white, kind, save_all=True, append_images=frames)
    assert preprocessing.decode(photo).notes == (Note.LATER_FRAME,)
    assert corners(photo)[1:3] == [GREEN, BLUE]
    shown = encode(quarters(), kind, save_all=True, append_images=[white, white.rotate(9)])
    assert preprocessing.decode(shown).notes == (Note.FIRST_FRAME,)
    assert corners(shown) == UPRIGHT


@pytest.mark.parametrize("screen", [(0, 0), (16, 16)])
def test_a_gif_is_as_large_as_its_first_frame(screen: tuple[int, int]) -> None:
    """As in browsers; a larger frame after it is not decoded."""
    photo = with_screen(encode(quarters(), "GIF"), *screen)
    assert corners(photo) == UPRIGHT
    decoded = preprocessing.decode(photo)
    assert (decoded.width, decoded.height) == (SIDE, SIDE)
    white = encode(Image.new("P", (SIDE, SIDE)), "GIF")
    large = encode(quarters().resize((4 * SIDE, 4 * SIDE)), "GIF")
    both = white[:-1] + large[large.index(b",\0\0\0\0") :]
    assert preprocessing.decode(both).image.size == (SIDE, SIDE)
    assert preprocessing.decode(both).notes == (Note.FIRST_FRAME,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("kind", "sample_format", "dark", "bright"),
    [("I", 1, 0x10000000, 0xF0000000), ("i", 2, -(2**31), 2**31 - 1), ("f", 3, -3.5, 1e9), ("b", 2, -128, 127)],
)
def test_greys_of_other_kinds_of_numbers_are_read_as_the_file_means_them(
    kind: str, sample_format: int, dark: float, bright: float
) -> None:
    body = struct.pack(f"<{SIDE}{kind}", *[dark] * (SIDE // 2), *[bright] * (SIDE // 2)) * SIDE
    bits = 8 * struct.calcsize(kind)
    tags = picture(SIDE, SIDE, 1, bits, photometric=1, compression=1, sample_format=sample_format, length=len(body))
    assert grey(preprocessing.decode(tiff(tags, body))) == [0, 255]
    if kind == "f":  # Pillow reads no others of which 0 is white
        assert grey(preprocessing.decode(tiff(tags | {262: (SHORT, [0])}, body))) == [255, 0]


def test_pages_are_not_called_animations() -> None:
    pages = encode(quarters(), "TIFF", save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE))])
    assert preprocessing.decode(pages).notes == (Note.FIRST_PAGE,)
    assert corners(pages) == UPRIGHT
    with io.BytesIO() as stream:
        small = quarters().resize((16, 16))
        small.save(stream, "TIFF", save_all=True, append_images=[quarters()], tiffinfo={254: 1})
        reduced = stream.getvalue()
    assert preprocessing.decode(reduced).notes == ()


def test_a_tiff_with_damaged_tags_is_read() -> None:
    tiff = bytearray(encode(quarters(), "TIFF", description="a picture", compression="tiff_lzw"))
    start = struct.unpack_from("<I", tiff, 4)[0]
    for number in range(struct.unpack_from("<H", tiff, start)[0]):
        entry = start + 2 + 12 * number
        if struct.unpack_from("<H", tiff, entry)[0] == 270:
            struct.pack_into("<HII", tiff, entry + 2, 2, 2**31, 2**31)
    assert corners(bytes(tiff)) == UPRIGHT


@pytest.mark.parametrize(
    ("frame", "colours", "is_read"),
    [(0xC0, 3, True), (0xC2, 3, False), (0xC9, 3, False), (0xCA, 3, False), (0xC0, 1, False)],
)
def test_a_jpeg_in_a_tiff_is_read_unless_a_bit_of_it_may_cost_any_time(frame: int, colours: int, is_read: bool) -> None:
    """A TIFF may hold scans with arithmetic coding of which 60 kB take 20 seconds."""
    jpeg = encode(quarters(), "JPEG", subsampling=0).replace(b"\xff\xc0", bytes([0xFF, frame]))
    jpeg = jpeg.replace(b"\xff\xda\0\x0c\3", b"\xff\xda\0\x0c" + bytes([colours]))
    photo = tiff(picture(SIDE, SIDE, 3, 8, photometric=6, compression=7, length=len(jpeg)), jpeg)
    if is_read:
        assert corners(photo) == UPRIGHT
    else:
        with pytest.raises(InvalidImage, match="cannot be read"):
            preprocessing.decode(photo)


def test_lab_is_read() -> None:
    from PIL import ImageCms

    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(quarters(), srgb, lab, outputMode="LAB")
    assert image
    found = corners(encode(image, "TIFF"))
    assert np.abs(np.array(found) - np.array(UPRIGHT)).max() <= 128
    assert found[3] == WHITE


def test_a_photo_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preprocessing, "MAX_DECODING_SECONDS", 0.0)
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "AVIF", "WEBP"):
        with pytest.raises(InvalidImage, match="takes too long"):
            preprocessing.decode(encode(quarters(), kind))
