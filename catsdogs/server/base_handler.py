"""What all handlers have in common: error responses, security headers, access log."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar

from tornado.web import HTTPError, RequestHandler, stream_request_body

from catsdogs.errors import (
    CatsDogsError,
    Conflict,
    ConsentRequired,
    DatabaseUnavailable,
    InvalidImage,
    InvalidInput,
    ModelError,
    NotAuthorised,
    NotFound,
    ServiceUnavailable,
    SpoolError,
)
from catsdogs.i18n import N_, Translator, negotiate
from catsdogs.server.auth import Forbidden
from catsdogs.server.rate_limit import TooManyRequests
from catsdogs.server.urls import PREFIX_HEADER

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("catsdogs.access")


class TooLarge(InvalidImage):
    """Raised for a photo that has too many bytes."""


STATUS_CODES: dict[type[CatsDogsError], int] = {
    InvalidInput: 400,
    NotAuthorised: 401,
    Forbidden: 403,
    ConsentRequired: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    TooManyRequests: 429,
    ServiceUnavailable: 503,
    DatabaseUnavailable: 503,
    SpoolError: 503,
    ModelError: 503,
    CatsDogsError: 500,
}
"""HTTP status of each error; a class that is not listed has the status of its nearest ancestor."""

OUTAGE_RETRY_SECONDS = 10
"""``Retry-After`` of an outage, such as one of the database: nobody knows when it ends."""

ERROR_MESSAGES = {
    400: N_("This request cannot be understood. Check its address, its headers and how its body is encoded."),
    403: N_("You have no access to this."),
    404: N_("There is nothing here."),
    405: N_("This cannot be done here. The header Allow names the methods that are possible."),
    408: N_("The request took too long to arrive. Check the connection, and send it again."),
    413: N_("This request is too large. Send less at once."),
    415: N_("This request is compressed. Send it again without compression."),
    431: N_("The address or the headers of this request are too long. Shorten them, or delete this site’s cookies."),
}
INTERNAL_ERROR_MESSAGE = N_("Something went wrong on our side. It is in the log; trying again may help.")


def status_code_of(error: CatsDogsError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


def error_name(error: CatsDogsError) -> str:
    """Return the name of the nearest class in :mod:`catsdogs.errors`, which `Remote` raises again."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == CatsDogsError.__module__)


_REQUEST_ID = re.compile(r"[\w-]{8,64}", re.ASCII)


