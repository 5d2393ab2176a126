"""Who may do what: bearer tokens for programs and kernels, a password for the operator."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import deque
from enum import StrEnum

from tornado.web import RequestHandler

from catsdogs.errors import NotAuthorised, ServiceUnavailable
from catsdogs.i18n import N_

OPERATOR_COOKIE = "catsdogs_operator"
OPERATOR_DAYS = 0.5
"""How long an operator stays signed in."""


class Forbidden(NotAuthorised):
    """The token is good, but not for this."""


class TooManyRequests(ServiceUnavailable):
    """The client asks too often; later it may again."""


class Scope(StrEnum):
    """What a token opens."""

    PREDICT = "predict"
    """Predict and give feedback."""
    MONITOR = "monitor"
    """Read statistics and recent predictions."""


class Tokens:
    """The bearer tokens that open the REST API.

    The API token opens everything. Each kernel gets a token of its own that opens what its app
    needs and ends with the kernel.

    Parameters
    ----------
    api_token
        The operator's ``API_TOKEN``.
    """

    def __init__(self, api_token: str) -> None:
        self._api_token = _digest(api_token)
        self._sessions: dict[bytes, tuple[str, Scope]] = {}

    def issue(self, session: str, scope: Scope) -> str:
        """Make the token of a session."""
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = (session, scope)
        return token

    def revoke(self, session: str) -> None:
        """End the token of a session."""
        self._sessions = {digest: known for digest, known in self._sessions.items() if known[0] != session}

    def check(self, authorization: str | None, scope: Scope) -> str:
        """Check an ``Authorization`` header.

        Digests are compared, so that the time taken says nothing about the token.

        Returns
        -------
        str
            Who asks: the session, or ``"api"``.

        Raises
        ------
        NotAuthorised
            No token, or an unknown one.
        Forbidden
            The token of a session whose app does not need this.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthorised(N_("A token is needed: send the header Authorization: Bearer TOKEN."))
        digest = _digest(token.strip())
        if hmac.compare_digest(digest, self._api_token):
            return "api"
        session, allowed = self._sessions.get(digest, (None, None))
        if session is None:
            raise NotAuthorised(N_("This token is wrong, or its session has ended."))
        if allowed is not scope:
            raise Forbidden(N_("This token does not open that."))
        return session


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class RateLimit:
    """At most `limit` events of a client within `seconds`; forgets clients that keep quiet.

    Parameters
    ----------
    limit
        Number of events.
    seconds
        Length of the sliding window.
    """

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._events: dict[str, deque[float]] = {}

    def exceeded(self, client: str) -> bool:
        """Whether `client` has used up its events."""
        return len(self._recent(client)) >= self.limit

    def count(self, client: str) -> None:
        """Count one event of `client`."""
        self._events.setdefault(client, deque()).append(time.monotonic())
        if len(self._events) > 10_000:  # a flood from many addresses must not fill the memory
            self._events = {known: events for known in list(self._events) if (events := self._recent(known))}

    def _recent(self, client: str) -> deque[float]:
        events = self._events.get(client, deque())
        while events and events[0] < time.monotonic() - self.seconds:
            events.popleft()
        return events


class Operator:
    """The operator's sign-in: one password, limited tries, a signed cookie.

    Parameters
    ----------
    password
        ``CATSDOGS_OPERATOR_PASSWORD``.
    """

    def __init__(self, password: str) -> None:
        self._password = _digest(password)
        self._tries = RateLimit(limit=5, seconds=60)

    def sign_in(self, handler: RequestHandler, password: str) -> bool:
        """Compare a password in constant time, and set the cookie where it is right.

        Raises
        ------
        TooManyRequests
            After five wrong passwords in a minute from one address.
        """
        client = str(handler.request.remote_ip)
        if self._tries.exceeded(client):
            raise TooManyRequests(N_("Too many wrong passwords. Wait a minute, then try again."))
        if not hmac.compare_digest(_digest(password), self._password):
            self._tries.count(client)
            return False
        handler.set_signed_cookie(
            OPERATOR_COOKIE,
            "operator",
            expires_days=OPERATOR_DAYS,
            httponly=True,
            samesite="Strict",
            secure=over_https(handler),
        )
        return True

    @staticmethod
    def sign_out(handler: RequestHandler) -> None:
        """Forget the cookie."""
        handler.clear_cookie(OPERATOR_COOKIE, httponly=True, samesite="Strict", secure=over_https(handler))

    @staticmethod
    def is_signed_in(handler: RequestHandler) -> bool:
        """Whether the request comes from a signed-in operator."""
        return handler.get_signed_cookie(OPERATOR_COOKIE, max_age_days=OPERATOR_DAYS) == b"operator"


def over_https(handler: RequestHandler) -> bool:
    """Whether the browser speaks HTTPS, to us or to the proxy before us."""
    return "https" in {handler.request.protocol, handler.request.headers.get("X-Forwarded-Proto")}


def cookie_secret(api_token: str, password: str) -> bytes:
    """Derive the key that signs cookies: the same on every replica, new with a new password."""
    return hmac.new(api_token.encode(), b"catsdogs cookies " + password.encode(), hashlib.sha256).digest()
