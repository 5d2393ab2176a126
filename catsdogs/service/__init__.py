"""One small interface to everything the apps do, two ways.

`Local` holds model and database in this process (JupyterLab, papermill, the server itself);
`Remote` speaks HTTP to the server that started this kernel, and holds neither.
"""

from __future__ import annotations

import os

from catsdogs.domain import UNKNOWN_CONTROLLER, DataController
from catsdogs.service.interface import Service

URL_VARIABLE = "CATSDOGS_SERVICE_URL"
"""Set by our server in the kernels it starts: where to reach it."""
TOKEN_VARIABLE = "CATSDOGS_SERVICE_TOKEN"  # noqa: S105 (a name)
"""Set by our server in the kernels it starts: a token of that session alone."""

CONTROLLER_VARIABLES = ("CATSDOGS_CONTROLLER", "CATSDOGS_CONTACT", "CATSDOGS_RETENTION_DAYS")
"""Settings that are not secret: our server tells its kernels, whose pages say them."""


def controller() -> DataController:
    """Say who answers for people's data, without starting a service."""
    if URL_VARIABLE in os.environ:  # a kernel has no settings; our server hands on these three
        name, contact, days = (os.environ.get(variable, "") for variable in CONTROLLER_VARIABLES)
        return DataController(name, contact, int(days or UNKNOWN_CONTROLLER.retention_days))
    from catsdogs.errors import SettingsError
    from catsdogs.settings import Settings

    try:
        return Settings.load().data_controller
    except SettingsError:  # the service says so, when it is asked to start
        return UNKNOWN_CONTROLLER


def connect() -> Service:
    """Give the service that suits this process.

    Returns
    -------
    Service
        `Remote` in a kernel that our server started, else `Local`.

    Raises
    ------
    SettingsError, ModelError
    """
    if url := os.environ.get(URL_VARIABLE):
        from catsdogs.service.remote import Remote

        return Remote(url, os.environ.get(TOKEN_VARIABLE, ""))
    from catsdogs.service.local import Local

    return Local.open()