class BaseHandler(RequestHandler):
    """Writes errors as sentences in the reader's language, and logs no personal data."""

    max_body: ClassVar[int] = 0
    """Size of the largest body that the handler reads, in bytes; with 0, it reads none, and what is sent is dropped."""

    @cached_property
    def request_id(self) -> str:
        """Identifier of the request in the response and in the log; our own proxy may have set it."""
        given = self.request.headers.get("X-Request-ID", "")
        trusted = self.settings["catsdogs"].settings.behind_proxy and _REQUEST_ID.fullmatch(given)
        return given if trusted else secrets.token_hex(8)

    @property
    def prefix(self) -> str:
        """Path under which the browser sees the server: see :mod:`catsdogs.server.urls`."""
        return self.request.headers.get(PREFIX_HEADER, "")

    def set_cookie(self, name: str, value: str | bytes, **kwargs: Any) -> None:  # type: ignore[override]
        """Set a cookie, for this server alone where others share its host."""
        super().set_cookie(name, value, path=f"{self.prefix}/", **kwargs)

    def check_xsrf_cookie(self) -> None:
        """Check the token of a form, where there is something to be protected.

        Raises
        ------
        HTTPError
            403: the token is wrong. 405: the route does not support the method.
        """
        if self.request.method not in self._methods():
            raise HTTPError(405)
        super().check_xsrf_cookie()

    def set_default_headers(self) -> None:
        """Add the request's identifier, also to errors."""
        super().set_default_headers()
        self.set_header("X-Request-ID", self.request_id)

    @property
    def translator(self) -> Translator:
        """Translator to the language of ``?lang=``, else of the browser, else of the server."""
        requested = self.chosen_language, self.request.headers.get("Accept-Language")
        return Translator(negotiate(*requested, self.settings["catsdogs"].settings.lang))

    @property
    def chosen_language(self) -> str | None:
        """Value of ``?lang=``; None where its bytes are not UTF-8, as an error page must not fail."""
        try:
            return self.get_query_argument("lang", None)
        except HTTPError:
            return None

    def error_message(self, status: int, error: BaseException | None) -> str:
        """Return the sentence that describes an error."""
        if isinstance(error, CatsDogsError) and status != 500:
            return self.translator.describe(error)
        return self.translator(ERROR_MESSAGES.get(status, INTERNAL_ERROR_MESSAGE))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write an error's status, headers and sentence."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, CatsDogsError):
            status_code = status_code_of(error)
            self.set_status(status_code)
            self.set_header("X-CatsDogs-Error", error_name(error))
        if status_code == 400 and "Content-Encoding" in self.request.headers:
            status_code, error = 415, None  # Tornado reads no such form
            self.set_status(status_code)
        if status_code == 405:
            self.set_header("Allow", ", ".join(self._methods()))
        if status_code == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        retry_after = None
        if status_code in {429, 503}:
            retry_after = getattr(error, "retry_after", OUTAGE_RETRY_SECONDS)
            self.set_header("Retry-After", retry_after)
        self.set_header("Cache-Control", "no-store")
        self.write_error_body(status_code, self.error_message(status_code, error), retry_after)

    def _methods(self) -> list[str]:
        """List the methods that this route supports."""
        return [
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
            and not (method == "HEAD" and type(self).get is RequestHandler.get)
        ]

    def write_error_body(self, status: int, message: str, retry_after: int | None = None) -> None:  # noqa: ARG002
        """Write the body of an error response: JSON, unless a page overrides this."""
        self.finish({"detail": message})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an unexpected exception with its traceback, and an unavailable service; without data of the request."""
        if isinstance(value, CatsDogsError) and status_code_of(value) != 500:
            if status_code_of(value) == 503:
                logger.warning("%s: %s (%s)", type(value).__name__, value, self.request_id)
        elif typ is not None and not isinstance(value, HTTPError):
            handler = type(self).__name__
            exception: Any = (typ, value, tb)
            logger.error("%s failed (%s)", handler, self.request_id, exc_info=exception)


class HeadAsGetHandler(BaseHandler):
    """Supports HEAD wherever it supports GET: uptime monitors often use it."""

    def head(self, *path_arguments: str) -> Awaitable[None] | None:
        """Do the same as GET; Tornado does not send the body."""
        return self.get(*path_arguments)


@stream_request_body
class NotFoundHandler(BaseHandler):
    """Paths of the REST API that have no route."""

    def check_xsrf_cookie(self) -> None:
        """Check nothing: this handler has no effect."""

    def prepare(self) -> None:
        """Answer 404 to every method."""
        raise NotFound(N_("There is no such route. The page /docs lists those that there are."))

    def data_received(self, chunk: bytes) -> None:
        """Drop what was sent."""


@stream_request_body
class RefusalHandler(BaseHandler):
    """Answers a request that does not reach its handler, such as one that is malformed or too large.

    It is answered before its body is read.
    """

    def initialize(self, status: int, route: str) -> None:
        """Take the status of the answer, and the route for the access log."""
        self.status, self.route = status, route

    def check_xsrf_cookie(self) -> None:
        """Check nothing: this handler has no effect."""

    def prepare(self) -> None:
        """Answer with the error."""
        raise HTTPError(self.status)

    def data_received(self, chunk: bytes) -> None:
        """Drop what was sent."""


def route_of(handler: RequestHandler) -> str:
    """Return a request's route, or the name of its handler; never the path, which may hold personal data."""
    return getattr(handler, "route", None) or type(handler).__name__


def method_of(handler: RequestHandler) -> str:
    """Return a request's method, or "other" for an unknown one: a client may send any word."""
    method = str(handler.request.method)
    return method if method in RequestHandler.SUPPORTED_METHODS else "other"


def log_request(handler: RequestHandler) -> None:
    """Log a request: no address, no query, and only our own paths (one with a kernel's id gives access to it)."""
    status = handler.get_status()
    if not hasattr(handler, "route") and status < 500:
        return
    level = logging.INFO if status < 500 else logging.WARNING
    access_logger.log(
        level,
        "%s %s %d %.0f ms %s",
        method_of(handler),
        route_of(handler),
        status,
        1000 * handler.request.request_time(),
        getattr(handler, "request_id", "-"),
    )
