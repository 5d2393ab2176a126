"""One interface to everything the apps do, with two implementations.

`Local` holds model and database in this process (JupyterLab, papermill, the server itself);
`Remote` sends HTTP requests to the server that started this kernel, and holds neither.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from catsdogs.domain import UNKNOWN_CONTROLLER, DataController
from catsdogs.service.interface import Service

URL_VARIABLE = "CATSDOGS_SERVICE_URL"
"""Variable with the server's address; the server sets it in the kernels that it starts."""
TOKEN_VARIABLE = "CATSDOGS_SERVICE_TOKEN"  # noqa: S105 (a name)
"""Variable with the session's token; the server sets it in the kernels that it starts."""

PREFIX_VARIABLE = "CATSDOGS_PATH_PREFIX"
"""Variable with the prefix of the server's addresses in the visitor's browser."""

CONTROLLER_VARIABLES = ("CATSDOGS_CONTROLLER", "CATSDOGS_CONTACT", "CATSDOGS_RETENTION_DAYS")
"""Variables with settings that the privacy notice shows; the server sets them in the kernels that it starts."""


def page_address(path: str) -> str | None:
    """Return the address, in the browser, of a path of the server; None outside of the kernels that it starts."""
    return os.environ.get(PREFIX_VARIABLE, "") + path if URL_VARIABLE in os.environ else None


def data_controller() -> DataController:
    """Return the data controller, without starting a service."""
    if URL_VARIABLE in os.environ:  # a kernel has no settings, only these variables
        name, contact, days = (os.environ.get(variable, "") for variable in CONTROLLER_VARIABLES)
        return DataController(name, contact, int(days or UNKNOWN_CONTROLLER.retention_days))
    from catsdogs.errors import SettingsError
    from catsdogs.settings import Settings

    try:
        return Settings.load().data_controller
    except SettingsError:  # starting the service raises it again, and shows it
        return UNKNOWN_CONTROLLER


def require_supported_system() -> None:
    """Check that this is a Unix, before a module is imported that no other system has.

    Raises
    ------
    SettingsError
    """
    if find_spec("fcntl") is None:
        from catsdogs.errors import SettingsError

        raise SettingsError(
            "catsdogs runs on Linux and macOS. On Windows, install and start it in WSL2: "
            "https://learn.microsoft.com/windows/wsl/install"
        )


def connect(url: str | None = None, token: str | None = None) -> Service:
    """Return the service that suits this process, or that of a server elsewhere.

    With `url`, neither the model nor a database is needed here: the methods send requests to the server's REST API.

    Parameters
    ----------
    url
        Address of a server, such as ``http://127.0.0.1:8866`` or ``https://example.org/pets``.
    token
        The server's ``API_TOKEN``.

    Returns
    -------
    Service
        `Remote` with `url`, and in a kernel that the server started; else `Local`.

    Raises
    ------
    InvalidInput
        `url` is no address, or there is a token without it.
    NotFound
        Something else than catsdogs answers at `url`.
    NotAuthorised
        The token is missing or wrong.
    ServiceUnavailable
        The server cannot be reached, or is too busy.
    SettingsError, ModelError
        Without `url`: a setting is wrong, or the model is missing or damaged.

    Examples
    --------
    >>> service = catsdogs.connect("https://example.org/pets", token)
    >>> service.predict(open("photo.jpg", "rb").read()).prediction.answer
    'cat'
    """
    if url is not None:
        from catsdogs.service.connection import connect_to

        return connect_to(url, token or "")
    if token is not None:
        from catsdogs.errors import InvalidInput

        raise InvalidInput("Give the address of the server to which this token belongs, too.")
    if served_by := os.environ.get(URL_VARIABLE):
        from catsdogs.service.remote import Remote

        return Remote(served_by, os.environ.get(TOKEN_VARIABLE, ""))
    require_supported_system()
    from catsdogs.service.local import Local

    return Local.open()
