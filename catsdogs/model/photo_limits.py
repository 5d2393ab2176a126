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
MIN_SIDE = 8
"""Smallest width and height, in pixels."""
