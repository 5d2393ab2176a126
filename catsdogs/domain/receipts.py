"""Receipt codes: how they are made and checked."""

from __future__ import annotations

import re
import secrets

from catsdogs.errors import InvalidInput

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: without I, L, O and U, which look like others
_SYMBOLS = 28  # of 5 bits each: 140 bits
_FEWEST_DIFFERENT = 8  # of 10^12 random codes, one has fewer

RECEIPT_PATTERN = "^([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}$"
"""Regular expression of a code as it is written."""


def new_receipt() -> str:
    """Create a receipt code: seven groups of four letters and digits, 140 random bits."""
    symbols = "".join(secrets.choice(_ALPHABET) for _ in range(_SYMBOLS))
    return "-".join(re.findall("....", symbols))


def check_new_receipt(code: str) -> None:
    """Check a receipt code that a client chose.

    Raises
    ------
    InvalidInput
        It is not written as codes are, or it was not chosen at random.
    """
    if not re.fullmatch(RECEIPT_PATTERN, code) or len(set(code)) - 1 < _FEWEST_DIFFERENT:
        raise InvalidInput(
            "new_receipt must be 28 random digits and capital letters without I, L, O and U, in groups of four."
        )
