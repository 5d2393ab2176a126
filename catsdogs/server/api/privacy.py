"""Data subjects' rights over REST: export, withdrawal and erasure of what is held under a receipt code."""

from __future__ import annotations

from catsdogs.domain import PurposeName
from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.operation import Operation
from catsdogs.server.api.requests import ReceiptFields, WithdrawFields
from catsdogs.server.auth import Scope
from catsdogs.service.responses import Export, RemovalResponse, removal_to_json


class ReceiptHandler(ApiHandler):
    """A route that needs a receipt code. It is sent in the form, never in the address, which logs would keep."""

    scope = Scope.PREDICT

    def receipt(self) -> str:
        """Read the receipt code, and count the attempt.

        Raises
        ------
        InvalidInput
        TooManyRequests
            Too many codes from this client.
        """
        self.server.limits.receipts.count(self.client)
        receipt = self.get_body_argument("receipt", "")
        if not receipt:
            raise InvalidInput(N_("receipt is missing."))
        return receipt


class ExportHandler(ReceiptHandler):
    """``POST /api/privacy/export``."""

    operation = Operation(
        "post", "Export everything held under a receipt code", Export, form=ReceiptFields, errors=(400, 404)
    )

    async def post(self) -> None:
        """Send everything held under a receipt code."""
        self.write(await self.server.worker_pool.run(self.service.export, self.receipt()))


class WithdrawHandler(ReceiptHandler):
    """``POST /api/privacy/withdraw``."""

    operation = Operation(
        "post", "Withdraw consent to one purpose or to all", RemovalResponse, form=WithdrawFields, errors=(400, 404)
    )

    async def post(self) -> None:
        """Withdraw consent to one purpose or, where none is named, to all."""
        removal = await self.server.worker_pool.run(self.service.withdraw, self.receipt(), self._purpose())
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
        "post", "Erase everything held under a receipt code", RemovalResponse, form=ReceiptFields, errors=(400, 404)
    )

    async def post(self) -> None:
        """Erase everything held under a receipt code."""
        removal = await self.server.worker_pool.run(self.service.erase, self.receipt())
        self.write(dict(removal_to_json(removal)))


ROUTES: dict[str, type[ApiHandler]] = {
    "/api/privacy/export": ExportHandler,
    "/api/privacy/withdraw": WithdrawHandler,
    "/api/privacy/erase": EraseHandler,
}
