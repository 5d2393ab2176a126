"""The service of a server elsewhere: its address and its token are checked once, before anything is asked of it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from catsdogs.errors import DatabaseUnavailable, InvalidInput, NotAuthorised, NotFound, ServiceError, ServiceUnavailable
from catsdogs.i18n import N_
from catsdogs.service.remote import Remote


def connect_to(url: str, token: str) -> Remote:
    """Return the service of the server at `url`; see :func:`catsdogs.connect` for the errors."""
    _check_address(url)
    if not (token.isascii() and token.isprintable()):  # it could not be sent in a header
        raise NotAuthorised(N_("This token is wrong, or its session has ended."))
    remote = Remote(url, token)
    try:
        known = "model_loaded" in remote.model_info()
    except ServiceUnavailable as error:
        raise ServiceUnavailable(
            "The server at {url} cannot be reached, or is too busy. Check the address, and that catsdogs runs.",
            url=url,
        ) from error
    except (ServiceError, NotFound):
        known = False
    if not known:
        raise NotFound("There is no catsdogs at {url}. Check http or https, and leave out the name of a page.", url=url)
    with suppress(ServiceUnavailable, DatabaseUnavailable):  # the token is right; the database may be away
        remote.change_token()
    return remote


def _check_address(url: str) -> None:
    """Raise `InvalidInput` where `url` is no address of a server."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if (
            parts.scheme in {"http", "https"}
            and parts.hostname
            and parts.port != 0
            and not parts.query + parts.fragment
        ):
            return
    raise InvalidInput("{url} is no address of a server. It is like http://127.0.0.1:8866.", url=url)
