"""What every answer has in common: how errors are said, security headers, the access log."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable
from functools import cached_property
from types import TracebackType
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, OutputTransform, RequestHandler

from catsdogs.errors import (
    CatsDogsError,
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

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("catsdogs.access")


class TooLarge(InvalidImage):
    """More bytes than a photo may have."""


STATUS_CODES: dict[type[CatsDogsError], int] = {
    InvalidInput: 400,
    NotAuthorised: 401,
    Forbidden: 403,
    ConsentRequired: 403,
    NotFound: 404,
    TooLarge: 413,
    TooManyRequests: 429,
    ServiceUnavailable: 503,
    DatabaseUnavailable: 503,
    SpoolError: 503,
    ModelError: 503,
    CatsDogsError: 500,
}
"""The HTTP status of each error; a class without a line of its own has its nearest ancestor's."""

ERROR_MESSAGES = {
    400: N_("This request cannot be understood."),
    403: N_("This is not open to you."),
    404: N_("There is nothing here."),
    405: N_("This cannot be done here."),
    413: N_("This is too large."),
}
INTERNAL_ERROR_MESSAGE = N_("Something went wrong on our side. It is in the log; trying again may help.")


def status_code_of(error: CatsDogsError) -> int:
    """Find the HTTP status of an error."""
    return next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)


def error_name(error: CatsDogsError) -> str:
    """Name the class of :mod:`catsdogs.errors` that an error is, for `Remote` to raise again."""
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == CatsDogsError.__module__)


_REQUEST_ID = re.compile(r"[\w-]{8,64}", re.ASCII)


class BaseHandler(RequestHandler):
    """Says errors as sentences in the reader's language, and logs no personal data."""

    @cached_property
    def request_id(self) -> str:
        """Names the request in the answer and in the log; a proxy of ours may have named it."""
        given = self.request.headers.get("X-Request-ID", "")
        believed = self.settings["catsdogs"].settings.behind_proxy and _REQUEST_ID.fullmatch(given)
        return given if believed else secrets.token_hex(8)

    def set_default_headers(self) -> None:
        """Name the request, in errors too."""
        super().set_default_headers()
        self.set_header("X-Request-ID", self.request_id)

    @property
    def translator(self) -> Translator:
        """Speaks the language of ``?lang=``, else of the browser, else of the server."""
        wishes = self.chosen_language, self.request.headers.get("Accept-Language")
        return Translator(negotiate(*wishes, self.settings["catsdogs"].settings.lang))

    @property
    def chosen_language(self) -> str | None:
        """What ``?lang=`` says; bytes that are no text say nothing, or no error could be said in any language."""
        try:
            return self.get_query_argument("lang", None)
        except HTTPError:
            return None

    def error_message(self, status: int, error: BaseException | None) -> str:
        """Say what went wrong."""
        if isinstance(error, CatsDogsError) and status != 500:
            return self.translator.describe(error)
        return self.translator(ERROR_MESSAGES.get(status, INTERNAL_ERROR_MESSAGE))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an error's status and sentence."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, CatsDogsError):
            status_code = status_code_of(error)
            self.set_status(status_code)
            self.set_header("X-CatsDogs-Error", error_name(error))
        if status_code == 405:
            self.set_header("Allow", ", ".join(self._methods()))
        if status_code == 401:
            self.set_header("WWW-Authenticate", "Bearer")
        if status_code in {429, 503}:
            self.set_header("Retry-After", getattr(error, "retry_after", 10))
        self.set_header("Cache-Control", "no-store")
        self.write_error_body(status_code, self.error_message(status_code, error))

    def _methods(self) -> list[str]:
        """List the methods that this route has."""
        return [
            method
            for method in self.SUPPORTED_METHODS
            if getattr(type(self), method.lower()) is not getattr(RequestHandler, method.lower())
            and not (method == "HEAD" and type(self).get is RequestHandler.get)
        ]

    def write_error_body(self, status: int, sentence: str) -> None:  # noqa: ARG002
        """Write the body of an error; JSON unless a page overrides it."""
        self.finish({"detail": sentence})

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what is our fault, with its traceback and without the request's data."""
        if isinstance(value, CatsDogsError) and status_code_of(value) != 500:
            if status_code_of(value) == 503:
                logger.warning("%s: %s (%s)", type(value).__name__, value, self.request_id)
        elif typ is not None and not isinstance(value, HTTPError):
            what = type(self).__name__, self.request_id
            logger.error("%s failed (%s)", *what, exc_info=(typ, value, tb))  # type: ignore[arg-type]


class HeadAsGetHandler(BaseHandler):
    """Answers HEAD as GET, without the body: what watches a service often asks so."""

    def head(self) -> Awaitable[None] | None:
        """Do as GET does; Tornado leaves the body out."""
        return self.get()


class NotFoundHandler(BaseHandler):
    """Whatever has no route."""

    def check_xsrf_cookie(self) -> None:
        """There is nothing to protect."""

    def prepare(self) -> None:
        """Answer every method alike."""
        raise HTTPError(404)


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}
"""On every answer, unless the handler has set its own."""

APP_CONTENT_SECURITY_POLICY = (
    # Voilà streams inline scripts, anywidget imports modules from blob: addresses, and JupyterLab's
    # settings registry compiles JSON schemas: that is what the three looser sources are for.
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""``Content-Security-Policy`` of the pages that Voilà renders."""


class SecurityHeaders(OutputTransform):
    """Puts `SECURITY_HEADERS` on every answer, static files and Jupyter's own handlers included."""

    def transform_first_chunk(
        self,
        status_code: int,
        headers: HTTPHeaders,
        chunk: bytes,
        finishing: bool,  # noqa: ARG002
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add what the handler has not set."""
        for name, value in SECURITY_HEADERS.items():
            if name not in headers:
                headers[name] = value
        del headers["Server"]
        return status_code, headers, chunk


def route_of(handler: RequestHandler) -> str:
    """Name a request's route: one of ours, or a kind of file; never the path, which may hold anything."""
    return getattr(handler, "route", None) or type(handler).__name__


def method_of(handler: RequestHandler) -> str:
    """Name a request's method; a client may send any word."""
    method = str(handler.request.method)
    return method if method in RequestHandler.SUPPORTED_METHODS else "other"


def log_request(handler: RequestHandler) -> None:
    """Log one request: no address, no query, and no path but our own (a kernel's id opens its session)."""
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
