"""Authentication: bearer tokens for programs and kernels, a password for the operator."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from enum import StrEnum
from pathlib import Path

from jupyter_server.auth.security import passwd, passwd_check
from tornado.web import RequestHandler

from catsdogs.errors import NotAuthorised
from catsdogs.i18n import N_
from catsdogs.server.rate_limit import RateLimit
from catsdogs.server.signed_out import SignedOut

API_CLIENT = "api"
"""Holder of the API token, as :meth:`Tokens.check` returns it."""
OPERATOR_COOKIE = "catsdogs_operator"
OPERATOR_DAYS = 0.5
"""Days until the operator's sign-in expires."""
HASH_PREFIX = "argon2:"
"""Prefix of a password's hash, as ``jupyter_server.auth.passwd()`` makes it."""
MAX_PASSWORD_LENGTH = 1024


class Forbidden(NotAuthorised):
    """Raised for a valid token without the scope that is needed."""


class Scope(StrEnum):
    """What a token permits."""

    PREDICT = "predict"
    """Predict and give feedback."""
    MONITOR = "monitor"
    """Read statistics and recent predictions."""


class Tokens:
    """The bearer tokens of the REST API.

    The API token permits everything. Each kernel gets a token of its own, with the scope of its app; it is revoked when
    the kernel ends.

    Parameters
    ----------
    api_token
        The operator's ``API_TOKEN``.
    """

    def __init__(self, api_token: str) -> None:
        self._api_token = _digest(api_token)
        self._sessions: dict[bytes, tuple[str, Scope]] = {}

    def issue(self, session: str, scope: Scope) -> str:
        """Create the token of a session."""
        token = secrets.token_urlsafe(32)
        self._sessions[_digest(token)] = (session, scope)
        return token

    def revoke(self, session: str) -> None:
        """Revoke the token of a session."""
        self._sessions = {digest: known for digest, known in self._sessions.items() if known[0] != session}

    def check(self, authorization: str | None, scope: Scope) -> str:
        """Check an ``Authorization`` header.

        Digests are compared, so that the time it takes reveals nothing about the token.

        Returns
        -------
        str
            The holder of the token: the session, or `API_CLIENT`.

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
            return API_CLIENT
        session, allowed = self._sessions.get(digest, (None, None))
        if session is None:
            raise NotAuthorised(N_("This token is wrong, or its session has ended."))
        if allowed is not scope:
            raise Forbidden(N_("This token is not valid for this route."))
        return session


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


class Operator:
    """The operator's sign-in: one password, limited attempts, a signed cookie with an identifier of its own.

    Parameters
    ----------
    password
        ``CATSDOGS_OPERATOR_PASSWORD``: the password, or its argon2 hash.
    signed_out
        File of the sign-ins that have ended. Other replicas do not know it.
    """

    def __init__(self, password: str, signed_out: Path) -> None:
        self._signed_out = SignedOut(signed_out, OPERATOR_DAYS * 24 * 3600)
        self._hash = password if password.startswith(HASH_PREFIX) else passwd(password, "argon2")  # type: ignore[no-untyped-call]
        self._attempts = RateLimit(5, 60, N_("Too many wrong passwords. Wait a minute, then try again."))

    def count_attempt(self, client: str) -> None:
        """Count an attempt of a client, before its password is checked.

        Raises
        ------
        TooManyRequests
            After five wrong passwords in a minute.
        """
        self._attempts.count(client)

    def reset_attempts(self, client: str) -> None:
        """Forget the attempts of a client, after the right password."""
        self._attempts.reset(client)

    def is_password(self, password: str) -> bool:
        """Check a password; this takes about 50 ms, so that guessing is slow, even with a stolen hash."""
        return len(password) <= MAX_PASSWORD_LENGTH and bool(
            passwd_check(self._hash, password)  # type: ignore[no-untyped-call]
        )

    def sign_in(self, handler: RequestHandler) -> None:
        """Set the sign-in cookie."""
        handler.set_signed_cookie(
            OPERATOR_COOKIE,
            secrets.token_urlsafe(16),
            expires_days=OPERATOR_DAYS,
            httponly=True,
            samesite="Strict",
            secure=is_https(handler),
        )

    def sign_out(self, handler: RequestHandler) -> None:
        """End the sign-in, so that no copy of its cookie is accepted any more, and delete the cookie."""
        if identifier := self._identifier(handler):
            self._signed_out.add(identifier)
        handler.clear_cookie(OPERATOR_COOKIE, httponly=True, samesite="Strict", secure=is_https(handler))

    def is_signed_in(self, handler: RequestHandler) -> bool:
        """Return whether the request comes from a signed-in operator."""
        identifier = self._identifier(handler)
        return bool(identifier) and identifier not in self._signed_out

    @staticmethod
    def _identifier(handler: RequestHandler) -> str:
        value = handler.get_signed_cookie(OPERATOR_COOKIE, max_age_days=OPERATOR_DAYS)
        return value.decode("ascii", "replace") if value else ""


def is_https(handler: RequestHandler) -> bool:
    """Return whether the browser uses HTTPS, to this server or to a proxy in front of it."""
    return bool(handler.request.protocol == "https")


def cookie_secret(api_token: str, password: str) -> bytes:
    """Derive the key that signs cookies: the same on every replica, and a new one with a new password."""
    return hmac.new(api_token.encode(), b"catsdogs cookies " + password.encode(), hashlib.sha256).digest()
