"""Base class of the REST API's handlers: it checks the bearer token and the rate limit, and reads forms."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from tornado.web import HTTPError, stream_request_body

from catsdogs.errors import InvalidInput, NotFound
from catsdogs.i18n import N_
from catsdogs.server.api.forms import read_form
from catsdogs.server.api.operation import Operation
from catsdogs.server.auth import API_CLIENT, Scope
from catsdogs.server.base_handler import HeadAsGetHandler, TooLarge
from catsdogs.service.interface import Service

_TRUE = {"true", "1", "on", "yes"}
_FALSE = {"false", "0", "off", "no", ""}


@stream_request_body
class ApiHandler(HeadAsGetHandler):
    """A route of the REST API; what can be refused without the body is refused before it is read."""

    max_body = 64 * 1024

    operation: ClassVar[Operation]
    """The route's part of the OpenAPI description."""
    scope: ClassVar[Scope | None] = None
    """Scope that the bearer token must have; ``None`` for routes open to all."""
    limited: ClassVar[bool] = True
    """Whether requests count against the client's rate limit."""

    def initialize(self, route: str) -> None:
        """Remember the route for the access log."""
        self.route = route

    def check_xsrf_cookie(self) -> None:
        """Check nothing: browsers send no bearer token by themselves, so no page can forge a request."""

    def prepare(self) -> None:
        """Check the token, the method and the size of the body.

        Raises
        ------
        NotAuthorised, TooManyRequests, TooLarge
        HTTPError
            405: the route does not support the method.
        """
        self._body, self._received = bytearray(), 0
        self.set_header("Cache-Control", "no-store")
        self.server = self.settings["catsdogs"]
        if self.scope is not None:
            self.holder = self.server.tokens.check(self.request.headers.get("Authorization"), self.scope)
            if self.limited:
                of_session = self.server.limits.session_requests[self.scope]
                limit = self.server.limits.api_requests if self.holder == API_CLIENT else of_session
                limit.count(self.client)
        if self.request.method not in self._methods():
            raise HTTPError(405)
        length = self.request.headers.get("Content-Length", "0")
        if length.isascii() and length.isdecimal() and int(length[:18]) > self.max_body:
            raise self.too_large()

    def data_received(self, chunk: bytes) -> None:
        """Collect the body, or drop what is too large: it may come without a Content-Length."""
        self._received += len(chunk)
        if self._received <= self.max_body:
            self._body += chunk
        else:
            self._body.clear()

    def too_large(self) -> TooLarge:
        """Return the error of a body that is too large."""
        return TooLarge(N_("This request is too large: at most {kilobytes} kB."), kilobytes=self.max_body // 1024)

    def read_form(self) -> None:
        """Read the form that was received.

        Raises
        ------
        TooLarge, InvalidInput
        """
        if self._received > self.max_body:
            raise self.too_large()
        form = read_form(
            self.request.headers,
            bytes(self._body),
            self.operation.form_fields,
            v2_compatible=self.is_v2_compatible,
        )
        self._body.clear()
        self.request.body_arguments, self.request.files = form.texts, form.files

    @property
    def client(self) -> str:
        """Name of the client for rate limits: its session, or else its address."""
        return str(self.server.clients.name_of(self.request)) if self.holder == API_CLIENT else self.holder

    @property
    def service(self) -> Service:
        """The service in this process."""
        service: Service = self.server.service
        return service

    @property
    def is_v2_compatible(self) -> bool:
        """Whether responses are those that programs written for V2 expect."""
        return bool(self.server.settings.v2_compatible)

    def flag(self, name: str) -> bool:
        """Read a form field that is true or false; a missing one is false: consent is never assumed.

        Raises
        ------
        InvalidInput
        """
        value = self.get_body_argument(name, "").lower()
        if value not in _TRUE | _FALSE:
            raise InvalidInput(N_("{name} must be true or false."), name=name)
        return value in _TRUE

    def feedback_id(self) -> UUID:
        """Read the identifier of a prediction.

        Raises
        ------
        InvalidInput, NotFound
        """
        text = self.get_body_argument("feedback_id", "")
        if not text:
            raise InvalidInput(N_("feedback_id is missing. Send the one that came with the prediction."))
        try:
            return UUID(text)
        except ValueError:
            raise NotFound(N_("There is no prediction with this feedback_id.")) from None
