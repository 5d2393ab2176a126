"""The record of a consent, the hash of its receipt code, and the copy of the photo that may be kept with it.

The texts shown are in :mod:`catsdogs.records.consent_notice`, a person's rights by receipt code in
:mod:`catsdogs.records.data_subject_rights`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from catsdogs.database.rules import MAX_PHOTO_SIDE
from catsdogs.domain import UNKNOWN_CONTROLLER, Consent, ConsentChannel, DataController, PurposeName, new_receipt
from catsdogs.i18n import Translator
from catsdogs.model import preprocessing
from catsdogs.records import consent_notice
from catsdogs.records.user_texts import receipt_symbols

JPEG_QUALITY = 90


class ConsentRecord(BaseModel):
    """What a person agreed to, and which text was shown: a row of ``consents``."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    filename_and_comment: bool
    photo: bool
    text_version: str
    text_hash: str
    language: str
    how: ConsentChannel = ConsentChannel.UNKNOWN
    """Where the person was asked."""
    decided_at: datetime
    receipt_hash: str
    withdrawn_at: datetime | None = None

    @classmethod
    def create(
        cls,
        consent: Consent,
        moment: datetime,
        controller: DataController = UNKNOWN_CONTROLLER,
        receipt: str | None = None,
    ) -> tuple[Self, str]:
        """Create the record of a consent, and its receipt code.

        Parameters
        ----------
        consent
            What the person agreed to: at least one purpose.
        moment
            When the person agreed.
        controller
            Data controller that the text shown names.
        receipt
            Receipt code of an earlier decision about the same photo, or one that the client chose; by default, a new
            one.

        Returns
        -------
        ConsentRecord
            Holds only a hash of the receipt code.
        str
            The receipt code, to be shown once.
        """
        language = Translator(consent.language).language
        receipt = receipt or new_receipt()
        record = cls(
            id=uuid7(),
            filename_and_comment=consent.filename_and_comment,
            photo=consent.photo,
            text_version=consent_notice.VERSION,
            text_hash=hashlib.sha256(consent_notice.full_text(language, controller).encode()).hexdigest(),
            language=language,
            how=consent.channel,
            decided_at=moment,
            receipt_hash=hash_receipt(receipt),
        )
        return record, receipt

    def without(self, purposes: Collection[PurposeName], moment: datetime) -> Self:
        """Return the record with consent to these purposes withdrawn."""
        withdrawn = {purpose.value: False for purpose in purposes if getattr(self, purpose)}
        return self.model_copy(update={**withdrawn, "withdrawn_at": moment}) if withdrawn else self


class PhotoRecord(BaseModel):
    """A photo kept for training: a row of ``photos``."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    jpeg: bytes
    width: int
    height: int

    @classmethod
    def create(cls, photo: bytes) -> Self:
        """Create the copy that is kept: at most :data:`MAX_PHOTO_SIDE` pixels a side, without metadata.

        Raises
        ------
        InvalidImage
        """
        copy = preprocessing.thumbnail(preprocessing.decode(photo, MAX_PHOTO_SIDE), MAX_PHOTO_SIDE)
        stream = io.BytesIO()
        copy.save(stream, "JPEG", quality=JPEG_QUALITY)
        return cls(jpeg=stream.getvalue(), width=copy.width, height=copy.height)


def hash_receipt(receipt: str) -> str:
    """Hash a receipt code, however a person types it.

    A plain SHA-256 is enough, because nobody can try 2^140 codes.
    """
    return hashlib.sha256(receipt_symbols(receipt).encode(errors="replace")).hexdigest()
