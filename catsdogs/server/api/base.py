"""Base class of the REST API's handlers: it checks the bearer token and the rate limit."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from catsdogs.errors import InvalidInput, NotFound
from catsdogs.i18n import N_
from catsdogs.server.api.operation import Operation
from catsdogs.server.auth import API_CLIENT, Scope
from catsdogs.server.base_handler import HeadAsGetHandler
from catsdogs.service.interface import Service

_TRUE = {"true", "1", "on", "yes"}
_FALSE = {"false", "0", "off", "no", ""}


class ApiHandler(HeadAsGetHandler):
    """A route of the REST API."""

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
        """Check the token before the body is read."""
        self.set_header("Cache-Control", "no-store")
        self.server = self.settings["catsdogs"]
        if self.scope is not None:
            self.holder = self.server.tokens.check(self.request.headers.get("Authorization"), self.scope)
            if self.limited:
                of_session = self.server.limits.session_requests[self.scope]
                limit = self.server.limits.api_requests if self.holder == API_CLIENT else of_session
                limit.count(self.client)

    @property
    def client(self) -> str:
        """Name of the client for rate limits: its session, or else its address."""
        return str(self.server.clients.name_of(self.request)) if self.holder == API_CLIENT else self.holder

    @property
    def service(self) -> Service:
        """The service in this process."""
        service: Service = self.server.service
        return service

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
            raise InvalidInput(N_("feedback_id is missing."))
        try:
            return UUID(text)
        except ValueError:
            raise NotFound(N_("There is no prediction with this feedback_id.")) from None
