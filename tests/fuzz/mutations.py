"""Small files of every format that is read, and damaged copies of them."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from catsdogs.model.photos.colours import apply_transform
from tests.heic_files import heic_of_tiles

PICTURES = Path(__file__).parent.parent / "pictures"
COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
ANIMATED = ("GIF", "PNG", "WEBP", "TIFF")
_SIDES = (8, 2**14, 2**16, 50_000)
_ODD = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\0\1", b"\xff\xff")


def originals() -> list[tuple[str, bytes]]:
    """Return the name and the content of each file."""
    files = [(path.name, path.read_bytes()) for path in sorted(PICTURES.glob("*.heic"))]
    tile = (PICTURES / "quarters.heic").read_bytes()
    files.append(("tiles", heic_of_tiles(tile, 64, 4, 3, preview=(64, 64))))
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"exif": exif.tobytes(), "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "tiff:Orientation>3", zip=True)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"):
        kinds: list[tuple[str, dict[str, Any]]] = [
            *(("JPEG", {"progressive": progressive, **more}) for progressive in (False, True)),
            ("PNG", {"pnginfo": text, **more}),
            *(("WEBP", {"lossless": lossless, **more}) for lossless in (False, True)),
            ("AVIF", more),
            ("GIF", {}),
            ("BMP", {}),
            *(("ICO", {"bitmap_format": kind}) for kind in ("bmp", "png")),
            *(("TIFF", {"compression": name}) for name in COMPRESSIONS),
            *((kind, {"save_all": True, "append_images": [_picture(mode)] * 2}) for kind in ANIMATED),
        ]
        for kind, options in kinds:
            stream = io.BytesIO()
            try:
                _picture(mode).save(stream, kind, **options)
            except (OSError, ValueError, TypeError, KeyError):  # a mode that the format does not have
                continue
            files.append((f"{kind} {mode}", stream.getvalue()))
    return files


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Change some bytes, insert, repeat or remove some, or cut the end off."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        header = rng.random() < 0.7
        position = rng.randrange(min(len(changed), 600) if header else len(changed)) if changed else 0
        match rng.randrange(6):
            case 0:
                changed[position : position + 1] = bytes([rng.randrange(256)])
            case 1:
                odd = rng.choice(_ODD)
                changed[position : position + len(odd)] = odd
            case 2:
                changed[position : position + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(_SIDES))
            case 3:
                part = changed[position : position + rng.choice((4, 12, 64, 1000))]
                changed[position:position] = part * rng.choice((1, 2, 100))
            case 4:
                del changed[position : position + rng.choice((1, 4, 64))]
            case _:
                del changed[rng.randrange(len(changed) + 1) :]
    return bytes(changed)


def _picture(mode: str) -> Image.Image:
    y, x = np.mgrid[:48, :64]
    image = Image.fromarray(np.stack([x * 4, y * 5, (x + y) * 2], -1).astype(np.uint8))
    if mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return apply_transform(image, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    return image.convert("L").convert(mode) if mode in ("I", "F", "I;16") else image.convert(mode)
