"""Where files that are not Python lie."""

from __future__ import annotations

from pathlib import Path

from catsdogs.errors import SettingsError

_PACKAGE = Path(__file__).parent


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
