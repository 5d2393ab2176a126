"""Where files that are not Python lie."""

from __future__ import annotations

from pathlib import Path

from catsdogs.errors import SettingsError

_PACKAGE = Path(__file__).parent


def project() -> Path:
    """Find the folder whose ``.env`` and ``data/`` count.

    Returns
    -------
    Path
        The working folder; in the repository's notebooks, which Jupyter runs where they lie, the repository.
    """
    here, repository = Path.cwd(), _PACKAGE.parent
    return repository if here.is_relative_to(repository / "notebooks") else here


def notebooks() -> Path:
    """Find the folder of notebooks (``apps/ jobs/ lab/``).

    Returns
    -------
    Path
        Inside the package in an installed wheel, beside it in the repository.

    Raises
    ------
    SettingsError
        Neither is there: the installation is incomplete.
    """
    for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks"):
        if (folder / "apps").is_dir():
            return folder
    raise SettingsError("The notebooks are missing from this installation. Install catsdogs again.")
