"""The mark of demonstration data: its identifiers, which migrations keep, and for which no column is needed.

They are UUIDs of version 8, which is meant for own uses, and begin with ``dec0de00``. The identifiers of people's
predictions are of version 7 and begin with the time: these first digits would mean the year 9731.

References
----------
K. Davis, B. Peabody, P. Leach (2024), RFC 9562, "Universally Unique IDentifiers (UUIDs)", section 5.8.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

DEMO_ID_BITS = 62
"""Number of bits that differ from one identifier to another."""
FIRST = UUID("dec0de00-0000-8000-8000-000000000000")
LAST = UUID("dec0de00-0000-8000-bfff-ffffffffffff")


def demo_id(number: int) -> UUID:
    """Return an identifier of demonstration data; `number` is below ``2 ** DEMO_ID_BITS``."""
    return UUID(int=FIRST.int + number)


def is_demo(column: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """Return the condition that a row is demonstration data; the index of the primary key finds these rows."""
    return column.between(FIRST, LAST)
