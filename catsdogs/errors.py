"""The exception tree.

Every error that a caller can act on is one of these. Errors of lower layers (Pillow, SQLAlchemy, ONNX Runtime,
urllib3) are mapped to one of them where they happen, with the original as ``__cause__`` for the log.

::

    CatsDogsError
    ├── SettingsError            a setting, or the .env file, is wrong
    ├── InvalidInput             a parameter is of the wrong kind or out of range
    │   ├── InvalidImage         the bytes are not a photo that can be read
    │   └── ReceiptRefused       a receipt code for a new decision is another photo's, or not this photo's
    ├── ModelError               the model is missing, damaged or incompatible
    ├── DatabaseError            PostgreSQL refused what it was asked
    │   ├── DatabaseUnavailable  PostgreSQL cannot be reached, or cannot do it now; trying later may work
    │   └── RecordRefused        a record breaks a rule of the tables; trying again would not help
    ├── SpoolError               a record can be kept neither in the database nor in the spool
    ├── ConsentRequired          personal data came without the consent it needs
    ├── NotFound                 no prediction, or no receipt, of that identifier
    ├── Conflict                 it was changed elsewhere, so that what was asked for no longer fits
    └── ServiceError             the server answered with an error of its own
        ├── ServiceUnavailable   the server cannot be reached, or is too busy
        └── NotAuthorised        the token is missing, wrong or expired
"""

from __future__ import annotations


class CatsDogsError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    message
        An English sentence that tells a person what to do, with ``{named}`` fields for `values`.
        It is a gettext message (mark it with :func:`catsdogs.i18n.N_`), which
        :meth:`catsdogs.i18n.Translator.describe` translates.
    values
        Values of the fields. Never personal data: messages are logged.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)  # alone, so that errors can be pickled: workers send them
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return self.message.format(**self.values) if self.values else self.message


class SettingsError(CatsDogsError):
    """A setting, or the ``.env`` file, is wrong."""


class InvalidInput(CatsDogsError):
    """A parameter is of the wrong kind or out of range."""


class InvalidImage(InvalidInput):
    """The bytes are not a photo that can be read."""


class ReceiptRefused(InvalidInput):
    """A receipt code for a new decision is another photo's, or not this photo's."""


class ModelError(CatsDogsError):
    """The model is missing, damaged or incompatible."""


class DatabaseError(CatsDogsError):
    """PostgreSQL refused what it was asked."""


class DatabaseUnavailable(DatabaseError):
    """PostgreSQL cannot be reached, or cannot do it now; trying later may work."""


class RecordRefused(DatabaseError):
    """A record breaks a rule of the tables; trying again would not help."""


class SpoolError(CatsDogsError):
    """A record can be kept neither in the database nor in the spool."""


class ConsentRequired(CatsDogsError):
    """Personal data came without the consent it needs."""


class NotFound(CatsDogsError):
    """No prediction, or no receipt, of that identifier."""


class Conflict(CatsDogsError):
    """It was changed elsewhere, so that what was asked for no longer fits."""


class ServiceError(CatsDogsError):
    """The server answered with an error of its own."""


class ServiceUnavailable(ServiceError):
    """The server cannot be reached, or is too busy; trying later may work."""


class NotAuthorised(ServiceError):
    """The token is missing, wrong or expired."""
