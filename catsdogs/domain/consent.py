"""What a consent is, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ConsentChannel(StrEnum):
    """How a decision about consent reached the service."""

    APP = "app"
    REST = "rest"
    CLI = "cli"
    """On the machine itself: by a command, or by a notebook that holds the service."""
    UNKNOWN = "unknown"
    """The decision is older than this column."""


class PurposeName(StrEnum):
    """What a person may consent to: the fields of `Consent` that are true or false."""

    FILENAME_AND_COMMENT = "filename_and_comment"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's decision, one field for each purpose. Nothing is agreed to by default."""

    filename_and_comment: bool = False
    """Whether the file's name and the person's comment may be kept (``rgpd_consent``)."""
    photo: bool = False
    """Whether the photo may be kept for training (``photo_consent``)."""
    language: str = "en"
    """Language in which the consent text was shown."""
    channel: ConsentChannel = ConsentChannel.CLI
    """Channel through which the person decided."""

    @property
    def any(self) -> bool:
        """Whether the person agreed to anything."""
        return self.filename_and_comment or self.photo


@dataclass(frozen=True, slots=True)
class ConsentOutcome:
    """A recorded decision about consent, as the person who decided gets it."""

    receipt: str | None
    """Receipt code of everything kept about the photo: a new one after a first consent, to be shown once, else the one
    that was given; ``None`` where nothing was ever kept with consent."""
    stored: bool
    """Whether the decision is in the database; if not, it waits in the spool until the database is back."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What a withdrawal, an erasure or a purge removed."""

    predictions: list[UUID]
    """Predictions that were deleted (by an erasure) or made anonymous."""
    photos: int
    """Number of photos deleted."""
    waiting: int
    """Number of records that waited in the spool."""


@dataclass(frozen=True, slots=True)
class DataController:
    """Who is responsible for people's data (GDPR, Article 4), as the privacy notice names them."""

    name: str
    contact: str
    """Address at which people reach the controller."""
    retention_days: int
    """Longest time that personal data are kept, in days."""


UNKNOWN_CONTROLLER = DataController("", "", 365)
"""The controller where the settings name none."""
