"""Largest and smallest photos that are accepted. Plain numbers, for texts and the API documentation too."""

MAX_MEGABYTES = 32
"""Size of the largest file, in units of 1024 * 1024 bytes."""
MAX_BYTES = MAX_MEGABYTES * 1024 * 1024
"""Size of the largest file, in bytes."""
MAX_MEGAPIXELS = 50
"""Size of the largest photo, width times height, in millions of pixels."""
MAX_PIXELS = MAX_MEGAPIXELS * 10**6
MAX_JPEG_MEGAPIXELS = 250
"""Size of the largest JPEG that is not progressive, in millions of pixels: it is decoded at a fraction of its size."""
MAX_JPEG_PIXELS = MAX_JPEG_MEGAPIXELS * 10**6
MAX_WEBP_MEGAPIXELS = 20
"""Size of the largest WebP, in millions of pixels: its decoder takes much memory."""
MAX_AVIF_MEGAPIXELS = 20
MAX_HEIC_MEGAPIXELS = 28
MAX_DEEP_PNG_MEGAPIXELS = 36
"""Size of the largest PNG with 16-bit colours and transparency, in millions of pixels: unpacking it takes long."""
MAX_DEEP_TIFF_MEGABYTES = 120
"""Size of the pixels of the largest TIFF with more than eight bits a sample, in millions of bytes."""
FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
"""The formats that are read."""
MAX_PROFILE_BYTES = 4 * 2**20
"""Size of the largest ICC profile that is used."""
MIN_SIDE = 8
"""Smallest width and height, in pixels."""
MAX_DECODED_BYTES = 260 * 10**6
"""Most memory that the pixels of a photo may take while it is decoded and converted, copies included."""
MAX_DECODING_SECONDS = 2.0
"""Most processor time that the decoding of a photo may take. With the limits above, none does on a processor of 2020:
this is for what nobody thought of, and for slower ones."""
