from __future__ import annotations

import io
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photo_limits import MAX_BYTES, MAX_MEGAPIXELS, MAX_PIXELS
from tests import large_images

SIDE = 64


def encode(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def quarters(mode: str = "RGB") -> Image.Image:
    """Red, green / blue, white, 64 x 64."""
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    half = SIDE // 2
    picture[:half, :half] = 255, 0, 0
    picture[:half, half:] = 0, 255, 0
    picture[half:, :half] = 0, 0, 255
    picture[half:, half:] = 255, 255, 255
    return Image.fromarray(picture).convert(mode)


def corners(photo: bytes) -> list[tuple[int, ...]]:
    """Colours at the middle of each quarter, as the network would see them, rounded to 0, 128 or 255."""
    pixels = preprocessing.square(preprocessing.decode(photo), SIDE)
    points = [pixels[y, x] for y in (SIDE // 4, 3 * SIDE // 4) for x in (SIDE // 4, 3 * SIDE // 4)]
    return [tuple(round(int(value) / 127.5) * 127 + (int(value) > 191) for value in point) for point in points]


RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
UPRIGHT = [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize(
    "photo",
    [
        pytest.param(encode(quarters(), "PNG"), id="PNG"),
        pytest.param(encode(quarters(), "JPEG", quality=95), id="JPEG"),
        pytest.param(encode(quarters(), "JPEG", quality=95, progressive=True), id="progressive JPEG"),
        pytest.param(encode(quarters("CMYK"), "JPEG", quality=95), id="CMYK JPEG"),
        pytest.param(encode(quarters(), "WEBP", lossless=True), id="WebP"),
        pytest.param(encode(quarters(), "GIF"), id="GIF"),
        pytest.param(encode(quarters(), "BMP"), id="BMP"),
        pytest.param(encode(quarters(), "TIFF"), id="TIFF"),
        pytest.param(encode(quarters().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"), id="palette"),
        pytest.param(encode(quarters("RGBA"), "PNG"), id="opaque alpha"),
        pytest.param(encode(quarters(), "MPO", save_all=True, append_images=[quarters().rotate(90)]), id="MPO"),
        pytest.param(
            encode(quarters(), "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
            id="ICC profile",
        ),
    ],
)
def test_every_kind_of_file_gives_the_same_upright_rgb(photo: bytes) -> None:
    assert corners(photo) == UPRIGHT


def test_every_exif_orientation_is_turned_upright() -> None:
    turned = {  # what a camera stores for each value of the tag
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    wide = Image.new("RGB", (2 * SIDE, SIDE))
    wide.paste(quarters(), (SIDE // 2, 0))
    for value, method in turned.items():
        exif = Image.Exif()
        exif[0x0112] = value
        stored = wide.transpose(method) if method is not None else wide
        photo = encode(stored, "JPEG", quality=95, exif=exif)
        assert corners(photo) == UPRIGHT, value
        decoded = preprocessing.decode(photo)
        assert (decoded.width, decoded.height) == (2 * SIDE, SIDE), value


def test_transparent_parts_become_white() -> None:
    picture = quarters("RGBA")
    picture.putalpha(
        Image.fromarray(np.where(np.arange(SIDE)[:, None] < SIDE // 2, 0, 255).astype(np.uint8).repeat(SIDE, 1))
    )
    assert corners(encode(picture)) == [WHITE, WHITE, BLUE, WHITE]
    palette = quarters().convert("P", palette=Image.Palette.ADAPTIVE)
    red = palette.getpixel((0, 0))
    assert corners(encode(palette, "PNG", transparency=red)) == [WHITE, GREEN, BLUE, WHITE]


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, SIDE, dtype=np.uint16)[None].repeat(SIDE, 0)
    pixels = preprocessing.square(preprocessing.decode(encode(Image.fromarray(ramp))), SIDE)
    assert np.abs(pixels[0, :, 0].astype(int) - ramp[0] // 256).max() <= 1


def test_grey_becomes_equal_channels() -> None:
    pixels = preprocessing.square(preprocessing.decode(encode(quarters("L"))), SIDE)
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_an_animation_gives_its_first_frame_and_a_note() -> None:
    for kind in ("GIF", "WEBP", "PNG"):
        photo = encode(quarters(), kind, save_all=True, append_images=[Image.new("RGB", (SIDE, SIDE), "black")])
        decoded = preprocessing.decode(photo)
        assert decoded.notes == (Note.FIRST_FRAME,), kind
        assert corners(photo)[0] == RED, kind
    assert preprocessing.decode(encode(quarters())).notes == ()


def test_the_largest_centred_square_is_cropped() -> None:
    tall = Image.new("RGB", (SIDE, 3 * SIDE), "black")
    tall.paste(quarters(), (0, SIDE))
    assert corners(encode(tall)) == UPRIGHT


def test_a_picture_of_300_megapixels_is_refused_before_it_is_decoded() -> None:
    bomb = large_images.png(20_000, 15_000)
    assert len(bomb) < 60_000
    tracemalloc.start()
    with pytest.raises(InvalidImage, match=f"at most {MAX_MEGAPIXELS} megapixels"):
        preprocessing.decode(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(("width", "height"), [(12_000, 9_000), (16_320, 12_240), (65_500, 1_000)])
def test_a_jpeg_of_a_large_camera_is_read_at_a_fraction(width: int, height: int) -> None:
    photo = preprocessing.decode(large_images.jpeg(width, height), 256)
    assert (photo.width, photo.height) == (width, height)
    assert min(photo.image.size) >= min(512, height // 2)
    assert photo.image.width * photo.image.height < 20_000_000
    whole = preprocessing.decode(large_images.jpeg(width, height)).image
    assert whole.width * whole.height < MAX_PIXELS


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak of memory is counted in other units elsewhere")
def test_a_jpeg_of_250_megapixels_takes_little_memory(tmp_path: Path) -> None:
    photo = tmp_path / "large.jpg"
    photo.write_bytes(large_images.jpeg(15_800, 15_800))
    peak = "resource.getrusage(resource.RUSAGE_SELF).ru_maxrss"
    program = f"import pathlib, resource, sys\nfrom catsdogs.model import preprocessing\nbefore = {peak}\n"
    program += f"preprocessing.decode(preprocessing.read_file(pathlib.Path(sys.argv[1])), 256)\nprint({peak} - before)"
    grown = subprocess.run([sys.executable, "-c", program, photo], check=True, capture_output=True, text=True).stdout
    assert int(grown) < 60_000, "kilobytes"


@pytest.mark.parametrize(
    "photo",
    [
        pytest.param(large_images.jpeg(16_000, 16_000), id="256 megapixels"),
        pytest.param(large_images.progressive_jpeg(8_000, 7_000), id="progressive"),
        pytest.param(large_images.jpeg_by_component(8_000, 7_000), id="one scan a component"),
        pytest.param(large_images.progressive_jpeg(4_000, 3_000, scans=100), id="many scans"),
    ],
)
def test_a_jpeg_that_would_be_too_much_work_is_refused_before_it_is_decoded(
    photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("it is decoded"))
    with pytest.raises(InvalidImage, match=r"This picture is too large.* at most (50|43|10) megapixels"):
        preprocessing.decode(photo, 256)


def test_progressive_jpegs_of_usual_sizes_are_read() -> None:
    for photo in (large_images.progressive_jpeg(6_000, 4_000, scans=10), large_images.jpeg_by_component(6_000, 4_000)):
        assert preprocessing.decode(photo, 256).image.size == (1_500, 1_000)


JPEG = encode(quarters(), "JPEG")
PNG = encode(quarters(), "PNG")


@pytest.mark.parametrize(
    ("photo", "sentence"),
    [
        pytest.param(b"", "This file is empty", id="empty"),
        pytest.param(b"junk\n", "not a picture", id="short text"),
        pytest.param(b"Dear cat, dear dog. " * 100, "not a picture", id="text"),
        pytest.param(b"%PDF-1.4 " + bytes(500), "not a picture", id="PDF"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 20, "not a picture", id="SVG"),
        pytest.param(b"\0\0\0\x18ftypheic" + bytes(500), "damaged or incomplete", id="an empty HEIC"),
        pytest.param(b"\0\0\0\x18ftypavif" + bytes(500), "damaged or incomplete", id="an empty AVIF"),
        pytest.param(JPEG[: len(JPEG) // 2], "damaged or incomplete", id="half a JPEG"),
        pytest.param(PNG[: len(PNG) // 2], "damaged or incomplete", id="half a PNG"),
        pytest.param(PNG[:20], "damaged or incomplete", id="a PNG's first bytes"),
        pytest.param(encode(quarters(), "WEBP")[:60], "damaged or incomplete", id="half a WebP"),
        pytest.param(encode(quarters().resize((SIDE, 4))), "too small", id="a strip"),
        pytest.param(bytes(MAX_BYTES + 1), "too large", id="too many bytes"),
        pytest.param(encode(quarters(), "PPM"), "not a picture", id="a format that is not listed"),
    ],
)
def test_unreadable_files_are_refused_with_a_sentence(photo: bytes, sentence: str) -> None:
    with pytest.raises(InvalidImage, match=sentence):
        preprocessing.decode(photo)


def test_every_truncation_of_a_photo_is_refused_or_has_all_its_pixels_or_a_note() -> None:
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF"):
        photo = encode(quarters(), kind)
        whole = preprocessing.decode(photo).image.tobytes()
        for length in range(0, len(photo), 17):
            try:
                decoded = preprocessing.decode(photo[:length])
            except InvalidImage:
                continue
            assert decoded.notes == (Note.INCOMPLETE,) or decoded.image.tobytes() == whole, (kind, length)


def test_scaled_decoding_of_a_jpeg_keeps_the_picture() -> None:
    y, x = np.mgrid[:1200, :1600]
    picture = Image.fromarray(np.stack([x * 255 // 1600, y * 255 // 1200, (x + y) * 255 // 2800], -1).astype(np.uint8))
    photo = encode(picture, "JPEG", quality=95)
    scaled, full = preprocessing.decode(photo, SIDE), preprocessing.decode(photo)
    assert scaled.image.size < full.image.size
    assert (scaled.width, scaled.height) == (full.width, full.height) == (1600, 1200)
    difference = preprocessing.square(scaled, SIDE).astype(int) - preprocessing.square(full, SIDE)
    assert np.abs(difference).mean() < 1


def test_statistics_differ_for_dark_bright_sharp_and_blurred_photos() -> None:
    def statistics(picture: Image.Image) -> preprocessing.ImageStatistics:
        decoded = preprocessing.decode(encode(picture))
        return preprocessing.compute_statistics(decoded, preprocessing.square(decoded, SIDE))

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, SIDE, 3), dtype=np.uint8))
    sharp, blurred = statistics(noise), statistics(noise.resize((8, 8)).resize((SIDE, 90)))
    assert (sharp.width, sharp.height) == (SIDE, 90)
    assert sharp.sharpness > 10 * blurred.sharpness
    assert statistics(Image.new("RGB", (9, 9), "white")).brightness == pytest.approx(1)
    assert statistics(Image.new("RGB", (9, 9), "black")).brightness == pytest.approx(0)
    assert statistics(Image.new("RGB", (9, 9), (0, 255, 0))).brightness == pytest.approx(0.587, abs=1e-3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.mkdir(), "This is a folder"),
        (lambda path: None, "There is no such file"),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    ],
)
def test_paths_that_are_no_files_are_refused_with_a_sentence(tmp_path: Path, make: object, sentence: str) -> None:
    path = tmp_path / "photo.jpg"
    make(path)  # type: ignore[operator]
    with pytest.raises(InvalidImage, match=sentence):
        preprocessing.read_file(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(InvalidImage, match="too large"):
        preprocessing.read_file(path)
