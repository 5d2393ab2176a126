"""A person's decision written down, the receipt for it, and the copy of the photo it allows.

The words shown are in :mod:`catsdogs.records.consent_notice`, the rights that a receipt gives in
:mod:`catsdogs.records.data_subject_rights`.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from PIL import Image
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from catsdogs.database.tables import MAX_PHOTO_SIDE
from catsdogs.domain import UNKNOWN_CONTROLLER, Consent, ConsentChannel, DataController, PurposeName
from catsdogs.i18n import Translator
from catsdogs.model import preprocessing
from catsdogs.records import consent_notice as texts

JPEG_QUALITY = 90

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U to be misread
_SYMBOLS = 28  # of 5 bits each: 140 bits
_MISREAD = str.maketrans("ILO", "110")


class Decision(BaseModel):
    """What a person agreed to, and to which words: a row of ``consents``."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    id: UUID
    filename_and_comment: bool
    photo: bool
    text_version: str
    text_hash: str
    language: str
    how: ConsentChannel = ConsentChannel.UNKNOWN
    decided_at: datetime
    receipt_hash: str
    withdrawn_at: datetime | None = None

    def without(self, purposes: Collection[PurposeName], moment: datetime) -> Self:
        """Give the decision as it stands once these purposes are withdrawn."""
        refused = {purpose.value: False for purpose in purposes if getattr(self, purpose)}
        return self.model_copy(update={**refused, "withdrawn_at": moment}) if refused else self


class KeptPhoto(BaseModel):
    """A photo kept for training: a row of ``photos``."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    jpeg: bytes
    width: int
    height: int


def decide(consent: Consent, moment: datetime, controller: DataController = UNKNOWN_CONTROLLER) -> tuple[Decision, str]:
    """Write down a decision, and make its receipt.

    Parameters
    ----------
    consent
        Agrees to something.
    controller
        Whom the words shown name.

    Returns
    -------
    Decision
        Holds the receipt's hash alone.
    str
        The receipt code, to be shown once: seven groups of four letters and digits, 140 random bits.
    """
    language = Translator(consent.language).language
    symbols = "".join(secrets.choice(_ALPHABET) for _ in range(_SYMBOLS))
    receipt = "-".join(re.findall("....", symbols))
    decision = Decision(
        id=uuid7(),
        filename_and_comment=consent.filename_and_comment,
        photo=consent.photo,
        text_version=texts.VERSION,
        text_hash=hashlib.sha256(texts.words(language, controller).encode()).hexdigest(),
        language=language,
        how=consent.channel,
        decided_at=moment,
        receipt_hash=hash_receipt(receipt),
    )
    return decision, receipt


def hash_receipt(receipt: str) -> str:
    """Hash a receipt code as a person types it: in any case, with or without hyphens and spaces.

    A plain SHA-256 will do: nobody can try 2^140 codes.
    """
    symbols = re.sub(r"[\s-]", "", receipt).upper().translate(_MISREAD)
    return hashlib.sha256(symbols.encode(errors="replace")).hexdigest()


def keep_photo(photo: bytes) -> KeptPhoto:
    """Make the copy kept for training: at most 512 pixels a side, pixels only, no metadata.

    Raises
    ------
    InvalidImage
    """
    image = preprocessing.decode(photo, MAX_PHOTO_SIDE).image
    image.thumbnail((MAX_PHOTO_SIDE, MAX_PHOTO_SIDE))
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    stream = io.BytesIO()
    bare.save(stream, "JPEG", quality=JPEG_QUALITY)
    return KeptPhoto(jpeg=stream.getvalue(), width=bare.width, height=bare.height)
