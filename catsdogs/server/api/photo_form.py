"""The form of the routes that take a photo, with the person's consent."""

from __future__ import annotations

from tornado.httputil import HTTPFile

from catsdogs.domain import Consent, ConsentChannel
from catsdogs.i18n import N_, negotiate
from catsdogs.model.photo_limits import MAX_BYTES, MAX_MEGABYTES
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.forms import FILE
from catsdogs.server.auth import API_CLIENT, Scope
from catsdogs.server.base_handler import TooLarge

MAX_BODY = MAX_BYTES + 64 * 1024
"""Size of the largest request: a photo and the form around it, in bytes."""


class PhotoFormHandler(ApiHandler):
    """A route whose form may hold a photo, and the person's consent."""

    max_body = MAX_BODY
    scope = Scope.PREDICT

    def too_large(self) -> TooLarge:
        """Return the error of a photo that is too large."""
        return TooLarge(N_("This file is too large: at most {megabytes} MB."), megabytes=MAX_MEGABYTES)

    def photo(self) -> HTTPFile | None:
        """Return the photo of the form, if it has one."""
        files = self.request.files.get(FILE)
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
