"""Try to break the decoders: ``make fuzz``; ARGS="--seconds 600 --images FOLDER".

All bombs, the pictures of a folder (such as ``Tests/images`` of Pillow's source distribution, or PngSuite), and then,
until the time is over, damaged copies of small files of every format. Each must end as an answer or as `InvalidImage`,
within two seconds and 300 MB.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.bombs import bombs
from tests.fuzz.measured import Decoder, Measured, decoder
from tests.fuzz.mutations import damaged, originals


def _files(folder: Path | None) -> Iterator[tuple[str, Path | bytes]]:
    for name, make in bombs():
        yield name, make()
    for path in sorted(folder.rglob("*")) if folder else ():
        if path.is_file():
            yield str(path), path


def main() -> int:
    """Return the exit code: 1 where a file took too much, or crashed the decoder."""
    parser = argparse.ArgumentParser(prog="make fuzz", description="Try to break the decoders of photos.")
    parser.add_argument("--seconds", type=float, default=60, help="how long damaged files are tried")
    parser.add_argument("--images", type=Path, help="a folder of pictures to try, such as Pillow's Tests/images")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats the same damaged files")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    rng = random.Random(options.seed)
    tried, failed = 0, 0
    with decoder() as process, tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "file"
        for name, content in _files(options.images):
            tried += 1
            failed += not _try(process, scratch, name, content).is_within_the_limits()
        examples = originals()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            name, original = rng.choice(examples)
            content = damaged(original, rng)
            measured = _try(process, scratch, name, content)
            tried += 1
            if not measured.is_within_the_limits():
                failed += 1
                kept = Path(tempfile.gettempdir()) / f"catsdogs-fuzz-{options.seed}-{tried}"
                kept.write_bytes(content)
                print(f"kept as {kept}")
    print(f"{tried} files tried, {failed} took too much")
    return 1 if failed else 0


def _try(process: Decoder, scratch: Path, name: str, content: Path | bytes) -> Measured:
    if isinstance(content, bytes):
        scratch.write_bytes(content)
    measured = process.decode(scratch if isinstance(content, bytes) else content)
    if not measured.is_within_the_limits():
        print(f"{name}: {measured}", flush=True)
    return measured


if __name__ == "__main__":
    sys.exit(main())
