"""Data subjects' rights over REST: a new decision about consent; export, withdrawal and erasure by receipt code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from catsdogs.domain import Consent, PurposeName
from catsdogs.errors import InvalidInput, NotFound, ReceiptRefused
from catsdogs.i18n import N_
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.photo_form import PhotoFormHandler
from catsdogs.server.api.requests import ConsentFields, ReceiptFields, WithdrawFields
from catsdogs.server.auth import Scope
from catsdogs.service.responses import (
    ConsentResponse,
    Export,
    RemovalResponse,
    consent_outcome_to_json,
    removal_to_json,
)


@contextmanager
def wrong_receipts_limited(handler: ApiHandler) -> Iterator[None]:
    """Count the use of a receipt code, but only if it is wrong, or one that a client chose is somebody else's.

    A client that has sent too many wrong codes is refused before its code is looked up, so that the response does not
    tell whether the code is valid. Requests that it sends at the same time may exceed the limit; that does not help to
    find one code of 140 random bits.

    Raises
    ------
    TooManyRequests
        This client has sent too many wrong codes.
    """
    limit = handler.server.limits.wrong_receipts
    limit.check(handler.client)
    try:
        yield
    except (NotFound, ReceiptRefused):
        limit.count(handler.client)
        raise


class ConsentHandler(PhotoFormHandler):
    """``POST /api/consent``."""

    operation = Operation(
        "post",
        "Change the consent to what is kept of a prediction",
        ConsentResponse,
        form=ConsentFields,
        errors=(404, 409),
    )

    async def post(self) -> None:
        """Record a person's new decision."""
        self.read_form()
        file, feedback_id = self.photo(), self.feedback_id()
        if not {"rgpd_consent", "photo_consent"} & self.request.body_arguments.keys():
            raise InvalidInput(N_("Send rgpd_consent, photo_consent or both: true or false."))
        receipt = self.get_body_argument("receipt", "") or None
        new_receipt = self.get_body_argument("new_receipt", "") or None
        with wrong_receipts_limited(self) if receipt or new_receipt else nullcontext():
            outcome = await self.server.worker_pool.run(
                self.service.change_consent,
                feedback_id,
                self.consent(),
                filename=self.get_body_argument("filename", "") or (file.filename if file else None),
                photo=file.body if file else None,
                receipt=receipt,
                new_receipt=new_receipt,
                known=self._known(),
            )
        self.write(dict(consent_outcome_to_json(outcome)))

    def _known(self) -> Consent | None:
        if not {"known_rgpd_consent", "known_photo_consent"} & self.request.body_arguments.keys():
            return None
        return Consent(self.flag("known_rgpd_consent"), self.flag("known_photo_consent"))


class ReceiptHandler(ApiHandler):
    """A route that needs a receipt code. It is sent in the form, never in the address, which logs would keep."""

    scope = Scope.PREDICT

    def receipt(self) -> str:
        """Read the form, and return its receipt code.

        Raises
        ------
        InvalidInput
        """
        self.read_form()
        receipt = self.get_body_argument("receipt", "")
        if not receipt:
            raise InvalidInput(N_("receipt is missing. Send the receipt code that came with the consent."))
        return receipt


class ExportHandler(ReceiptHandler):
    """``POST /api/privacy/export``."""

    operation = Operation(
        "post", "Export everything held under a receipt code", Export, form=ReceiptFields, errors=(404,)
    )

    async def post(self) -> None:
        """Send everything held under a receipt code."""
        receipt = self.receipt()
        with wrong_receipts_limited(self):
            self.write(await self.server.database_pool.run(self.service.export, receipt))


class WithdrawHandler(ReceiptHandler):
    """``POST /api/privacy/withdraw``."""

    operation = Operation(
        "post", "Withdraw consent to one purpose or to all", RemovalResponse, form=WithdrawFields, errors=(404,)
    )

    async def post(self) -> None:
        """Withdraw consent to one purpose or, where none is named, to all."""
        receipt, purpose = self.receipt(), self._purpose()
        with wrong_receipts_limited(self):
            removal = await self.server.database_pool.run(self.service.withdraw, receipt, purpose)
        self.write(dict(removal_to_json(removal)))

    def _purpose(self) -> PurposeName | None:
        text = self.get_body_argument("purpose", "")
        try:
            return PurposeName(text) if text else None
        except ValueError:
            raise InvalidInput(N_("purpose must be one of {purposes}."), purposes=", ".join(PurposeName)) from None


class EraseHandler(ReceiptHandler):
    """``POST /api/privacy/erase``."""

    operation = Operation(
        "post", "Erase everything held under a receipt code", RemovalResponse, form=ReceiptFields, errors=(404,)
    )

    async def post(self) -> None:
        """Erase everything held under a receipt code."""
        receipt = self.receipt()
        with wrong_receipts_limited(self):
            removal = await self.server.database_pool.run(self.service.erase, receipt)
        self.write(dict(removal_to_json(removal)))


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/consent": ConsentHandler,
    "/api/privacy/export": ExportHandler,
    "/api/privacy/withdraw": WithdrawHandler,
    "/api/privacy/erase": EraseHandler,
}
