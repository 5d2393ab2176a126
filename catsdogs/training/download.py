"""Download of Microsoft's archive of cats and dogs: 25,000 photos to train on.

The usual download libraries (pooch, ``keras.utils.get_file``) cannot resume an interrupted download; here it is resumed
with HTTP ranges (RFC 9110, 14.2).
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import urllib3

from catsdogs.errors import ServiceError, ServiceUnavailable, SettingsError
from catsdogs.files import move_into_place

ARCHIVE_FOLDER = "PetImages"
"""Folder of the archive that holds ``Cat/`` and ``Dog/``."""

Progress = Callable[[str, int, int], object]
"""Called with the stage, the amount done, and the whole amount."""

_CHUNK = 1 << 18
_ATTEMPTS = 5  # in which no byte arrived
_TIMEOUT = urllib3.Timeout(connect=20, read=30)


@dataclass(frozen=True)
class Archive:
    """A file on the web, with its size and checksum."""

    url: str
    size: int
    """Size in bytes."""
    sha256: str


PETIMAGES = Archive(
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
    824_887_076,
    "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
)


def fetch(data_dir: Path, archive: Archive = PETIMAGES, progress: Progress = lambda *_: None) -> Path:
    """Download the archive to ``external/`` and unzip it to ``raw/``, unless this was done before.

    Stopped at any moment, the download is resumed by the next call.

    Returns
    -------
    Path
        The folder ``raw/PetImages``, to train on.

    Raises
    ------
    ServiceUnavailable
        There is no connection, or it is interrupted again and again.
    ServiceError
        The server does not have the archive, or sends another file.
    SettingsError
        The data folder cannot be written.
    """
    photos = data_dir / "raw" / ARCHIVE_FOLDER
    if photos.is_dir():
        return photos
    try:
        return _unzip(_download(archive, data_dir / "external", progress), photos, progress)
    except OSError as error:
        raise SettingsError(
            "The folder {folder} cannot be written: {reason}.", folder=data_dir, reason=error.strerror or error
        ) from error


def _download(archive: Archive, folder: Path, progress: Progress) -> Path:
    target = folder / archive.url.rpartition("/")[2]
    if target.exists():
        return target  # renamed after its checksum was verified
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.touch()
    idle = 0
    while (size := part.stat().st_size) < archive.size:
        progress("downloading", size, archive.size)
        failure = _receive(archive, part, progress)
        idle = 0 if part.stat().st_size > size else idle + 1
        if idle == _ATTEMPTS:
            raise ServiceUnavailable(
                "{host} cannot be reached. Check the connection and repeat the command: the download is resumed.",
                host=urllib3.util.parse_url(archive.url).host,
            ) from failure
    with part.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != archive.sha256:
            part.unlink()
            raise ServiceError(
                "{url} sent another file than the archive: its checksum differs. Repeat the command.", url=archive.url
            )
    move_into_place(part, target)
    return target


def _receive(archive: Archive, part: Path, progress: Progress) -> Exception | None:
    """Append what the server sends; return the error that interrupted it, if any."""
    size = part.stat().st_size
    try:
        with (
            urllib3.PoolManager(retries=False, timeout=_TIMEOUT) as pool,
            pool.request("GET", archive.url, headers={"Range": f"bytes={size}-"}, preload_content=False) as response,
        ):
            if response.status not in (200, 206):
                raise ServiceError(
                    "{url} cannot be fetched: the server answers {status}.", url=archive.url, status=response.status
                )
            with part.open("ab" if response.status == 206 else "wb") as stream:  # 200: the whole file
                while chunk := response.read1(_CHUNK):  # writes bytes as they arrive: none is lost by an interruption
                    stream.write(chunk)
                    progress("downloading", stream.tell(), archive.size)
    except urllib3.exceptions.HTTPError as error:
        return error
    return None


def _unzip(archive: Path, photos: Path, progress: Progress) -> Path:
    unpacked = photos.with_name(f".{photos.name}.tmp")
    shutil.rmtree(unpacked, ignore_errors=True)  # of a program that was killed
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [name for name in opened.namelist() if name.startswith(f"{ARCHIVE_FOLDER}/")]
            for done, name in enumerate(members, 1):
                opened.extract(name, unpacked)
                progress("unzipping", done, len(members))
        (unpacked / ARCHIVE_FOLDER).rename(photos)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    return photos
