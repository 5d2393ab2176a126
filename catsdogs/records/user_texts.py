"""Texts as people send them: how PostgreSQL can store them, and how a receipt code is read."""

from __future__ import annotations

import re

_LOOKALIKES = str.maketrans("ILO", "110")


def storable(text: str) -> str:
    """Return a text as PostgreSQL can store it: without null characters and halves of characters."""
    return text.replace("\0", "").encode(errors="replace").decode()


def receipt_symbols(code: str) -> str:
    """Return the symbols of a receipt code as a person types it: in upper or lower case, with hyphens, spaces or none.

    The letters I, L and O, which are in no code, are read as the digits that they look like.
    """
    return re.sub(r"[\s-]", "", code).upper().translate(_LOOKALIKES)
