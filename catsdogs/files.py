"""The folders of the project and of its notebooks, and writing files so that a crash leaves no incomplete one."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from catsdogs.errors import SettingsError

_PACKAGE = Path(__file__).parent


def project() -> Path:
    """Return the folder of ``.env`` and ``data/``.

    Returns
    -------
    Path
        The working folder. For a notebook of the repository, whose working folder is its own, the repository.
    """
    here, repository = Path.cwd(), _PACKAGE.parent
    return repository if here.is_relative_to(repository / "notebooks") else here


def notebooks() -> Path:
    """Return the folder of notebooks (``apps/ jobs/ lab/``).

    Returns
    -------
    Path
        Inside the package in an installed wheel, beside it in the repository.

    Raises
    ------
    SettingsError
        Neither exists: the installation is incomplete.
    """
    for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"):
        if (folder / "apps").is_dir():
            return folder
    raise SettingsError("The notebooks are missing from this installation. Install catsdogs again.")


def private_folder(folder: Path, mode: int = 0o700) -> None:
    """Create a folder, and those above it, with exactly this mode, whatever the umask; one that exists stays as it is.

    Raises
    ------
    OSError
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=mode)
    except FileExistsError as error:
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
    else:
        folder.chmod(mode)


def data_folder(folder: Path) -> None:
    """Create the data folder: private, but where root starts PostgreSQL, its system user must pass through.

    Raises
    ------
    OSError
    """
    private_folder(folder, 0o711 if os.geteuid() == 0 else 0o700)


def is_open_to_others(path: Path) -> bool:
    """Return whether users other than the owner may read a file, or list or change a folder; root always may.

    In a container, the volume belongs to the group of root, so that any user id of that group can write it.
    """
    try:
        found = path.stat()
    except OSError:
        return False
    return bool(found.st_mode & (0o006 if found.st_gid == 0 else 0o066))


@contextmanager
def atomic_write(
    path: Path, draft: Path | None = None, *, mode: int = 0o666, durable: bool = True
) -> Iterator[BinaryIO]:
    """Write a file completely or not at all, even if the program or the machine stops meanwhile.

    The content goes into a draft, which is renamed once it is on disk. After the ``with`` block, not even a power
    failure loses the new content. After an exception, `path` is as it was before.

    Parameters
    ----------
    path
        The file; its folder exists. An older one is replaced.
    draft
        Where to write first, on the same disk; by default, a hidden file beside `path` with a name of its own, so
        that several processes may write the same file. A draft that a stopped program has left is overwritten.
    mode
        Permissions of the file, before the umask.
    durable
        Whether to wait until the file is on disk. Without it, a power failure may leave an incomplete file.

    Raises
    ------
    OSError
    """
    draft = draft or path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        if durable:
            move_into_place(draft, path)
        else:
            draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def append_privately(path: Path, lines: str) -> None:
    """Append whole lines to a file that only its owner may read (mode 600), all of them or none; create it if need be.

    The file stays the same one, with the same owner: it may be mounted into a container.

    Raises
    ------
    OSError
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        size = os.fstat(descriptor).st_size
        last = os.pread(descriptor, 1, size - 1) if size else b"\n"
        content = (lines if last == b"\n" else f"\n{lines}").encode()
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)


def move_into_place(draft: Path, path: Path) -> None:
    """Rename a complete file, and wait until content and name are on disk.

    Raises
    ------
    OSError
    """
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on disk (`fsync`).

    Raises
    ------
    OSError
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
