"""The form of the routes that take a photo: read piece by piece, so that too large a body is refused early."""

from __future__ import annotations

from typing import Any

from tornado.httputil import HTTPFile, HTTPInputError, parse_body_arguments
from tornado.web import HTTPError, stream_request_body

from catsdogs.domain import Consent, ConsentChannel
from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_, negotiate
from catsdogs.model.photo_limits import MAX_BYTES, MAX_MEGABYTES
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.auth import API_CLIENT, Scope
from catsdogs.server.base_handler import TooLarge

MAX_BODY = MAX_BYTES + 64 * 1024
"""Size of the largest request: a photo and the form around it, in bytes."""


@stream_request_body
class PhotoFormHandler(ApiHandler):
    """A route whose form may hold a photo, and the person's consent."""

    scope = Scope.PREDICT
    _complete = False

    def prepare(self) -> None:
        """Refuse a body that is too large before it is read."""
        self._body = bytearray()
        self._received = 0
        super().prepare()
        # a refused body is still read, and dropped, up to a limit: some clients read the response only after writing
        self.request.connection.set_max_body_size(8 * MAX_BODY)  # type: ignore[union-attr]
        length = self.request.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()):
            raise HTTPError(400)
        if int(length[:18]) > MAX_BODY:
            raise _too_large()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Announce that the connection is closed, where the body was not read: Tornado closes it then."""
        if not self._complete:
            self.set_header("Connection", "close")
        super().write_error(status_code, **kwargs)

    def data_received(self, chunk: bytes) -> None:
        """Collect the body; it may come without a Content-Length."""
        self._received += len(chunk)
        if self._received <= MAX_BODY:
            self._body += chunk
        else:
            self._body.clear()

    def read_form(self) -> HTTPFile | None:
        """Read the form that was received; return its photo, if it has one.

        Raises
        ------
        TooLarge, InvalidInput
        """
        self._complete = True
        if self._received > MAX_BODY:
            raise _too_large()
        try:
            parse_body_arguments(
                self.request.headers.get("Content-Type", ""),
                bytes(self._body),
                self.request.body_arguments,
                self.request.files,
                self.request.headers,
            )
        except HTTPInputError:
            raise InvalidInput(N_("The form cannot be read: send multipart/form-data.")) from None
        finally:
            self._body.clear()
        files = self.request.files.get("file")
        return files[0] if files else None

    def consent(self) -> Consent:
        """Read the person's decision.

        Raises
        ------
        InvalidInput
        """
        return Consent(
            filename_and_comment=self.flag("rgpd_consent"),
            photo=self.flag("photo_consent"),
            language=negotiate(self.get_body_argument("consent_language", None), self.translator.language),
            channel=ConsentChannel.REST if self.holder == API_CLIENT else ConsentChannel.APP,
        )


def _too_large() -> TooLarge:
    return TooLarge(N_("This file is too large: at most {megabytes} MB."), megabytes=MAX_MEGABYTES)
